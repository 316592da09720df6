// The status of a Job, which other controllers may write too (`managedBy`). A rule is held against
// an update only when it changes what the rule speaks of, so that older statuses stay writable.

import { fieldError, omittedValue } from '@keelson/apimachinery';
import type { Job, JobStatus } from '@keelson/apimachinery/types/batch.v1';
import { internalValue } from '../../internal-form/internal-value.ts';
import type { Errors } from '../../validation/checks.ts';
import { isSemanticallyEqual } from '../../validation/equality.ts';
import { nonNegativeCounters } from '../../core/pod-spec/workload-status.ts';
import { hasTrueCondition, isComplete, isFailed, isFinished } from './conditions.ts';
import { countIndexes, firstCommonIndex } from './index-intervals.ts';

interface StatusUpdate {
  readonly job: Job;
  readonly status: JobStatus;
  readonly old: JobStatus;
  /** Whether a field of the status is another than before. */
  changed(field: keyof JobStatus): boolean;
  /** Whether a condition is true now and was not before, or the other way round. */
  turned(condition: (job: Job) => boolean): boolean;
}

const isFailureTarget = (job: Job) => hasTrueCondition(job, 'FailureTarget');
const meetsCriteria = (job: Job) => hasTrueCondition(job, 'SuccessCriteriaMet');

export function validateJobStatus(job: Job, oldJob: Job): Errors {
  const errors: Errors = [];
  const status = job.status ?? {};
  const old = oldJob.status ?? {};
  const update: StatusUpdate = {
    job,
    status,
    old,
    changed: (field) => !isSemanticallyEqual(status[field], old[field]),
    turned: (condition) => condition(job) !== condition(oldJob),
  };
  const counters = ['active', 'succeeded', 'failed', 'ready', 'terminating'];
  nonNegativeCounters(errors, status, counters);
  uncountedPods(errors, status);
  conditionsAgree(errors, update);
  finishedJob(errors, update);
  indexes(errors, update);
  runningPods(errors, update);
  criteria(errors, job);
  transitions(errors, update, oldJob);
  return errors;
}

function uncountedPods(errors: Errors, { uncountedTerminatedPods }: JobStatus): void {
  const seen = new Set<string>();
  for (const list of ['succeeded', 'failed'] as const) {
    uncountedTerminatedPods?.[list]?.forEach((uid, i) => {
      const path = `status.uncountedTerminatedPods.${list}[${i}]`;
      if (uid === '') errors.push(fieldError.invalid(path, uid, 'must not be empty'));
      else if (seen.has(uid)) errors.push(fieldError.duplicate(path, uid));
      seen.add(uid);
    });
  }
}

const conditionsError = (why: string) => fieldError.invalid('status.conditions', omittedValue, why);

function conditionsAgree(errors: Errors, { job, status, changed, turned }: StatusUpdate): void {
  const complete = isComplete(job);
  if ((turned(isComplete) || turned(isFailed)) && complete && isFailed(job)) {
    errors.push(conditionsError('cannot set Complete=True and Failed=true conditions'));
  }
  if ((turned(isComplete) || turned(isFailureTarget)) && complete && isFailureTarget(job)) {
    errors.push(conditionsError('cannot set Complete=True and FailureTarget=true conditions'));
  }
  completionTime(errors, { status, complete }, turned(isComplete) || changed('completionTime'));
  const { startTime, completionTime: end } = status;
  if ((changed('startTime') || changed('completionTime')) && startTime && end && end < startTime) {
    const why = 'completionTime cannot be set before startTime';
    errors.push(fieldError.invalid('status.completionTime', end, why));
  }
  if ((turned(isFailed) || turned(isFailureTarget)) && isFailed(job) && !isFailureTarget(job)) {
    const why = 'cannot set Failed=True condition without the FailureTarget=true condition';
    errors.push(conditionsError(why));
  }
  if ((turned(isComplete) || turned(meetsCriteria)) && complete && !meetsCriteria(job)) {
    const why = 'cannot set Complete=True condition without the SuccessCriteriaMet=true condition';
    errors.push(conditionsError(why));
  }
}

function completionTime(
  errors: Errors,
  { status, complete }: { status: JobStatus; complete: boolean },
  isHeld: boolean,
): void {
  if (!isHeld) return;
  const path = 'status.completionTime';
  const time = status.completionTime;
  if (time !== undefined && !complete) {
    const why = 'cannot set completionTime when there is no Complete=True condition';
    errors.push(fieldError.invalid(path, time, why));
  }
  if (time === undefined && complete) {
    errors.push(fieldError.required(path, 'completionTime is required for Complete jobs'));
  }
}

function finishedJob(errors: Errors, { job, status, changed, turned }: StatusUpdate): void {
  if (!isFinished(job)) return;
  const ended = turned(isFinished);
  const active = status.active ?? 0;
  if ((ended || changed('active')) && active > 0) {
    const why = 'active>0 is invalid for finished job';
    errors.push(fieldError.invalid('status.active', active, why));
  }
  if ((ended || changed('startTime')) && status.startTime === undefined) {
    errors.push(fieldError.required('status.startTime', 'startTime is required for finished job'));
  }
  const pods = status.uncountedTerminatedPods;
  const uncounted = [...(pods?.succeeded ?? []), ...(pods?.failed ?? [])].length;
  if ((ended || changed('uncountedTerminatedPods')) && uncounted > 0) {
    const why = 'uncountedTerminatedPods needs to be empty for finished job';
    const shown = internalValue('io.k8s.api.batch.v1.UncountedTerminatedPods', pods);
    errors.push(fieldError.invalid('status.uncountedTerminatedPods', shown, why));
  }
}

