// Deletes Jobs of a CronJob: those that a new run replaces, and of those that ended the oldest, as
// many as the history may not hold.

import { isStatusError } from '@keelson/apimachinery';
import type { CronJobStatus, Job } from '@keelson/apimachinery/types/batch.v1';
import { errorText } from '../machinery/controller.ts';
import { finishedCondition } from '../job/conditions.ts';
import type { CronJobWork } from './cron-job-work.ts';
import { withoutActive } from './watch-jobs.ts';

/** The status afterwards. */
export async function deleteHistory(
  work: CronJobWork,
  jobs: readonly Job[],
): Promise<CronJobStatus> {
  const { spec, status = {} } = work.cronJob;
  const { successfulJobsHistoryLimit, failedJobsHistoryLimit } = spec;
  const surplus = (type: string, limit: number | undefined) =>
    limit === undefined ? [] : oldest(endedAs(jobs, type), limit);
  let left = status;
  for (const job of [
    ...surplus('Complete', successfulJobsHistoryLimit),
    ...surplus('Failed', failedJobsHistoryLimit),
  ])
    if (await deleteJob(work, job)) left = withoutActive(left, job.metadata.uid);
  return left;
}

/** False when the API refused; an event tells why. */
export async function deleteJob({ jobs, tell, signal }: CronJobWork, job: Job): Promise<boolean> {
  const { namespace = '', name = '', uid = '' } = job.metadata;
  try {
    const options = { preconditions: { uid }, propagationPolicy: 'Background', signal } as const;
    await jobs.namespace(namespace).delete(name, options);
  } catch (error) {
    if (isStatusError(error, 'NotFound')) return true;
    if (!signal.aborted) tell('Warning', 'FailedDelete', `Deleted job: ${errorText(error)}`);
    return false;
  }
  tell('Normal', 'SuccessfulDelete', `Deleted job ${name}`);
  return true;
}

function endedAs(jobs: readonly Job[], type: string): Job[] {
  return jobs.filter(
    (job) => finishedCondition(job)?.type === type && job.metadata.deletionTimestamp === undefined,
  );
}

/** All but the last `limit`, by when they started; what never started is youngest. */
function oldest(jobs: readonly Job[], limit: number): Job[] {
  const startOf = ({ status }: Job) => Date.parse(status?.startTime ?? '') || Infinity;
  const nameOf = ({ metadata }: Job) => metadata.name ?? '';
  const before = (a: Job, b: Job) => {
    const [startA, startB] = [startOf(a), startOf(b)];
    if (startA !== startB) return startA < startB ? -1 : 1;
    return nameOf(a) < nameOf(b) ? -1 : 1;
  };
  return jobs.toSorted(before).slice(0, Math.max(0, jobs.length - limit));
}
