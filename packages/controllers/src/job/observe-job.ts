// What is known of a Job when it is reconciled: its pods as the cache has them, and the counts that
// follow from them and from the status. Pods that lost their finalizer are in the status already.

import type { Job } from '@keelson/apimachinery/types/batch.v1';
import type { Pod } from '@keelson/apimachinery/types/core.v1';
import { isPodActive, isPodReady, isPodTerminating } from '../pods/pod-state.ts';
import { failedIndexesOf, isIndexDone, podsToReplace } from './index-failures.ts';
import { countIndexes, parseIndexes, withIndexes, type IndexSet } from './indexes.ts';
import {
  completionIndexOf,
  completionsOf,
  hasFailed,
  hasLimitPerIndex,
  isIndexed,
} from './job-pods.ts';
import { judgeFailure } from './pod-failure-policy.ts';

export interface JobObservation {
  readonly job: Job;
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly pods: readonly Pod[];
  readonly active: readonly Pod[];
  /** Pods with a finalizer that nobody took off yet. */
  readonly tracked: readonly Pod[];
  readonly ready: number;
  readonly terminating: number;
  /** Also of pods that the status does not count yet. */
  readonly succeeded: number;
  readonly failed: number;
  /** Ended, and nowhere in the status yet. */
  readonly newlySucceeded: readonly Pod[];
  readonly newlyFailed: readonly Pod[];
  /** Of indexed Jobs. */
  readonly indexes?: IndexObservation;
}

export interface IndexObservation {
  readonly succeededBefore: IndexSet;
  readonly succeeded: IndexSet;
  /** Absent: the Job has no limit per index. */
  readonly failed?: IndexSet;
  /** By index, the failed pods that wait for their replacement. */
  readonly replaced: ReadonlyMap<number, Pod>;
}

export interface ObservedPods {
  readonly pods: readonly Pod[];
  readonly isTracked: (pod: Pod) => boolean;
}

export function observeJob(job: Job, observed: ObservedPods, now: number): JobObservation {
  const { pods, isTracked } = observed;
  const { status = {} } = job;
  const { succeeded: uncountedSuccesses = [], failed: uncountedFailures = [] } =
    status.uncountedTerminatedPods ?? {};
  const active = pods.filter(isPodActive);
  const tracked = pods.filter(isTracked);
  const isNew = (uncounted: readonly string[]) => (pod: Pod) =>
    !uncounted.includes(pod.metadata.uid ?? '') &&
    (!isIndexed(job) || completionIndexOf(pod, job) !== undefined);
  const newlySucceeded = tracked
    .filter(({ status: of }) => of?.phase === 'Succeeded')
    .filter(isNew(uncountedSuccesses));
  const newlyFailed = tracked.filter((pod) => hasFailed(pod, job)).filter(isNew(uncountedFailures));
  const indexes = isIndexed(job) ? observeIndexes(job, tracked, active) : undefined;
  const counted = newlyFailed.filter((pod) => judgeFailure(job.spec.podFailurePolicy, pod).counts);
  const succeeded =
    indexes === undefined
      ? (status.succeeded ?? 0) + newlySucceeded.length + uncountedSuccesses.length
      : countIndexes(indexes.succeeded);
  return {
    job,
    now,
    pods,
    active,
    tracked,
    ready: active.filter(isPodReady).length,
    terminating: pods.filter(isPodTerminating).length,
    succeeded,
    failed: (status.failed ?? 0) + counted.length + uncountedFailures.length,
    newlySucceeded,
    newlyFailed,
    ...(indexes !== undefined && { indexes }),
  };
}

function observeIndexes(
  job: Job,
  tracked: readonly Pod[],
  active: readonly Pod[],
): IndexObservation {
  const succeededBefore = parseIndexes(job.status?.completedIndexes, completionsOf(job));
  const ended = tracked.filter(({ status }) => status?.phase === 'Succeeded');
  const succeeded = withIndexes(succeededBefore, indexesOf(ended, job));
  if (!hasLimitPerIndex(job)) return { succeededBefore, succeeded, replaced: new Map() };
  const failed = failedIndexesOf(job, tracked);
  const running = new Set(indexesOf(active, job));
  const replaced = podsToReplace(
    job,
    tracked,
    (index) => running.has(index) || isIndexDone(succeeded, failed, index),
  );
  return { succeededBefore, succeeded, failed, replaced };
}

export function indexesOf(pods: readonly Pod[], job: Job): number[] {
  return pods.flatMap((pod) => completionIndexOf(pod, job) ?? []);
}
