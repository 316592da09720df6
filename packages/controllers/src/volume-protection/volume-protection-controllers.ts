// What is used stays until nothing uses it: a claim while a pod does, a volume while it is bound, and a
// class of volume attributes while a claim or a volume has it or is about to get it.

import type {
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
} from '@keelson/apimachinery/types/core.v1';
import type { Controller, ControllerContext } from '../machinery/controller.ts';
import { isControlledBy } from '../machinery/ownership.ts';
import {
  persistentVolumeClaimsResource,
  persistentVolumesResource,
  podsResource,
} from '../machinery/resources.ts';
import { claimKeysOf, claimNameOf } from '../volumes/pod-claims.ts';
import { createProtectionController, usersIn } from './protection-controller.ts';
import { createUnusedCondition } from './unused-condition.ts';

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
    users: [usersIn(pods, claimKeysOf)],
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

export interface AttributesClassProtectionOptions {
  /** In which classes are served. */
  readonly version: string;
}

export function createAttributesClassProtectionController(
  context: ControllerContext,
  { version }: AttributesClassProtectionOptions,
): Controller {
  const claims = context.informers.informer<PersistentVolumeClaim>(persistentVolumeClaimsResource);
  const volumes = context.informers.informer<PersistentVolume>(persistentVolumesResource);
  return createProtectionController(context, {
    queue: 'vacprotection',
    resource: { group: 'storage.k8s.io', version, resource: 'volumeattributesclasses' },
    finalizer: 'kubernetes.io/vac-protection',
    isUsed: async ({ metadata: { name = '' } }) =>
      volumes.store.list().some((volume) => classesOfVolume(volume).includes(name)) ||
      claims.store.list().some((claim) => classesOfClaim(claim).includes(name)),
    users: [usersIn(claims, classesOfClaim), usersIn(volumes, classesOfVolume)],
  });
}

const classesOfVolume = ({ spec }: PersistentVolume): readonly string[] =>
  [spec?.volumeAttributesClassName].filter(isNamed);

/** The one it is to have, the one it has, and the one that it is being given. */
const classesOfClaim = ({ spec, status }: PersistentVolumeClaim): readonly string[] =>
  [
    spec?.volumeAttributesClassName,
    status?.currentVolumeAttributesClassName,
    status?.modifyVolumeStatus?.targetVolumeAttributesClassName,
  ].filter(isNamed);

const isNamed = (name: string | null | undefined): name is string => (name ?? '') !== '';

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
