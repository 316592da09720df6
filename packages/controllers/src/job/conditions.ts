// Conditions of a Job. `FailureTarget` and `SuccessCriteriaMet` say how it will end; `Failed` and
// `Complete` follow with the same words when the last pod is gone.

import { findCondition, formatTime, transitionTime, withCondition } from '@keelson/apimachinery';
import type { Job, JobCondition } from '@keelson/apimachinery/types/batch.v1';

export type Conditions = readonly JobCondition[];
/** How a Job ends, and why. */
export interface Outcome {
  readonly type: 'FailureTarget' | 'SuccessCriteriaMet';
  readonly reason: string;
  readonly message: string;
}

export const completed: Outcome = {
  type: 'SuccessCriteriaMet',
  reason: 'CompletionsReached',
  message: 'Reached expected number of succeeded pods',
};
export const failures = {
  backoffLimit: failure('BackoffLimitExceeded', 'Job has reached the specified backoff limit'),
  deadline: failure('DeadlineExceeded', 'Job was active longer than specified deadline'),
  failedIndexes: failure('FailedIndexes', 'Job has failed indexes'),
  maxFailedIndexes: failure(
    'MaxFailedIndexesExceeded',
    'Job has exceeded the specified maximal number of failed indexes',
  ),
  podFailurePolicy: (message: string) => failure('PodFailurePolicy', message),
} as const;
export function successPolicyMet(message: string): Outcome {
  return { type: 'SuccessCriteriaMet', reason: 'SuccessPolicy', message };
}
function failure(reason: string, message: string): Outcome {
  return { type: 'FailureTarget', reason, message };
}

/** What ends as the outcome said it would. */
export function finalType({ type }: Outcome): 'Failed' | 'Complete' {
  return type === 'FailureTarget' ? 'Failed' : 'Complete';
}

function trueCondition(job: Job, type: string): JobCondition | undefined {
  return job.status?.conditions?.find(
    (condition) => condition.type === type && condition.status === 'True',
  );
}
export function isFinished(job: Job): boolean {
  return finishedCondition(job) !== undefined;
}
/** `Complete` or `Failed`. */
export function finishedCondition(job: Job): JobCondition | undefined {
  return trueCondition(job, 'Complete') ?? trueCondition(job, 'Failed');
}
/** The outcome that the status has already. */
export function decidedOutcome(job: Job): Outcome | undefined {
  for (const type of ['SuccessCriteriaMet', 'FailureTarget'] as const) {
    const condition = trueCondition(job, type);
    if (condition !== undefined)
      return { type, reason: condition.reason ?? '', message: condition.message ?? '' };
  }
  return undefined;
}

type ConditionText = Pick<JobCondition, 'type' | 'status' | 'reason' | 'message'>;
export const suspended: ConditionText = {
  type: 'Suspended',
  status: 'True',
  reason: 'JobSuspended',
  message: 'Job suspended',
};
export const resumed: ConditionText = {
  type: 'Suspended',
  status: 'False',
  reason: 'JobResumed',
  message: 'Job resumed',
};

/** The same list when nothing changes. What was never true is not said to be false. */
export function setCondition(conditions: Conditions, text: ConditionText, now: number): Conditions {
  const before = findCondition(conditions, text.type);
  if (before === undefined && text.status !== 'True') return conditions;
  const { type, status, reason = '', message = '' } = text;
  const isSame =
    before?.status === status && before.reason === reason && before.message === message;
  if (isSame) return conditions;
  const time = formatTime(now);
  const lastTransitionTime = transitionTime(before, status, time);
  const written = { type, status, lastProbeTime: time, lastTransitionTime, reason, message };
  return withCondition(conditions, written);
}
