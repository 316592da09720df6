// Deletes Jobs that ended, with their pods, when ttlSecondsAfterFinished have passed since.
// https://kubernetes.io/docs/concepts/workloads/controllers/ttlafterfinished/

import { isStatusError } from '@keelson/apimachinery';
import type { Job } from '@keelson/apimachinery/types/batch.v1';
import {
  keyOf,
  parseKey,
  type Controller,
  type ControllerContext,
} from '../machinery/controller.ts';
import { exponentialBuckets } from '../machinery/controller-metrics.ts';
import { createReconciler } from '../machinery/reconciler.ts';
import { jobsResource } from '../machinery/resources.ts';
import { finishedCondition } from '../job/conditions.ts';

const workers = 5;

export function createTtlAfterFinishedController(context: ControllerContext): Controller {
  const { client, informers, clock, metrics } = context;
  const deletionSeconds = metrics.histogram(
    'ttl_after_finished_controller_job_deletion_duration_seconds',
    '[ALPHA] The time it took to delete the job since it became eligible for deletion',
    exponentialBuckets(0.1, 2, 14),
  );
  const jobs = informers.informer<Job>(jobsResource);
  const live = client.resource<Job>(jobsResource);
  return createReconciler(context, {
    failure: 'Job not deleted after its time to live',
    queue: 'ttl_jobs_to_delete',
    workers,
    reads: [jobs],
    subscribe: (queue) => {
      const look = (job: Job) => {
        if (expiresAt(job) !== undefined) queue.add(keyOf(job));
      };
      return [jobs.addHandler({ onAdd: look, onUpdate: look })];
    },
    async reconcile(key, signal) {
      const { namespace, name } = parseKey(key);
      const leftMs = (job: Job | undefined) => {
        const time = job && expiresAt(job);
        return time === undefined ? undefined : time - clock.now();
      };
      const cachedMs = leftMs(jobs.store.get(namespace, name));
      if (cachedMs === undefined) return;
      if (cachedMs > 0) return { requeueAfterMs: cachedMs };
      try {
        // Asked of the server: the time to live may have been prolonged a moment ago.
        const job = await live.namespace(namespace).get(name, { signal });
        const liveMs = leftMs(job) ?? 1;
        if (liveMs > 0) return;
        const { uid = '', resourceVersion = '' } = job.metadata;
        const preconditions = { uid, resourceVersion };
        const propagationPolicy = 'Foreground';
        await live.namespace(namespace).delete(name, { preconditions, propagationPolicy, signal });
        deletionSeconds.observe({}, -liveMs / 1000);
      } catch (error) {
        if (!isStatusError(error, 'NotFound')) throw error;
      }
    },
  });
}

/** Milliseconds since 1970; undefined for a Job that has not ended, stays, or goes already. */
function expiresAt(job: Job): number | undefined {
  const { ttlSecondsAfterFinished: seconds } = job.spec;
  const end = Date.parse(finishedCondition(job)?.lastTransitionTime ?? '');
  const isGoing = job.metadata.deletionTimestamp !== undefined;
  return seconds === undefined || isGoing || Number.isNaN(end) ? undefined : end + seconds * 1000;
}
