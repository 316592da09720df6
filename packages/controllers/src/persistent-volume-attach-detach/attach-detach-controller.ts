// Attaches volumes of CSI drivers to the nodes whose pods want them, and detaches them when nobody
// does: it writes VolumeAttachments, for which the drivers do the work, and tells nodes in
// `status.volumesAttached` what they may mount.

import { jsonEqual, type JsonValue, type KubeObject } from '@keelson/apimachinery';
import type { AttachedVolume, Pod } from '@keelson/apimachinery/types/core.v1';
import type { VolumeAttachment } from '@keelson/apimachinery/types/storage.k8s.io.v1';
import type { Controller, ControllerContext } from '../machinery/controller.ts';
import { createControllerEvents } from '../machinery/controller-events.ts';
import { createReconciler } from '../machinery/reconciler.ts';
import { nodesResource } from '../machinery/resources.ts';
import type { WorkQueue } from '../machinery/work-queue.ts';
import { nodeVolumeName, volumeNameOf } from '../volumes/attachments.ts';
import { claimKeysOf } from '../volumes/pod-claims.ts';
import {
  attachDetachObjects,
  attachmentsOn,
  podsByNode,
  standingOfAttachment,
  type AttachDetachTools,
} from './attach-detach-tools.ts';
import { countAttachments, createForcedMetrics } from './attachment-metrics.ts';
import { isAttached } from './attachment-state.ts';
import { reconcileAttachments, type Told } from './reconcile-attachments.ts';

const volumeKey = (name: string) => `volume ${name}`;
const nodeKey = (name: string) => `node ${name}`;

export interface AttachDetachOptions {
  /**
   * `--disable-force-detach-on-timeout`: what a node that does not answer has is left to it, until it
   * is gone or out of service. Six minutes by default.
   */
  readonly isForceDetachDisabled?: boolean | undefined;
}

export function createAttachDetachController(
  context: ControllerContext,
  { isForceDetachDisabled = false }: AttachDetachOptions = {},
): Controller {
  const objects = attachDetachObjects(context);
  const events = createControllerEvents(context, 'attachdetach-controller');
  const tools: AttachDetachTools = {
    context,
    objects,
    events,
    unwantedSince: new Map(),
    isForceDetachDisabled,
  };
  const told: Told = new Map();
  const onForced = createForcedMetrics(context.metrics);
  let enqueueNode: (nodeName: string) => void = () => {};
  return createReconciler(context, {
    failure: 'volume neither attached nor detached',
    queue: 'attach_detach',
    workers: 10,
    reads: Object.values(objects),
    subscribe(queue) {
      enqueueNode = (nodeName) => queue.add(nodeKey(nodeName));
      return [
        ...subscribe({ ...tools, told }, queue),
        ...countAttachments(context.metrics, objects),
      ];
    },
    async reconcile(key, signal) {
      const name = key.slice(key.indexOf(' ') + 1);
      if (key.startsWith('node')) return reportAttached(tools, name, signal);
      return reconcileAttachments({ ...tools, told, onForced, enqueueNode }, name, signal);
    },
  });
}

function subscribe(
  { objects, unwantedSince, told }: AttachDetachTools & { readonly told: Told },
  queue: WorkQueue,
): (() => void)[] {
  const { pods, nodes, claims, volumes, attachments, drivers } = objects;
  const enqueueVolume = (name = '') => name !== '' && queue.add(volumeKey(name));
  const enqueueOfPod = (pod: Pod) => {
    for (const key of claimKeysOf(pod)) {
      const slash = key.indexOf('/');
      const claim = claims.store.get(key.slice(0, slash), key.slice(slash + 1));
      enqueueVolume(claim?.spec?.volumeName);
    }
  };
  const enqueueOfNode = ({ metadata: { name = '' } }: KubeObject) => {
    for (const attachment of attachmentsOn(objects, name)) enqueueVolume(volumeNameOf(attachment));
    queue.add(nodeKey(name));
  };
  const enqueueOfAttachment = (attachment: VolumeAttachment) => {
    enqueueVolume(volumeNameOf(attachment));
    queue.add(nodeKey(attachment.spec.nodeName));
  };
  const enqueueAll = () =>
    volumes.store.list().forEach(({ metadata }) => enqueueVolume(metadata.name));
  return [
    pods.addHandler({
      onAdd: enqueueOfPod,
      onUpdate: enqueueOfPod,
      onDelete(pod) {
        told.delete(pod.metadata.uid ?? '');
        enqueueOfPod(pod);
      },
    }),
    nodes.addHandler({
      onAdd: enqueueOfNode,
      onUpdate: enqueueOfNode,
      onDelete: enqueueOfNode,
    }),
    claims.addHandler({
      onAdd: ({ spec }) => enqueueVolume(spec?.volumeName),
      onUpdate: ({ spec }) => enqueueVolume(spec?.volumeName),
      onDelete: ({ spec }) => enqueueVolume(spec?.volumeName),
    }),
    volumes.addHandler({
      onAdd: ({ metadata }) => enqueueVolume(metadata.name),
      onUpdate: ({ metadata }) => enqueueVolume(metadata.name),
      onDelete: ({ metadata }) => enqueueVolume(metadata.name),
    }),
    attachments.addHandler({
      onAdd: enqueueOfAttachment,
      onUpdate: enqueueOfAttachment,
      onDelete(attachment) {
        unwantedSince.delete(attachment.metadata.uid ?? '');
        enqueueOfAttachment(attachment);
      },
    }),
    drivers.addHandler({ onAdd: enqueueAll, onUpdate: enqueueAll, onDelete: enqueueAll }),
  ];
}

/** Tells a node what is attached to it and will stay so. */
async function reportAttached(
  tools: AttachDetachTools,
  nodeName: string,
  signal: AbortSignal,
): Promise<void> {
  const { objects, context } = tools;
  const node = objects.nodes.store.get('', nodeName);
  if (node === undefined) return;
  const names = attachmentsOn(objects, nodeName).flatMap((attachment) => {
    const volume = objects.volumes.store.get('', volumeNameOf(attachment));
    const name = volume && nodeVolumeName(volume);
    const isLeaving = attachment.metadata.deletionTimestamp !== undefined;
    if (name === undefined || isLeaving || !isAttached(attachment)) return [];
    const standing = standingOfAttachment(tools, attachment, podsByNode(objects, volume));
    return standing.is === 'free' ? [] : [name];
  });
  // COMPAT: CSI drivers have no path to tell.
  const volumesAttached: AttachedVolume[] = names
    .toSorted()
    .map((name) => ({ name, devicePath: '' }));
  const asJson = (list: readonly AttachedVolume[]) => list as unknown as JsonValue;
  if (jsonEqual(asJson(node.status?.volumesAttached ?? []), asJson(volumesAttached))) return;
  await context.client.resource(nodesResource).patch(
    nodeName,
    'merge',
    { status: { volumesAttached: asJson(volumesAttached) } },
    {
      subresource: 'status',
      signal,
    },
  );
}
