// What a CronJob may ask for: a schedule, and a Job that could be made from its template.

import { CronError, fieldError, parseSchedule, timeZoneProblem } from '@keelson/apimachinery';
import type { CronJob, CronJobSpec, JobTemplateSpec } from '@keelson/apimachinery/types/batch.v1';
import type { Features } from '../../../features/features.ts';
import { nonNegative, required, requiredOneOf, type Errors } from '../../validation/checks.ts';
import { templateOptions } from '../../core/pod-spec/workload.ts';
import type { PodSpecOptions } from '../../core/pod-spec/scope.ts';
import { jobSpec } from '../jobs/validation.ts';

/** A name of a Job, 63 characters, less the `-` and ten digits that tell the Jobs apart. */
const nameLengthMax = 52;

export function validateCronJob(
  { metadata, spec }: CronJob,
  features: Features,
  old?: CronJob,
): Errors {
  const errors: Errors = [];
  const before = old?.spec;
  schedule(errors, 'spec.schedule', spec, before);
  nonNegative(errors, 'spec.startingDeadlineSeconds', spec.startingDeadlineSeconds);
  if (!before || before.timeZone !== spec.timeZone) {
    timeZone(errors, 'spec.timeZone', spec.timeZone);
  }
  const policies = ['Allow', 'Forbid', 'Replace'];
  requiredOneOf(errors, 'spec.concurrencyPolicy', spec.concurrencyPolicy, policies);
  const options = templateOptions(features, before?.jobTemplate.spec.template);
  jobTemplate(errors, 'spec.jobTemplate', spec.jobTemplate, options);
  nonNegative(errors, 'spec.successfulJobsHistoryLimit', spec.successfulJobsHistoryLimit);
  nonNegative(errors, 'spec.failedJobsHistoryLimit', spec.failedJobsHistoryLimit);
  if (!old && (metadata.name ?? '').length > nameLengthMax) {
    const why = `must be no more than ${nameLengthMax} characters`;
    errors.push(fieldError.invalid('metadata.name', metadata.name, why));
  }
  return errors;
}

function schedule(errors: Errors, path: string, spec: CronJobSpec, old?: CronJobSpec): void {
  const text = spec.schedule;
  if (!required(errors, path, text)) return;
  const problem = cronProblem(text);
  if (problem !== undefined) errors.push(fieldError.invalid(path, text, problem));
  if (!text.includes('TZ')) return;
  // A time zone in the schedule worked by chance once; who has one may keep it.
  if (!old?.schedule.includes('TZ')) {
    const why = 'cannot use TZ or CRON_TZ in schedule, use timeZone field instead';
    errors.push(fieldError.invalid(path, text, why));
  } else if (spec.timeZone !== undefined) {
    const why = 'cannot use both timeZone field and TZ or CRON_TZ in schedule';
    errors.push(fieldError.invalid(path, text, why));
  }
}

function cronProblem(text: string): string | undefined {
  try {
    parseSchedule(text);
    return undefined;
  } catch (error) {
    if (!(error instanceof CronError)) throw error;
    return error.message;
  }
}

function timeZone(errors: Errors, path: string, zone: string | undefined): void {
  if (zone === undefined) return;
  if (zone === '') {
    errors.push(fieldError.invalid(path, zone, 'timeZone must be nil or non-empty string'));
    return;
  }
  if (!zone.split('/').every(isZonePart)) {
    errors.push(fieldError.invalid(path, zone, `unknown time zone ${zone}`));
    return;
  }
  if (zone.toLowerCase() === 'local') {
    const why =
      'timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones';
    errors.push(fieldError.invalid(path, zone, why));
  }
  const problem = timeZoneProblem(zone);
  if (problem !== undefined) errors.push(fieldError.invalid(path, zone, problem));
}

const isZonePart = (part: string) =>
  /^[A-Za-z._0-9+-]{1,14}$/.test(part) && part !== '.' && part !== '..' && !part.startsWith('-');

function jobTemplate(
  errors: Errors,
  path: string,
  { spec }: JobTemplateSpec,
  options: PodSpecOptions,
): void {
  jobSpec(errors, `${path}.spec`, spec, options);
  // Every Job gets a selector of its own.
  if (spec.selector) {
    const why = '`selector` will be auto-generated';
    errors.push(fieldError.invalid(`${path}.spec.selector`, spec.selector, why));
  }
  if (spec.manualSelector === true) {
    const supported = ['nil', 'false'];
    errors.push(fieldError.notSupported(`${path}.spec.manualSelector`, true, supported));
  }
}
