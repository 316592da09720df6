// The bookkeeping of pods that ended (KEP-2307), in three steps that may be interrupted anywhere:
// their UIDs go into status.uncountedTerminatedPods, then they lose their finalizer, then they move
// from the list into the counters. So each is counted once, whatever is restarted or deleted.

import type { Job, JobStatus } from '@keelson/apimachinery/types/batch.v1';
import type { Pod } from '@keelson/apimachinery/types/core.v1';
import type { Outcome } from './conditions.ts';
import { countIndexes, formatIndexes, hasIndex, withIndexes } from './indexes.ts';
import { completionIndexOf, hasFailed, hasLimitPerIndex, isIndexed } from './job-pods.ts';
import type { JobObservation } from './observe-job.ts';
import { judgeFailure } from './pod-failure-policy.ts';

/** UIDs in the status at a time; that bounds its size to about 20 kB. */
const uncountedMax = 500;

export interface Counting {
  /** To be written before the finalizers go. */
  readonly status: JobStatus;
  /** The pods whose finalizer may go then. */
  readonly release: readonly Pod[];
  /** Some pods have to wait for the next time. */
  readonly isPartial: boolean;
}

export function countPods(observation: JobObservation, outcome: Outcome | undefined): Counting {
  const { job, tracked, indexes } = observation;
  const status = countReleased(job.status ?? {}, tracked);
  const succeeded = [...(status.uncountedTerminatedPods?.succeeded ?? [])];
  const failed = [...(status.uncountedTerminatedPods?.failed ?? [])];
  const newIndexes: number[] = [];
  const release: Pod[] = [];
  let isPartial = false;
  for (const pod of inOrderOfIndex(tracked, job)) {
    if (!mayRelease(observation, pod, outcome)) continue;
    release.push(pod);
    const { uid = '' } = pod.metadata;
    const index = completionIndexOf(pod, job);
    if (isIndexed(job) && index === undefined) continue;
    if (pod.status?.phase === 'Succeeded' && !failed.includes(uid)) {
      if (indexes === undefined || index === undefined) add(succeeded, uid);
      else if (!hasIndex(indexes.succeededBefore, index)) newIndexes.push(index);
    } else if (countsAsFailed(job, pod, outcome)) add(failed, uid);
    isPartial = newIndexes.length + succeeded.length + failed.length >= uncountedMax;
    if (isPartial) break;
  }
  const uncountedTerminatedPods = {
    ...(succeeded.length > 0 && { succeeded }),
    ...(failed.length > 0 && { failed }),
  };
  const counted = { ...status, uncountedTerminatedPods };
  return { status: withIndexCounts(observation, counted, newIndexes), release, isPartial };
}

/** The status once only these pods have their finalizer left. */
export function countReleased(status: JobStatus, tracked: readonly Pod[]): JobStatus {
  const { succeeded = [], failed = [] } = status.uncountedTerminatedPods ?? {};
  const left = new Set(tracked.map(({ metadata }) => metadata.uid));
  const [successesLeft, failuresLeft] = [succeeded, failed].map((uids) =>
    uids.filter((uid) => left.has(uid)),
  ) as [string[], string[]];
  return {
    ...status,
    succeeded: (status.succeeded ?? 0) + succeeded.length - successesLeft.length,
    failed: (status.failed ?? 0) + failed.length - failuresLeft.length,
    uncountedTerminatedPods: {
      ...(successesLeft.length > 0 && { succeeded: successesLeft }),
      ...(failuresLeft.length > 0 && { failed: failuresLeft }),
    },
  };
}

export function hasUncounted({ uncountedTerminatedPods: { succeeded, failed } = {} }: JobStatus) {
  return (succeeded?.length ?? 0) + (failed?.length ?? 0) > 0;
}

function withIndexCounts(
  { indexes }: JobObservation,
  status: JobStatus,
  newIndexes: readonly number[],
): JobStatus {
  if (indexes === undefined) return status;
  const succeeded = withIndexes(indexes.succeededBefore, newIndexes);
  return {
    ...status,
    succeeded: countIndexes(succeeded),
    completedIndexes: formatIndexes(succeeded),
    ...(indexes.failed !== undefined && { failedIndexes: formatIndexes(indexes.failed) }),
  };
}

function mayRelease(
  { job, indexes }: JobObservation,
  pod: Pod,
  outcome: Outcome | undefined,
): boolean {
  const isOver = job.metadata.deletionTimestamp !== undefined || outcome !== undefined;
  if (isOver || pod.status?.phase === 'Succeeded') return true;
  if (!hasFailed(pod, job)) return false;
  if (!hasLimitPerIndex(job)) return true;
  const index = completionIndexOf(pod, job);
  const waiting = index === undefined ? undefined : indexes?.replaced.get(index);
  return waiting?.metadata.uid !== pod.metadata.uid;
}

/** When the Job has failed, so has every pod that did not succeed before. */
function countsAsFailed(job: Job, pod: Pod, outcome: Outcome | undefined): boolean {
  if (!hasFailed(pod, job) && outcome?.type !== 'FailureTarget') return false;
  return judgeFailure(job.spec.podFailurePolicy, pod).counts;
}

function inOrderOfIndex(pods: readonly Pod[], job: Job): readonly Pod[] {
  if (!isIndexed(job)) return pods;
  const indexOf = (pod: Pod) => completionIndexOf(pod, job) ?? -1;
  return pods.toSorted((a, b) => indexOf(a) - indexOf(b));
}

function add(uids: string[], uid: string): void {
  if (!uids.includes(uid)) uids.push(uid);
}
