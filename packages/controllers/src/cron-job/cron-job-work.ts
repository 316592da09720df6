// What one reconciliation of a CronJob works with.

import type { CronJob, Job } from '@keelson/apimachinery/types/batch.v1';
import type { ResourceClient } from '@keelson/client';

export interface CronJobWork {
  readonly cronJob: CronJob;
  /** CronJobs of its namespace. */
  readonly live: ResourceClient<CronJob>;
  /** Of all namespaces. */
  readonly jobs: ResourceClient<Job>;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Records an event about the CronJob. */
  tell(type: 'Normal' | 'Warning', reason: string, message: string): void;
  /** The gate CronJobsScheduledAnnotation: Jobs say for when they were planned. */
  readonly annotatesTime: boolean;
  /** A Job was created so many seconds after it was due. */
  observeSkew(seconds: number): void;
  readonly signal: AbortSignal;
}
