// How often each index of a Job has failed, where the Job limits that by index (KEP-3850). The
// count lives in annotations of the pods: each replacement carries on that of the pod it replaces,
// so the last failed pod of an index keeps its finalizer until the replacement is there.

import type { Job } from '@keelson/apimachinery/types/batch.v1';
import type { Pod } from '@keelson/apimachinery/types/core.v1';
import { hasIndex, parseIndexes, withIndexes, type IndexSet } from './indexes.ts';
import { completionIndexOf, completionsOf, finishedAt, hasFailed } from './job-pods.ts';
import { remainingDelayMs } from './pod-back-off.ts';
import { judgeFailure } from './pod-failure-policy.ts';

const failureCountKey = 'batch.kubernetes.io/job-index-failure-count';
/** Failures that the policy ignores delay the next pod none the less. */
const ignoredCountKey = 'batch.kubernetes.io/job-index-ignored-failure-count';

/** Those that the status has, and those that `pods`, not counted yet, have made hopeless. */
export function failedIndexesOf(job: Job, pods: readonly Pod[]): IndexSet {
  const before = parseIndexes(job.status?.failedIndexes, completionsOf(job));
  const limit = job.spec.backoffLimitPerIndex ?? 0;
  const failed = pods.flatMap((pod) => {
    const index = completionIndexOf(pod, job);
    if (index === undefined || !hasFailed(pod, job)) return [];
    const { counts, action } = judgeFailure(job.spec.podFailurePolicy, pod);
    const isHopeless = action === 'FailIndex' || (counts && countIn(pod, failureCountKey) >= limit);
    return isHopeless ? [index] : [];
  });
  return withIndexes(before, failed);
}

/** The last failed pod of each index that is to be tried again. */
export function podsToReplace(
  job: Job,
  pods: readonly Pod[],
  isSettled: (index: number) => boolean,
): ReadonlyMap<number, Pod> {
  const last = new Map<number, Pod>();
  for (const pod of pods) {
    const index = completionIndexOf(pod, job);
    if (index === undefined || !hasFailed(pod, job) || isSettled(index)) continue;
    const other = last.get(index);
    const isLater =
      other === undefined ||
      (allFailures(other) <= allFailures(pod) && finishedAt(other) <= finishedAt(pod));
    if (isLater) last.set(index, pod);
  }
  return last;
}

/** The indexes whose delay is over, or else how long the first of them still has to wait. */
export function readyIndexes(
  indexes: readonly number[],
  replaced: ReadonlyMap<number, Pod>,
  now: number,
): { readonly ready: readonly number[]; readonly waitMs: number } {
  const delays = indexes.map((index) => {
    const pod = replaced.get(index);
    if (pod === undefined) return 0;
    return remainingDelayMs(
      { failures: allFailures(pod) + 1, lastFailureMs: finishedAt(pod) },
      now,
    );
  });
  const ready = indexes.filter((_, i) => delays[i] === 0);
  return { ready, waitMs: ready.length > 0 || delays.length === 0 ? 0 : Math.min(...delays) };
}

/** For the pod that takes the place of `replaced`. */
export function failureAnnotations(job: Job, replaced: Pod | undefined): Record<string, string> {
  if (replaced === undefined) return { [failureCountKey]: '0' };
  const { counts } = judgeFailure(job.spec.podFailurePolicy, replaced);
  const ignored = countIn(replaced, ignoredCountKey) + (counts ? 0 : 1);
  return {
    [failureCountKey]: String(countIn(replaced, failureCountKey) + (counts ? 1 : 0)),
    ...(ignored > 0 && { [ignoredCountKey]: String(ignored) }),
  };
}

/** Indexes that need no further pod. */
export function isIndexDone(succeeded: IndexSet, failed: IndexSet, index: number): boolean {
  return hasIndex(succeeded, index) || hasIndex(failed, index);
}

function allFailures(pod: Pod): number {
  return countIn(pod, failureCountKey) + countIn(pod, ignoredCountKey);
}
function countIn({ metadata }: Pod, key: string): number {
  const text = metadata.annotations?.[key] ?? '';
  return /^\d{1,9}$/.test(text) ? Number(text) : 0;
}
