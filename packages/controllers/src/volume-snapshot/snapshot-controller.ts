// Makes VolumeSnapshotContents for VolumeSnapshots and brings both together; the drivers do the
// rest. It begins when the kinds of snapshot.storage.k8s.io are defined.

import type { KubeObject } from '@keelson/apimachinery';
import type { PersistentVolumeClaim } from '@keelson/apimachinery/types/core.v1';
import type { Controller, ControllerContext } from '../machinery/controller.ts';
import { keyOf, parseKey } from '../machinery/controller.ts';
import { createControllerEvents } from '../machinery/controller-events.ts';
import { createReconciler } from '../machinery/reconciler.ts';
import { persistentVolumeClaimsResource } from '../machinery/resources.ts';
import { whenServed } from '../machinery/when-served.ts';
import type { WorkQueue } from '../machinery/work-queue.ts';
import { deleteSnapshot, snapshotSourceOf } from './delete-snapshot.ts';
import { reconcileSnapshot } from './reconcile-snapshot.ts';
import {
  changeFinalizers,
  contentClient,
  snapshotObjects,
  type SnapshotTools,
} from './snapshot-tools.ts';
import {
  claimFinalizer,
  contentFinalizer,
  snapshotDefinitions,
  type VolumeSnapshot,
  type VolumeSnapshotContent,
} from './snapshot-types.ts';

/** What is wrong with a snapshot may be mended by what is not watched for it. */
const retryMs = 60_000;
const keyOfKind = (kind: string, object: KubeObject) => `${kind} ${keyOf(object)}`;

export function createSnapshotController(context: ControllerContext): Controller {
  return whenServed(context, snapshotDefinitions, () => createServedController(context));
}

function createServedController(context: ControllerContext): Controller {
  const objects = snapshotObjects(context);
  const events = createControllerEvents(context, 'snapshot-controller');
  const tools: SnapshotTools = { context, objects, events };
  return createReconciler(context, {
    failure: 'snapshot not reconciled',
    workers: 10,
    reads: Object.values(objects),
    subscribe: (queue) => subscribe(tools, queue),
    async reconcile(key) {
      const { namespace, name } = parseKey(key.slice(key.indexOf(' ') + 1));
      if (key.startsWith('content'))
        return keepContent(tools, objects.contents.store.get('', name));
      if (key.startsWith('claim'))
        return releaseClaim(tools, objects.claims.store.get(namespace, name));
      const snapshot = objects.snapshots.store.get(namespace, name);
      if (snapshot === undefined) return undefined;
      if (snapshot.metadata.deletionTimestamp !== undefined) {
        await deleteSnapshot(tools, snapshot);
        return undefined;
      }
      await reconcileSnapshot(tools, snapshot);
      return snapshot.status?.error === undefined ? undefined : { requeueAfterMs: retryMs };
    },
  });
}

function subscribe({ objects }: SnapshotTools, queue: WorkQueue): (() => void)[] {
  const { snapshots, contents, classes, claims } = objects;
  const enqueueClaimOf = ({ metadata: { namespace }, spec }: VolumeSnapshot) => {
    const { persistentVolumeClaimName: name } = spec.source;
    if (name !== undefined) queue.add(`claim ${namespace}/${name}`);
  };
  const enqueueSnapshot = (snapshot: VolumeSnapshot) => {
    queue.add(keyOfKind('snapshot', snapshot));
    enqueueClaimOf(snapshot);
  };
  const enqueueContent = (content: VolumeSnapshotContent) => {
    queue.add(keyOfKind('content', content));
    const { namespace, name } = content.spec.volumeSnapshotRef;
    queue.add(`snapshot ${namespace}/${name}`);
  };
  /** Snapshots of the claim, and the one that it is made from. */
  const enqueueSnapshotsOf = (claim: PersistentVolumeClaim) => {
    const { namespace = '', name } = claim.metadata;
    const source = snapshotSourceOf(claim);
    if (source !== undefined) queue.add(`snapshot ${namespace}/${source}`);
    for (const snapshot of snapshots.store.list(namespace))
      if (snapshot.spec.source.persistentVolumeClaimName === name) enqueueSnapshot(snapshot);
  };
  const enqueueUnready = () => {
    for (const snapshot of snapshots.store.list())
      if (snapshot.status?.readyToUse !== true) enqueueSnapshot(snapshot);
  };
  return [
    snapshots.addHandler({
      onAdd: enqueueSnapshot,
      onUpdate: enqueueSnapshot,
      onDelete: enqueueClaimOf,
    }),
    contents.addHandler({
      onAdd: enqueueContent,
      onUpdate: enqueueContent,
      onDelete: enqueueContent,
    }),
    classes.addHandler({ onAdd: enqueueUnready, onUpdate: enqueueUnready }),
    claims.addHandler({
      onAdd: enqueueSnapshotsOf,
      onUpdate: enqueueSnapshotsOf,
      onDelete: enqueueSnapshotsOf,
    }),
  ];
}

async function keepContent(
  tools: SnapshotTools,
  content: VolumeSnapshotContent | undefined,
): Promise<void> {
  if (content === undefined || content.metadata.deletionTimestamp !== undefined) return;
  await changeFinalizers(contentClient(tools), content, { add: [contentFinalizer] });
}

/** When no snapshot is being made of it any more. */
async function releaseClaim(
  { context, objects }: SnapshotTools,
  claim: PersistentVolumeClaim | undefined,
): Promise<void> {
  if (claim?.metadata.finalizers?.includes(claimFinalizer) !== true) return;
  const { namespace = '', name } = claim.metadata;
  const isNeeded = objects.snapshots.store
    .list(namespace)
    .some(
      ({ spec, status }) =>
        spec.source.persistentVolumeClaimName === name && status?.readyToUse !== true,
    );
  if (isNeeded) return;
  const claims = context.client.resource<PersistentVolumeClaim>(persistentVolumeClaimsResource);
  await changeFinalizers(claims.namespace(namespace), claim, { remove: [claimFinalizer] });
}
