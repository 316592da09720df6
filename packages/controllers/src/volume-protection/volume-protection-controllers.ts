// A claim that pods use and a volume that a claim is bound to stay until nothing needs them: they
// have a finalizer, which is taken away here when they are deleted, and given back to those that are
// not. Creation has given it already (the admission plugin StorageObjectInUseProtection).

import { isStatusError, type GroupVersionResource, type KubeObject } from '@keelson/apimachinery';
import type {
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
} from '@keelson/apimachinery/types/core.v1';
import type { Informer } from '@keelson/client';
import type { Controller, ControllerContext } from '../machinery/controller.ts';
import { errorText, keyOf, parseKey } from '../machinery/controller.ts';
import { isControlledBy } from '../machinery/ownership.ts';
import {
  persistentVolumeClaimsResource,
  persistentVolumesResource,
  podsResource,
} from '../machinery/resources.ts';
import { runController } from '../machinery/run-controller.ts';
import { createWorkQueue } from '../machinery/work-queue.ts';
import { claimKeysOf, claimNameOf } from '../volumes/pod-claims.ts';
import { createUnusedCondition, type ReportedStatus } from './unused-condition.ts';

/** Who takes a finalizer away to delete the object in the next request is to be faster. */
const giveBackMs = 500;

export function createClaimProtectionController(context: ControllerContext): Controller {
  const pods = context.informers.informer<Pod>(podsResource);
  const live = context.client.resource<Pod>(podsResource);
  return createProtectionController<PersistentVolumeClaim>(context, {
    queue: 'pvcprotection',
    resource: persistentVolumeClaimsResource,
    finalizer: 'kubernetes.io/pvc-protection',
    async isUsed(claim, signal) {
      const { namespace = '' } = claim.metadata;
      const isUser = (pod: Pod) => keepsClaim(pod, claim);
      if (pods.store.list(namespace).some(isUser)) return true;
      // SECURITY: the cache may be behind, and what is gone is gone.
      return (await live.namespace(namespace).listAll({ signal })).items.some(isUser);
    },
    users: { informer: pods, keysOf: claimKeysOf },
    ...(context.isEnabled('PersistentVolumeClaimUnusedSinceTime') && {
      status: createUnusedCondition(context, pods),
    }),
  });
}

export function createVolumeProtectionController(context: ControllerContext): Controller {
  return createProtectionController<PersistentVolume>(context, {
    queue: 'pvprotection',
    resource: persistentVolumesResource,
    finalizer: 'kubernetes.io/pv-protection',
    isUsed: async ({ status }) => status?.phase === 'Bound',
  });
}

interface Protection<T extends KubeObject> {
  /** What its queue is called in metrics. */
  readonly queue: string;
  readonly resource: GroupVersionResource;
  readonly finalizer: string;
  isUsed(object: T, signal: AbortSignal): Promise<boolean>;
  /** Whose changes may free what is deleted, and what they use. */
  readonly users?: { readonly informer: Informer<Pod>; keysOf(user: Pod): readonly string[] };
  /** What objects that stay say of their users. */
  readonly status?: ReportedStatus<T>;
}

function createProtectionController<T extends KubeObject>(
  { client, informers, clock, log, metrics }: ControllerContext,
  { queue: queueName, resource, finalizer, isUsed, users, status }: Protection<T>,
): Controller {
  const queue = createWorkQueue({ clock, meter: metrics.workQueue(queueName) });
  const objects = informers.informer<T>(resource);
  /** Going, and has it; or staying, and lacks it. */
  const isOfConcern = ({ metadata: { deletionTimestamp, finalizers = [] } }: KubeObject) =>
    (deletionTimestamp !== undefined) === finalizers.includes(finalizer);
  const isGoing = ({ metadata }: KubeObject) => metadata.deletionTimestamp !== undefined;
  const isToReport = (object: T) => !isGoing(object) && status?.isRight(object) === false;
  const enqueue = (object: T) => {
    if (isOfConcern(object)) queue.addAfter(keyOf(object), isGoing(object) ? 0 : giveBackMs);
    else if (isToReport(object)) queue.add(keyOf(object));
  };
  const enqueueUsedBy = (user: Pod) => {
    for (const key of users?.keysOf(user) ?? []) {
      const { namespace, name } = parseKey(key);
      const object = objects.store.get(namespace, name);
      if (object !== undefined) enqueue(object);
    }
  };

  const reconcile = async (key: string, signal: AbortSignal) => {
    const { namespace, name } = parseKey(key);
    const object = objects.store.get(namespace, name);
    if (object === undefined) return;
    if (!isOfConcern(object)) return isToReport(object) ? status?.write(object, signal) : undefined;
    if (isGoing(object) && (await isUsed(object, signal))) return;
    const known = object.metadata.finalizers ?? [];
    const finalizers = isGoing(object)
      ? known.filter((one) => one !== finalizer)
      : [...known, finalizer];
    const written = { ...object, metadata: { ...object.metadata, finalizers } };
    try {
      await client.resource<T>(resource).namespace(namespace).update(written, { signal });
    } catch (error) {
      if (!isStatusError(error, 'NotFound')) throw error;
    }
  };

  return {
    async run(signal) {
      const unsubscribe = [
        objects.addHandler({ onAdd: enqueue, onUpdate: enqueue }),
        users?.informer.addHandler({
          onAdd: enqueueUsedBy,
          onUpdate: enqueueUsedBy,
          onDelete: enqueueUsedBy,
        }),
      ];
      const onError = (error: unknown, key: string) =>
        log.warn('finalizer not as it should be', { finalizer, key, error: errorText(error) });
      await Promise.all([objects.synced(signal), users?.informer.synced(signal)]).catch(() => {});
      await runController({ queue, reconcile, workers: 1, onError }, signal);
      for (const end of unsubscribe) end?.();
    },
  };
}

/**
 * COMPAT: a pod that ended keeps its claims until it is deleted. Pods without a node have none: no
 * kubelet starts one whose claim is going. The claim of an ephemeral volume goes with its pod, which
 * may wait for it in turn.
 */
function keepsClaim(pod: Pod, claim: PersistentVolumeClaim): boolean {
  if ((pod.spec?.nodeName ?? '') === '') return false;
  const { deletionTimestamp, deletionGracePeriodSeconds } = pod.metadata;
  const isShutDown = deletionTimestamp !== undefined && Number(deletionGracePeriodSeconds) === 0;
  return (pod.spec?.volumes ?? []).some((volume) => {
    if (claimNameOf(pod, volume) !== claim.metadata.name) return false;
    return volume.ephemeral === undefined || (!isShutDown && isControlledBy(claim, pod));
  });
}
