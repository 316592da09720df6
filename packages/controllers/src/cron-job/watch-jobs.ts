// What a CronJob's status says of its Jobs: which are active, and when one last succeeded.

import { isStatusError, type ObjectMeta } from '@keelson/apimachinery';
import type { CronJob, CronJobStatus, Job } from '@keelson/apimachinery/types/batch.v1';
import type { ObjectReference } from '@keelson/apimachinery/types/core.v1';
import { finishedCondition, isFinished } from '../job/conditions.ts';
import type { CronJobWork } from './cron-job-work.ts';

export function referenceTo({ metadata }: Job): ObjectReference {
  const { namespace = '', name = '', uid = '', resourceVersion = '' } = metadata;
  return { apiVersion: 'batch/v1', kind: 'Job', namespace, name, uid, resourceVersion };
}
export function isActive({ active = [] }: CronJobStatus, { uid }: ObjectMeta): boolean {
  return active.some((reference) => reference.uid === uid);
}
export function withoutActive(status: CronJobStatus, uid: string | undefined): CronJobStatus {
  return { ...status, active: (status.active ?? []).filter((job) => job.uid !== uid) };
}

/** The status after a look at the Jobs; tells what happened to them in events. */
export async function observeJobs(
  work: CronJobWork,
  jobs: readonly Job[],
  before: CronJobStatus,
): Promise<CronJobStatus> {
  let status = before;
  for (const job of jobs) {
    const { name = '', uid } = job.metadata;
    const isKnown = isActive(status, job.metadata);
    if (!isKnown && !isFinished(job)) await tellOfForgotten(work, job);
    if (isKnown && isFinished(job)) {
      status = withoutActive(status, uid);
      const { type } = finishedCondition(job) ?? {};
      work.tell('Normal', 'SawCompletedJob', `Saw completed job: ${name}, condition: ${type}`);
    }
    status = withSuccess(status, job);
  }
  const uids = new Set(jobs.map(({ metadata }) => metadata.uid));
  for (const { uid, name = '', namespace = '' } of status.active ?? []) {
    // The cache may be behind, so the server decides what is missing.
    if (uids.has(uid) || (await isThere(work, namespace, name))) continue;
    work.tell('Normal', 'MissingJob', `Active job went missing: ${name}`);
    status = withoutActive(status, uid);
  }
  return status;
}

function withSuccess(status: CronJobStatus, job: Job): CronJobStatus {
  const { completionTime } = job.status ?? {};
  if (completionTime === undefined || finishedCondition(job)?.type !== 'Complete') return status;
  const isLater = (status.lastSuccessfulTime ?? '') < completionTime;
  return isLater ? { ...status, lastSuccessfulTime: completionTime } : status;
}

/** Only if the server's status does not have the Job either. */
async function tellOfForgotten({ live, cronJob, tell, signal }: CronJobWork, { metadata }: Job) {
  const current: CronJob = await live.get(cronJob.metadata.name ?? '', { signal });
  if (isActive(current.status ?? {}, metadata)) return;
  const what = `Saw a job that the controller did not create or forgot: ${metadata.name}`;
  tell('Warning', 'UnexpectedJob', what);
}

async function isThere({ jobs, signal }: CronJobWork, namespace: string, name: string) {
  try {
    await jobs.namespace(namespace).get(name, { signal });
    return true;
  } catch (error) {
    if (isStatusError(error, 'NotFound')) return false;
    throw error;
  }
}
