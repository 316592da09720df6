// The condition `Unused` of claims: whether no pod uses the claim, and since when (KEP-5541, by the
// gate PersistentVolumeClaimUnusedSinceTime). Pods that wait for a node use their claims already,
// those that ended do not any more.

import {
  findCondition,
  formatTime,
  isStatusError,
  transitionTime,
  withCondition,
  type KubeObject,
} from '@keelson/apimachinery';
import type { PersistentVolumeClaim, Pod } from '@keelson/apimachinery/types/core.v1';
import type { Informer } from '@keelson/client';
import type { ControllerContext } from '../machinery/controller.ts';
import { isControlledBy } from '../machinery/ownership.ts';
import { persistentVolumeClaimsResource } from '../machinery/resources.ts';
import { isPodFinished } from '../pods/pod-state.ts';
import { claimNameOf } from '../volumes/pod-claims.ts';

export interface ReportedStatus<T extends KubeObject> {
  /** It says what is so. */
  isRight(object: T): boolean;
  write(object: T, signal: AbortSignal): Promise<void>;
}

const type = 'Unused';

export function createUnusedCondition(
  { client, clock }: ControllerContext,
  pods: Informer<Pod>,
): ReportedStatus<PersistentVolumeClaim> {
  const resource = client.resource<PersistentVolumeClaim>(persistentVolumeClaimsResource);
  const wordsFor = (claim: PersistentVolumeClaim) =>
    pods.store.list(claim.metadata.namespace ?? '').some((pod) => isUserOf(pod, claim))
      ? used
      : unused;
  return {
    isRight(claim) {
      const { status, reason } = wordsFor(claim);
      const known = findCondition(claim.status?.conditions, type);
      return known?.status === status && known.reason === reason;
    },
    async write(claim, signal) {
      const words = wordsFor(claim);
      const conditions = claim.status?.conditions ?? [];
      const known = findCondition(conditions, type);
      const lastTransitionTime = transitionTime(known, words.status, formatTime(clock.now()));
      const next = { ...known, type, lastTransitionTime, ...words };
      const status = { ...claim.status, conditions: withCondition(conditions, next) };
      try {
        await resource
          .namespace(claim.metadata.namespace ?? '')
          .update({ ...claim, status }, { subresource: 'status', signal });
      } catch (error) {
        if (!isStatusError(error, 'NotFound')) throw error;
      }
    },
  };
}

const used = {
  status: 'False',
  reason: 'PodUsingPVC',
  message: 'A pod is currently referencing this PVC',
} as const;
const unused = {
  status: 'True',
  reason: 'NoPodsUsingPVC',
  message: 'No pods are currently referencing this PVC',
} as const;

function isUserOf(pod: Pod, claim: PersistentVolumeClaim): boolean {
  if (isPodFinished(pod)) return false;
  return (pod.spec?.volumes ?? []).some(
    (volume) =>
      claimNameOf(pod, volume) === claim.metadata.name &&
      (volume.ephemeral === undefined || isControlledBy(claim, pod)),
  );
}
