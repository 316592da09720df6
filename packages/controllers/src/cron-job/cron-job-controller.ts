// Starts a Job at each time of a CronJob's schedule, keeps an eye on those that run, and forgets the
// oldest of those that ended.
// https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/

import { isStatusError, type KubeObject } from '@keelson/apimachinery';
import type { CronJob, CronJobStatus, Job } from '@keelson/apimachinery/types/batch.v1';
import type { Informer } from '@keelson/client';
import type { Controller, ControllerContext } from '../machinery/controller.ts';
import { keyOf, parseKey } from '../machinery/controller.ts';
import { exponentialBuckets } from '../machinery/controller-metrics.ts';
import { createControllerEvents } from '../machinery/controller-events.ts';
import type { EventRecorder } from '../machinery/event-recorder.ts';
import { controllerOf, dependentsOf, indexByController } from '../machinery/ownership.ts';
import { createReconciler } from '../machinery/reconciler.ts';
import { cronJobsResource, jobsResource } from '../machinery/resources.ts';
import type { ReconcileResult } from '../machinery/run-controller.ts';
import { isSameStatus } from '../machinery/same-status.ts';
import { eventTarget } from '../pods/pod-control.ts';
import type { CronJobWork } from './cron-job-work.ts';
import { deleteHistory } from './delete-jobs.ts';
import { nextRunInMs } from './due-times.ts';
import { cronJobKind } from './job-of-run.ts';
import { scheduleOf, startDueRun } from './start-run.ts';
import { observeJobs } from './watch-jobs.ts';

const workers = 5;

interface Tools {
  readonly context: ControllerContext;
  readonly cronJobs: Informer<CronJob>;
  readonly jobs: Informer<Job>;
  readonly events: EventRecorder;
  readonly observeSkew: CronJobWork['observeSkew'];
}

export function createCronJobController(context: ControllerContext): Controller {
  const { informers } = context;
  const cronJobs = informers.informer<CronJob>(cronJobsResource);
  const jobs = informers.informer<Job>(jobsResource);
  indexByController(jobs);
  const events = createControllerEvents(context, 'cronjob-controller');
  const skew = context.metrics.histogram(
    'cronjob_controller_job_creation_skew_duration_seconds',
    '[STABLE] Time between when a cronjob is scheduled to be run, and when the corresponding job is created',
    exponentialBuckets(1, 2, 10),
  );
  const observeSkew = (seconds: number) => skew.observe({}, seconds);
  const tools: Tools = { context, cronJobs, jobs, events, observeSkew };
  return createReconciler(context, {
    failure: 'CronJob not reconciled',
    queue: 'cronjob',
    workers,
    reads: [cronJobs, jobs],
    subscribe: (queue) => {
      const enqueue = (object: KubeObject) => queue.add(keyOf(object));
      const enqueueOwner = (job: Job) => {
        const owner = controllerOf(job);
        const { namespace = '' } = job.metadata;
        const cronJob = owner?.kind === 'CronJob' && cronJobs.store.get(namespace, owner.name);
        if (cronJob && cronJob.metadata.uid === owner?.uid) enqueue(cronJob);
      };
      return [
        cronJobs.addHandler({
          onAdd: enqueue,
          onUpdate(cronJob, old) {
            // A new schedule counts from now: what it would have run before was never missed.
            const waitMs = isRescheduled(cronJob, old) ? waitOf(tools, cronJob) : 0;
            queue.addAfter(keyOf(cronJob), waitMs ?? 0);
          },
        }),
        jobs.addHandler({ onAdd: enqueueOwner, onUpdate: enqueueOwner, onDelete: enqueueOwner }),
      ];
    },
    reconcile: (key, signal) => reconcile(tools, key, signal),
  });
}

function isRescheduled({ spec }: CronJob, { spec: old }: CronJob): boolean {
  return spec.schedule !== old.schedule || spec.timeZone !== old.timeZone;
}

/** What is wrong with the schedule is told when it is looked at again. */
function waitOf({ context }: Tools, cronJob: CronJob): number | undefined {
  const schedule = scheduleOf(cronJob, () => {});
  return schedule && nextRunInMs(cronJob, schedule, context.clock.now());
}

function teller(events: EventRecorder, cronJob: CronJob): CronJobWork['tell'] {
  const about = eventTarget(cronJobKind, cronJob);
  return (type, reason, message) => events.record(about, { type, reason, message });
}

async function reconcile(tools: Tools, key: string, signal: AbortSignal): Promise<ReconcileResult> {
  const { context, cronJobs, jobs, events, observeSkew } = tools;
  const { namespace, name } = parseKey(key);
  const cronJob = cronJobs.store.get(namespace, name);
  if (cronJob === undefined) return;
  const work: CronJobWork = {
    cronJob,
    live: context.client.resource<CronJob>(cronJobsResource).namespace(namespace),
    jobs: context.client.resource<Job>(jobsResource),
    now: context.clock.now(),
    tell: teller(events, cronJob),
    observeSkew,
    annotatesTime: context.isEnabled('CronJobsScheduledAnnotation'),
    signal,
  };
  const own = dependentsOf(jobs, cronJob);
  // What is deleted first is not told as having ended as well.
  const observed = await observeJobs(work, own, await deleteHistory(work, own));
  const isOn = cronJob.metadata.deletionTimestamp === undefined && cronJob.spec.suspend !== true;
  const schedule = isOn ? scheduleOf(cronJob, work.tell) : undefined;
  if (schedule === undefined) return writeStatus(work, observed);
  if (schedule.next(work.now) === undefined) {
    const why = 'time difference between two schedules is less than 1 second';
    const what = `invalid schedule: ${cronJob.spec.schedule} : ${why}`;
    work.tell('Warning', 'InvalidSchedule', what);
    return writeStatus(work, observed);
  }
  const { status, error } = await startDueRun(work, schedule, observed).then(
    (after) => ({ status: after, error: undefined }),
    (why: unknown) => ({ status: observed, error: why }),
  );
  await writeStatus(work, status);
  if (error !== undefined) throw error;
  const waitMs = nextRunInMs({ ...cronJob, status }, schedule, work.now);
  return waitMs === undefined ? undefined : { requeueAfterMs: waitMs };
}

async function writeStatus(
  { cronJob, live, signal }: CronJobWork,
  status: CronJobStatus,
): Promise<void> {
  if (isSameStatus(cronJob.status, status)) return;
  try {
    await live.update({ ...cronJob, status }, { subresource: 'status', signal });
  } catch (error) {
    if (!isStatusError(error, 'NotFound')) throw error;
  }
}