function indexes(errors: Errors, { job, status, changed }: StatusUpdate): void {
  const { completions, backoffLimitPerIndex, completionMode } = job.spec;
  const { completedIndexes = '', failedIndexes } = status;
  const failedPath = 'status.failedIndexes';
  const readable = (path: string, text: string, name: string) => {
    const count = countIndexes(text, completions ?? 0);
    if (!(count instanceof Error)) return;
    errors.push(fieldError.invalid(path, text, `error parsing ${name}: ${count.message}`));
  };
  const completedChanged = changed('completedIndexes');
  const failedChanged = changed('failedIndexes');
  if (completedChanged && completions !== undefined) {
    readable('status.completedIndexes', completedIndexes, 'completedIndexes');
  }
  const hasFailed = failedIndexes !== undefined;
  if (failedChanged && hasFailed && completions !== undefined && backoffLimitPerIndex !== undefined)
    readable(failedPath, failedIndexes, 'failedIndexes');
  if (completedChanged && completedIndexes !== '' && completionMode !== 'Indexed') {
    const why = 'cannot set non-empty completedIndexes when non-indexed completion mode';
    errors.push(fieldError.invalid('status.completedIndexes', completedIndexes, why));
  }
  if (failedChanged && hasFailed && backoffLimitPerIndex === undefined) {
    const why = 'cannot set non-null failedIndexes when backoffLimitPerIndex is null';
    errors.push(fieldError.invalid(failedPath, failedIndexes, why));
  }
  if (!(completedChanged || failedChanged) || !hasFailed || completions === undefined) return;
  const common = firstCommonIndex([completedIndexes, failedIndexes], completions);
  if (common === undefined) return;
  const why = `failedIndexes and completedIndexes overlap at index: ${common}`;
  errors.push(fieldError.invalid(failedPath, failedIndexes, why));
}

function runningPods(errors: Errors, { job, status, changed, turned }: StatusUpdate): void {
  const { terminating = 0, ready = 0, active = 0 } = status;
  if ((turned(isFinished) || changed('terminating')) && terminating > 0 && isFinished(job)) {
    const why = 'terminating>0 is invalid for finished job';
    errors.push(fieldError.invalid('status.terminating', terminating, why));
  }
  if ((changed('ready') || changed('active')) && ready > active) {
    const why = 'cannot set more ready pods than active';
    errors.push(fieldError.invalid('status.ready', ready, why));
  }
}

function criteria(errors: Errors, job: Job): void {
  const met = meetsCriteria(job);
  if (met && isFailed(job)) {
    errors.push(conditionsError('cannot set SuccessCriteriaMet=True and Failed=true conditions'));
  }
  if (met && isFailureTarget(job)) {
    const why = 'cannot set SuccessCriteriaMet=True and FailureTarget=true conditions';
    errors.push(conditionsError(why));
  }
  if (job.spec.successPolicy && !met && isComplete(job)) {
    const why =
      'cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True';
    errors.push(conditionsError(why));
  }
}

function transitions(errors: Errors, { job, status, old, changed }: StatusUpdate, before: Job) {
  for (const type of ['Failed', 'Complete', 'FailureTarget']) {
    if (hasTrueCondition(before, type) && !hasTrueCondition(job, type)) {
      errors.push(conditionsError(`cannot disable the terminal ${type}=True condition`));
    }
  }
  const grows = (field: 'failed' | 'succeeded') => {
    const value = status[field] ?? 0;
    if (value >= (old[field] ?? 0)) return;
    const why = `cannot decrease the ${field} counter`;
    errors.push(fieldError.invalid(`status.${field}`, value, why));
  };
  grows('failed');
  const { completionMode, completions, parallelism, suspend } = job.spec;
  // An indexed Job with as many pods as indexes can shrink, and then earlier successes are
  // forgotten.
  if (completionMode !== 'Indexed' || completions !== parallelism) grows('succeeded');
  if (status.completionTime && old.completionTime && changed('completionTime')) {
    const why = 'completionTime cannot be mutated';
    errors.push(fieldError.invalid('status.completionTime', status.completionTime, why));
  }
  // A Job that goes on after having been suspended starts anew.
  const resumes = hasTrueCondition(before, 'Suspended') && !hasTrueCondition(job, 'Suspended');
  const mayStartAnew = suspend === true || (resumes && status.startTime !== undefined);
  if (old.startTime && changed('startTime') && !mayStartAnew) {
    const why = 'startTime cannot be removed for unsuspended job';
    errors.push(fieldError.required('status.startTime', why));
  }
  if (meetsCriteria(before) && !meetsCriteria(job)) {
    errors.push(conditionsError('cannot disable the SuccessCriteriaMet=True condition'));
  }
  if (isComplete(before) && !meetsCriteria(before) && meetsCriteria(job)) {
    const why = 'cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions';
    errors.push(conditionsError(why));
  }
}
