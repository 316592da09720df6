// The conditions of a Job, as its controller sets them.

import { isConditionTrue } from '@keelson/apimachinery';
import type { Job } from '@keelson/apimachinery/types/batch.v1';

export function hasTrueCondition({ status }: Pick<Job, 'status'>, type: string): boolean {
  return isConditionTrue(status?.conditions, type);
}

export const isComplete = (job: Job) => hasTrueCondition(job, 'Complete');
export const isFailed = (job: Job) => hasTrueCondition(job, 'Failed');
export const isFinished = (job: Job) => isComplete(job) || isFailed(job);
