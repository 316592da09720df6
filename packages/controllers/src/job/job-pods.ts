// The pods of a Job: how they are marked, and when one counts as failed.
//
// A pod keeps the finalizer `batch.kubernetes.io/job-tracking` until the Job's status counts it, so
// that none is forgotten, whoever deletes it (KEP-2307).

import type { Job } from '@keelson/apimachinery/types/batch.v1';
import type { Pod } from '@keelson/apimachinery/types/core.v1';

export const trackingFinalizer = 'batch.kubernetes.io/job-tracking';
export const completionIndexKey = 'batch.kubernetes.io/job-completion-index';

export function hasTrackingFinalizer({ metadata }: Pod): boolean {
  return metadata.finalizers?.includes(trackingFinalizer) === true;
}

export function isIndexed({ spec }: Job): boolean {
  return spec.completionMode === 'Indexed';
}
export function isSuspended({ spec }: Job): boolean {
  return spec.suspend === true;
}
export function hasLimitPerIndex(job: Job): boolean {
  return isIndexed(job) && job.spec.backoffLimitPerIndex !== undefined;
}
/** Of an indexed Job; others have no bound. */
export function completionsOf({ spec }: Job): number {
  return spec.completions ?? 0;
}

/** Undefined when the pod has none that the Job knows. */
export function completionIndexOf({ metadata }: Pod, job: Job): number | undefined {
  const text = metadata.annotations?.[completionIndexKey] ?? '';
  if (!/^(0|[1-9]\d{0,9})$/.test(text)) return undefined;
  const index = Number(text);
  return index < completionsOf(job) ? index : undefined;
}

/** Pods are replaced when they have failed, not already when they are being deleted (KEP-3939). */
export function replacesFailedOnly({ spec }: Job): boolean {
  return spec.podReplacementPolicy === 'Failed' || spec.podFailurePolicy !== undefined;
}

/** A pod that is being deleted may never report that it failed, so it counts at once. */
export function hasFailed(pod: Pod, job: Job): boolean {
  const phase = pod.status?.phase;
  if (phase === 'Failed') return true;
  if (replacesFailedOnly(job)) return false;
  return pod.metadata.deletionTimestamp !== undefined && phase !== 'Succeeded';
}

/** Milliseconds since 1970: the best that is known of when the pod ended. */
export function finishedAt({ metadata, status }: Pod): number {
  const containers = [
    ...(status?.containerStatuses ?? []),
    ...(status?.initContainerStatuses ?? []),
  ];
  const ends = containers.map(({ state }) => timeOf(state?.terminated?.finishedAt));
  if (ends.length > 0 && ends.every((end) => end !== undefined)) return Math.max(...ends);
  const notReady = status?.conditions?.find(
    ({ type, status: value }) => type === 'Ready' && value === 'False',
  );
  const deleted = timeOf(metadata.deletionTimestamp);
  return (
    timeOf(notReady?.lastTransitionTime) ??
    (deleted === undefined
      ? undefined
      : deleted - Number(metadata.deletionGracePeriodSeconds ?? 0) * 1000) ??
    timeOf(metadata.creationTimestamp) ??
    0
  );
}

function timeOf(text: string | null | undefined): number | undefined {
  const time = Date.parse(text ?? '');
  return Number.isNaN(time) ? undefined : time;
}
