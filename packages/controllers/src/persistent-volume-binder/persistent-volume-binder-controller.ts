// Brings claims and volumes together. One worker does everything in turn: two claims that looked at
// the same free volume at once would both want it. (Should another process write meanwhile, its
// resource version says so.)

import type { KubeObject } from '@keelson/apimachinery';
import type {
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
} from '@keelson/apimachinery/types/core.v1';
import type { StorageClass } from '@keelson/apimachinery/types/storage.k8s.io.v1';
import type { Controller, ControllerContext } from '../machinery/controller.ts';
import { keyOf, parseKey } from '../machinery/controller.ts';
import { createControllerEvents } from '../machinery/controller-events.ts';
import { createReconciler } from '../machinery/reconciler.ts';
import {
  persistentVolumeClaimsResource,
  persistentVolumesResource,
  podsResource,
  storageClassesResource,
} from '../machinery/resources.ts';
import type { ReconcileResult } from '../machinery/run-controller.ts';
import type { WorkQueue } from '../machinery/work-queue.ts';
import type { BinderTools } from './binder-tools.ts';
import { reconcileClaim } from './reconcile-claim.ts';
import { reconcileVolume, type VolumeReconciling } from './reconcile-volume.ts';
import { createRecycler } from './recycle-volume.ts';
import { recycledVolume } from './recycler-pod.ts';
import { countVolumes, createDefaultClassMetrics } from './volume-metrics.ts';

/** Claims that wait are told so again that often, and volumes are tried again. */
const resyncMs = 15_000;

export function createPersistentVolumeBinderController(context: ControllerContext): Controller {
  const { informers } = context;
  const claims = informers.informer<PersistentVolumeClaim>(persistentVolumeClaimsResource);
  const volumes = informers.informer<PersistentVolume>(persistentVolumesResource);
  const classes = informers.informer<StorageClass>(storageClassesResource);
  const pods = informers.informer<Pod>(podsResource);
  const events = createControllerEvents(context, 'persistentvolume-controller');
  const onDefaultClass = createDefaultClassMetrics(context.metrics);
  const tools: BinderTools = { context, claims, volumes, classes, pods, events, onDefaultClass };
  const recycler = createRecycler(tools);
  let queue: WorkQueue | undefined;
  return createReconciler(context, {
    failure: 'volume not bound',
    queue: 'volumes',
    workers: 1,
    reads: [claims, volumes, classes, pods],
    subscribe(workQueue) {
      queue = workQueue;
      return [...subscribe(tools, workQueue), ...countVolumes(context.metrics, tools)];
    },
    reconcile: (key) =>
      reconcile({ tools, recycler, enqueueClaim: (claim) => queue?.add(claimKey(claim)) }, key),
  });
}

const claimKey = (key: string) => `claim ${key}`;
const volumeKey = (name: string) => `volume ${name}`;

function subscribe({ claims, volumes, classes, pods }: BinderTools, queue: WorkQueue) {
  const enqueueClaim = (claim: KubeObject) => queue.add(claimKey(keyOf(claim)));
  const enqueueVolume = (volume: KubeObject) => queue.add(volumeKey(keyOf(volume)));
  const enqueueVolumeOf = (claim: PersistentVolumeClaim) => {
    const { volumeName = '' } = claim.spec ?? {};
    if (volumeName !== '') queue.add(volumeKey(volumeName));
  };
  const enqueueWaiting = () =>
    claims.store
      .list()
      .filter(({ status }) => status?.phase !== 'Bound')
      .forEach(enqueueClaim);
  /** Claims that a volume's change may help or harm. */
  const enqueueClaimsOf = ({ spec, metadata }: PersistentVolume) => {
    const { namespace = '', name = '' } = spec?.claimRef ?? {};
    if (name !== '') queue.add(claimKey(`${namespace}/${name}`));
    else enqueueWaiting();
    for (const claim of claims.store.list(namespace))
      if (claim.spec?.volumeName === metadata.name) enqueueClaim(claim);
  };
  const enqueueRecycled = (pod: Pod) => {
    const name = recycledVolume(pod);
    if (name !== undefined) queue.add(volumeKey(name));
  };
  return [
    claims.addHandler({
      onAdd: enqueueClaim,
      onUpdate(claim) {
        enqueueClaim(claim);
        enqueueVolumeOf(claim);
      },
      onDelete(claim) {
        enqueueVolumeOf(claim);
        // It went before it could say which volume it was to have.
        for (const volume of volumes.store.list())
          if (volume.spec?.claimRef?.uid === claim.metadata.uid) enqueueVolume(volume);
      },
    }),
    volumes.addHandler({
      onAdd: (volume) => enqueueVolume(volume),
      onUpdate(volume, old) {
        enqueueVolume(volume);
        if (volume.status?.phase !== old.status?.phase) enqueueClaimsOf(volume);
      },
      onDelete: enqueueClaimsOf,
    }),
    classes.addHandler({ onAdd: (_, isInitial) => !isInitial && enqueueWaiting() }),
    pods.addHandler({ onUpdate: enqueueRecycled, onDelete: enqueueRecycled }),
  ];
}

async function reconcile(reconciling: VolumeReconciling, key: string): Promise<ReconcileResult> {
  const { tools, recycler } = reconciling;
  const space = key.indexOf(' ');
  const { namespace, name } = parseKey(key.slice(space + 1));
  if (key.startsWith('volume')) {
    const volume = tools.volumes.store.get('', name);
    if (volume === undefined) return recycler.abandon(name);
    await reconcileVolume(reconciling, volume);
    const isToBeRecycled =
      volume.spec?.persistentVolumeReclaimPolicy === 'Recycle' &&
      (volume.status?.phase === 'Released' || volume.status?.phase === 'Failed');
    return isToBeRecycled ? { requeueAfterMs: resyncMs } : undefined;
  }
  const claim = tools.claims.store.get(namespace, name);
  if (claim === undefined) return;
  await reconcileClaim(tools, claim);
  return claim.status?.phase === 'Pending' ? { requeueAfterMs: resyncMs } : undefined;
}
