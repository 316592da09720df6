// The Job of one run: the template, named after the minute for which the run was planned, so that no
// run can have two Jobs.

import { formatZonedTime } from '@keelson/apimachinery';
import type { CronJob, Job } from '@keelson/apimachinery/types/batch.v1';
import { controllerReference, type OwnerKind } from '../machinery/ownership.ts';
import { cronJobsResource } from '../machinery/resources.ts';

export const cronJobKind: OwnerKind = {
  apiVersion: 'batch/v1',
  kind: 'CronJob',
  resource: cronJobsResource,
};
const scheduledKey = 'batch.kubernetes.io/cronjob-scheduled-timestamp';

/** `scheduledMs` since 1970. */
export function nameOfRun({ metadata }: CronJob, scheduledMs: number): string {
  return `${metadata.name ?? ''}-${Math.floor(scheduledMs / 60_000)}`;
}

export function jobOfRun(cronJob: CronJob, scheduledMs: number, annotatesTime: boolean): Job {
  const { jobTemplate, timeZone = 'UTC' } = cronJob.spec;
  const { labels = {}, annotations = {} } = jobTemplate.metadata ?? {};
  const scheduled = { [scheduledKey]: formatZonedTime(scheduledMs, timeZone) };
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name: nameOfRun(cronJob, scheduledMs),
      labels: { ...labels },
      annotations: { ...annotations, ...(annotatesTime && scheduled) },
      ownerReferences: [controllerReference(cronJobKind, cronJob)],
    },
    spec: structuredClone(jobTemplate.spec),
  };
}
