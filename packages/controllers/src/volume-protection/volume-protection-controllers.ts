// A claim that pods use and a volume that a claim is bound to stay until nothing needs them: the
// admission plugin StorageObjectInUseProtection gives them a finalizer, which is taken away here.

import { isStatusError, type GroupVersionResource, type KubeObject } from '@keelson/apimachinery';
import type {
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
} from '@keelson/apimachinery/types/core.v1';
import type { Controller, ControllerContext } from '../machinery/controller.ts';
import { errorText, keyOf, parseKey } from '../machinery/controller.ts';
import {
  persistentVolumeClaimsResource,
  persistentVolumesResource,
  podsResource,
} from '../machinery/resources.ts';
import { runController } from '../machinery/run-controller.ts';
import { createWorkQueue } from '../machinery/work-queue.ts';
import { usesClaim } from '../volumes/pod-claims.ts';

export function createClaimProtectionController(context: ControllerContext): Controller {
  const pods = context.informers.informer<Pod>(podsResource);
  return createProtectionController<PersistentVolumeClaim>(context, {
    queue: 'pvcprotection',
    resource: persistentVolumeClaimsResource,
    finalizer: 'kubernetes.io/pvc-protection',
    isUsed: ({ metadata: { namespace = '', name } }) =>
      pods.store.list(namespace).some((pod) => isActive(pod) && usesClaim(pod, name ?? '')),
    users: pods,
  });
}

export function createVolumeProtectionController(context: ControllerContext): Controller {
  return createProtectionController<PersistentVolume>(context, {
    queue: 'pvprotection',
    resource: persistentVolumesResource,
    finalizer: 'kubernetes.io/pv-protection',
    isUsed: ({ status }) => status?.phase === 'Bound',
  });
}

interface Protection<T extends KubeObject> {
  /** What its queue is called in metrics. */
  readonly queue: string;
  readonly resource: GroupVersionResource;
  readonly finalizer: string;
  isUsed(object: T): boolean;
  /** Whose changes may free what is deleted. */
  readonly users?: ReturnType<ControllerContext['informers']['informer']>;
}

function createProtectionController<T extends KubeObject>(
  { client, informers, clock, log, metrics }: ControllerContext,
  { queue: queueName, resource, finalizer, isUsed, users }: Protection<T>,
): Controller {
  const queue = createWorkQueue({ clock, meter: metrics.workQueue(queueName) });
  const objects = informers.informer<T>(resource);
  const isProtected = ({ metadata: { deletionTimestamp, finalizers } }: KubeObject) =>
    deletionTimestamp !== undefined && finalizers?.includes(finalizer) === true;
  const enqueue = (object: KubeObject) => isProtected(object) && queue.add(keyOf(object));
  const enqueueAll = () => objects.store.list().forEach(enqueue);

  const reconcile = async (key: string, signal: AbortSignal) => {
    const { namespace, name } = parseKey(key);
    const object = objects.store.get(namespace, name);
    if (object === undefined || !isProtected(object) || isUsed(object)) return;
    const finalizers = object.metadata.finalizers?.filter((f) => f !== finalizer) ?? [];
    const freed = { ...object, metadata: { ...object.metadata, finalizers } };
    try {
      await client.resource<T>(resource).namespace(namespace).update(freed, { signal });
    } catch (error) {
      if (!isStatusError(error, 'NotFound')) throw error;
    }
  };

  return {
    async run(signal) {
      const unsubscribe = [
        objects.addHandler({ onAdd: enqueue, onUpdate: enqueue }),
        users?.addHandler({ onUpdate: enqueueAll, onDelete: enqueueAll }),
      ];
      const onError = (error: unknown, key: string) =>
        log.warn('finalizer not taken away', { finalizer, key, error: errorText(error) });
      await Promise.all([objects.synced(signal), users?.synced(signal)]).catch(() => {});
      await runController({ queue, reconcile, workers: 1, onError }, signal);
      for (const end of unsubscribe) end?.();
    },
  };
}

/** Pods without a node never ran and pods that ended let go of their volumes. */
function isActive({ spec, status }: Pod): boolean {
  const ended = status?.phase === 'Succeeded' || status?.phase === 'Failed';
  return !ended && (spec?.nodeName ?? '') !== '';
}
