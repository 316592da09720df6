// Whether a Job has to end, and how. What the status has decided once stays; failing comes before
// succeeding, and the policy's word before the limits.

import type { Job } from '@keelson/apimachinery/types/batch.v1';
import type { Pod } from '@keelson/apimachinery/types/core.v1';
import { decidedOutcome, failures, successPolicyMet, type Outcome } from './conditions.ts';
import { countIndexes } from './indexes.ts';
import { completionsOf, hasFailed, isSuspended } from './job-pods.ts';
import type { JobObservation } from './observe-job.ts';
import { judgeFailure } from './pod-failure-policy.ts';
import { metSuccessRule } from './success-policy.ts';

/** Undefined while it has to go on, or is about to complete by its number of completions. */
export function decideOutcome(observation: JobObservation): Outcome | undefined {
  const { job } = observation;
  return (
    decidedOutcome(job) ??
    policyFailure(observation) ??
    limitFailure(observation) ??
    indexOutcome(observation)
  );
}

function policyFailure({ job, pods }: JobObservation): Outcome | undefined {
  if (job.spec.podFailurePolicy === undefined) return undefined;
  for (const pod of pods) {
    if (!hasFailed(pod, job)) continue;
    const { failJobMessage } = judgeFailure(job.spec.podFailurePolicy, pod);
    if (failJobMessage !== undefined) return failures.podFailurePolicy(failJobMessage);
  }
  return undefined;
}

function limitFailure({ job, pods, failed, now }: JobObservation): Outcome | undefined {
  const limit = job.spec.backoffLimit ?? defaultBackoffLimit;
  if (failed > limit || restartsExceed(job, pods, limit)) return failures.backoffLimit;
  const leftMs = deadlineInMs(job, now);
  return leftMs !== undefined && leftMs <= 0 ? failures.deadline : undefined;
}

/** Only old objects lack it: the API fills it in. */
const defaultBackoffLimit = 6;

/** Pods that restart in place do not fail, so their restarts count. */
function restartsExceed({ spec }: Job, pods: readonly Pod[], limit: number): boolean {
  if (spec.template.spec?.restartPolicy !== 'OnFailure') return false;
  const restarts = pods
    .filter(({ status }) => status?.phase === 'Running' || status?.phase === 'Pending')
    .flatMap(({ status }) => [
      ...(status?.initContainerStatuses ?? []),
      ...(status?.containerStatuses ?? []),
    ])
    .reduce((sum, { restartCount }) => sum + restartCount, 0);
  return limit === 0 ? restarts > 0 : restarts >= limit;
}

/** Milliseconds until activeDeadlineSeconds have passed; undefined when none count. */
export function deadlineInMs(job: Job, now: number): number | undefined {
  const { activeDeadlineSeconds: seconds } = job.spec;
  const start = Date.parse(job.status?.startTime ?? '');
  if (seconds === undefined || Number.isNaN(start) || isSuspended(job)) return undefined;
  return start + Number(seconds) * 1000 - now;
}

function indexOutcome({ job, indexes }: JobObservation): Outcome | undefined {
  if (indexes === undefined) return undefined;
  const { succeeded, failed } = indexes;
  const lost = failed === undefined ? 0 : countIndexes(failed);
  const { maxFailedIndexes } = job.spec;
  if (maxFailedIndexes !== undefined && lost > maxFailedIndexes) return failures.maxFailedIndexes;
  if (lost > 0 && lost + countIndexes(succeeded) >= completionsOf(job))
    return failures.failedIndexes;
  const met = metSuccessRule(job, succeeded);
  return met === undefined ? undefined : successPolicyMet(met);
}
