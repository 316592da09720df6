// Starts the run of a CronJob that is due, if its concurrency policy and its deadline let it.

import {
  createCronSchedule,
  CronError,
  formatTime,
  isStatusError,
  timeZoneProblem,
  type CronSchedule,
} from '@keelson/apimachinery';
import type { CronJob, CronJobStatus, Job } from '@keelson/apimachinery/types/batch.v1';
import { errorText } from '../machinery/controller.ts';
import { isControlledBy } from '../machinery/ownership.ts';
import { isNamespaceTerminating } from '../machinery/status-causes.ts';
import type { CronJobWork } from './cron-job-work.ts';
import { deleteJob } from './delete-jobs.ts';
import { dueTime } from './due-times.ts';
import { jobOfRun, nameOfRun } from './job-of-run.ts';
import { isActive, referenceTo, withoutActive } from './watch-jobs.ts';

/** Undefined, told in an event, when the CronJob can never run as it is. */
export function scheduleOf({ spec }: CronJob, tell: CronJobWork['tell']): CronSchedule | undefined {
  const { schedule, timeZone } = spec;
  const problem = timeZone === undefined ? undefined : timeZoneProblem(timeZone);
  if (problem !== undefined) {
    const what = `invalid timeZone: ${JSON.stringify(timeZone)}: ${problem}`;
    tell('Warning', 'UnknownTimeZone', what);
    return undefined;
  }
  if (schedule.includes('TZ')) {
    const what =
      `CRON_TZ or TZ used in schedule ${JSON.stringify(schedule)} is not officially supported, ` +
      'see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details';
    tell('Warning', 'UnsupportedSchedule', what);
  }
  try {
    return createCronSchedule(schedule, timeZone);
  } catch (error) {
    if (!(error instanceof CronError)) throw error;
    const what = `unparseable schedule: ${JSON.stringify(schedule)} : ${error.message}`;
    tell('Warning', 'UnparseableSchedule', what);
    return undefined;
  }
}

/** The status afterwards. Throws what the API refused. */
export async function startDueRun(
  work: CronJobWork,
  schedule: CronSchedule,
  before: CronJobStatus,
): Promise<CronJobStatus> {
  const { cronJob, now, tell } = work;
  const { due, isFarBehind } = dueTime(cronJob, schedule, now);
  if (due === undefined) return before;
  if (isFarBehind) {
    const advice = 'Set or decrease .spec.startingDeadlineSeconds or check clock skew';
    tell('Warning', 'TooManyMissedTimes', `too many missed start times. ${advice}`);
  }
  const { startingDeadlineSeconds: seconds } = cronJob.spec;
  if (seconds !== undefined && due + Number(seconds) * 1000 < now) {
    const when = new Date(due).toUTCString().replace('GMT', '+0000');
    tell('Warning', 'MissSchedule', `Missed scheduled time to start a job: ${when}`);
    return before;
  }
  const { active = [], lastScheduleTime } = before;
  const name = nameOfRun(cronJob, due);
  if (active.some((job) => job.name === name) || lastScheduleTime === formatTime(due))
    return before;
  if (cronJob.spec.concurrencyPolicy === 'Forbid' && active.length > 0) {
    const why = 'prior execution is running and concurrency policy is Forbid';
    tell('Normal', 'JobAlreadyActive', `Not starting job because ${why}`);
    return before;
  }
  const status =
    cronJob.spec.concurrencyPolicy === 'Replace' ? await replace(work, before) : before;
  const job = await create(work, status, due);
  if (job === undefined) return status;
  const started = [...(status.active ?? []), referenceTo(job)];
  return { ...status, active: started, lastScheduleTime: formatTime(due) };
}

/** Deletes what is active. */
async function replace(work: CronJobWork, before: CronJobStatus): Promise<CronJobStatus> {
  let status = before;
  for (const { namespace = '', name = '', uid = '' } of before.active ?? []) {
    const job: Job = {
      metadata: { namespace, name, uid },
      spec: { template: { spec: { containers: [] } } },
    };
    if (!(await deleteJob(work, job)))
      throw new Error(`could not replace job ${namespace}/${name}`);
    status = withoutActive(status, uid);
  }
  return status;
}

/** Undefined when there is one of that name that the status has, or that is not ours. */
async function create(
  work: CronJobWork,
  before: CronJobStatus,
  due: number,
): Promise<Job | undefined> {
  const { cronJob, jobs, tell, observeSkew, signal } = work;
  const wanted = jobOfRun(cronJob, due, work.annotatesTime);
  const resource = jobs.namespace(cronJob.metadata.namespace ?? '');
  try {
    const job = await resource.create(wanted, { signal });
    tell('Normal', 'SuccessfulCreate', `Created job ${job.metadata.name}`);
    observeSkew((Date.parse(job.metadata.creationTimestamp ?? '') - due) / 1000);
    return job;
  } catch (error) {
    if (isStatusError(error, 'AlreadyExists')) {
      const job = await resource.get(wanted.metadata.name ?? '', { signal });
      return isControlledBy(job, cronJob) && !isActive(before, job.metadata) ? job : undefined;
    }
    if (!signal.aborted && !isNamespaceTerminating(error))
      tell('Warning', 'FailedCreate', `Error creating job: ${errorText(error)}`);
    throw error;
  }
}
