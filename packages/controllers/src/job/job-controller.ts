// Runs Jobs: pods until as many have succeeded as asked for, or one of the limits ends it. The
// status tells what was counted and, in the end, how it went.
// https://kubernetes.io/docs/concepts/workloads/controllers/job/

import { formatTime, isStatusError, type KubeObject } from '@keelson/apimachinery';
import type { Job, JobStatus } from '@keelson/apimachinery/types/batch.v1';
import type { Pod } from '@keelson/apimachinery/types/core.v1';
import type { Informer } from '@keelson/client';
import type { Controller, ControllerContext } from '../machinery/controller.ts';
import { keyOf, parseKey } from '../machinery/controller.ts';
import { createControllerEvents } from '../machinery/controller-events.ts';
import type { EventRecorder } from '../machinery/event-recorder.ts';
import { claimDependents, indexByController, tellOwners } from '../machinery/ownership.ts';
import { createPendingWrites, type PendingWrites } from '../machinery/pending-writes.ts';
import { createReconciler } from '../machinery/reconciler.ts';
import { jobsResource, podsResource } from '../machinery/resources.ts';
import type { ReconcileResult } from '../machinery/run-controller.ts';
import { isSameStatus } from '../machinery/same-status.ts';
import { createPodControl, eventTarget, type PodControl } from '../pods/pod-control.ts';
import { finalType, isFinished, setCondition, type Outcome } from './conditions.ts';
import { countPods, countReleased, hasUncounted } from './count-pods.ts';
import { deadlineInMs, decideOutcome } from './decide-outcome.ts';
import { isManagedElsewhere, jobComponent, jobKind, jobSelectorOf } from './job-kind.ts';
import { isSuspended, trackingFinalizer } from './job-pods.ts';
import { createJobMetrics, type JobMetrics, type SyncAction } from './job-metrics.ts';
import { observeJob, type JobObservation } from './observe-job.ts';
import { createOrphanPods } from './orphan-pods.ts';
import { backOffAfter, noBackOff, type BackOff } from './pod-back-off.ts';
import { createPodReleases, type PodReleases } from './release-pods.ts';
import { continuePods, endPods, type JobStep } from './run-job.ts';

const workers = 5;
/** Pods end in crowds: their changes are looked at together. */
const batchMs = 1_000;

interface Tools {
  readonly context: ControllerContext;
  readonly jobs: Informer<Job>;
  readonly pods: Informer<Pod>;
  readonly events: EventRecorder;
  readonly podControl: PodControl;
  readonly pending: PendingWrites;
  readonly releases: PodReleases;
  /** By key of the Job. */
  readonly backOffs: Map<string, BackOff>;
  readonly metrics: JobMetrics;
}

export function createJobController(context: ControllerContext): Controller {
  const { client, informers, clock } = context;
  const jobs = informers.informer<Job>(jobsResource);
  const pods = informers.informer<Pod>(podsResource);
  indexByController(pods);
  const events = createControllerEvents(context, jobComponent);
  const tools: Tools = {
    context,
    jobs,
    pods,
    events,
    podControl: createPodControl({ client, events, ownerKind: jobKind }),
    pending: createPendingWrites(pods, clock),
    releases: createPodReleases(client, pods),
    backOffs: new Map(),
    metrics: createJobMetrics(context),
  };
  const running = [
    createJobReconciler(tools),
    createOrphanPods(context, { jobs, pods, releases: tools.releases }),
  ];
  return {
    run: async (signal) => {
      await Promise.all(running.map((controller) => controller.run(signal)));
    },
  };
}

function createJobReconciler(tools: Tools): Controller {
  const { context, jobs, pods, releases, metrics } = tools;
  return createReconciler(context, {
    failure: 'Job not reconciled',
    queue: 'job',
    workers,
    reads: [jobs, pods],
    subscribe: (queue) => {
      const soon = (job: KubeObject) => queue.addAfter(keyOf(job), batchMs);
      const now = (job: KubeObject) => queue.add(keyOf(job));
      return [
        releases.watch(),
        pods.addHandler({
          onAdd: (pod) => metrics.seen(undefined, pod),
          onUpdate: (pod, old) => metrics.seen(old, pod),
          onDelete: (pod) => metrics.seen(pod, undefined),
        }),
        jobs.addHandler({
          onAdd(job) {
            const { managedBy } = job.spec;
            if (managedBy !== undefined && isManagedElsewhere(job.spec)) metrics.leftTo(managedBy);
            now(job);
          },
          // Only a change of the spec is worth hurrying.
          onUpdate: (job, old) =>
            job.metadata.generation === old.metadata.generation ? soon(job) : now(job),
          onDelete: now,
        }),
        pods.addHandler(tellOwners(jobs, jobSelectorOf, soon)),
      ];
    },
    reconcile: (key, signal) => reconcile(tools, key, signal),
  });
}

async function reconcile(tools: Tools, key: string, signal: AbortSignal): Promise<ReconcileResult> {
  const { context, jobs, pending, backOffs, metrics } = tools;
  const { namespace, name } = parseKey(key);
  const stored = jobs.store.get(namespace, name);
  if (stored === undefined) pending.forget(key);
  if (stored === undefined || isFinished(stored)) return void backOffs.delete(key);
  if (isManagedElsewhere(stored.spec)) return;
  const { clock } = context;
  const startedMs = clock.monotonic();
  const measure = (action: SyncAction, isSuccess: boolean) =>
    metrics.synced(stored, { action, isSuccess, seconds: (clock.monotonic() - startedMs) / 1000 });
  let action: SyncAction = 'reconciling';
  try {
    const result = await sync(tools, { key, stored, signal }, (done) => (action = done));
    measure(action, true);
    return result;
  } catch (error) {
    measure(action, false);
    throw error;
  }
}

interface Sync {
  readonly key: string;
  readonly stored: Job;
  readonly signal: AbortSignal;
}

async function sync(
  tools: Tools,
  { key, stored, signal }: Sync,
  onAction: (action: SyncAction) => void,
): Promise<ReconcileResult> {
  const { context, pods, pending, backOffs, releases, podControl } = tools;
  const claimed = await claimDependents<Pod>({
    client: context.client,
    ownerKind: jobKind,
    owner: stored,
    selector: jobSelectorOf(stored),
    dependents: pods,
    dependentResource: podsResource,
    finalizers: [trackingFinalizer],
    signal,
  });
  const now = context.clock.now();
  const { isTracked } = releases;
  const observation = observeJob(started(stored, now), { pods: claimed, isTracked }, now);
  const { newlySucceeded, newlyFailed } = observation;
  const backOff = backOffAfter(backOffs.get(key) ?? noBackOff, newlySucceeded, newlyFailed);
  const outcome = decideOutcome(observation);
  const labelsIndex = context.isEnabled('PodIndexLabel');
  const onCreate = (isCreated: boolean) => tools.metrics.made(observation, isCreated);
  const writes = { podControl, pending, releases, signal, labelsIndex, key, onCreate };
  const step =
    outcome === undefined
      ? await continuePods(observation, backOff, writes)
      : await endPods(observation, outcome, writes);
  onAction(step.action);
  await account(tools, { stored, observation, step, signal }, () => backOffs.set(key, backOff));
  if (step.error !== undefined) throw step.error;
  return whenNext(observation, step);
}

/** The time counts from when it is first seen not suspended. */
function started(job: Job, now: number): Job {
  if (job.status?.startTime !== undefined || isSuspended(job)) return job;
  return { ...job, status: { ...job.status, startTime: formatTime(now) } };
}

function whenNext({ job, now }: JobObservation, step: JobStep): ReconcileResult {
  const waits = [step.waitMs, step.outcome === undefined ? deadlineInMs(job, now) : undefined];
  const ms = Math.min(...waits.filter((wait) => wait !== undefined));
  return ms === Infinity ? undefined : { requeueAfterMs: Math.max(0, ms) };
}

interface Accounting {
  readonly stored: Job;
  readonly observation: JobObservation;
  readonly step: JobStep;
  readonly signal: AbortSignal;
}

/** Writes the status, takes off finalizers, and writes again what that allows to say. */
async function account(
  tools: Tools,
  { stored, observation, step, signal }: Accounting,
  onCounted: () => void,
): Promise<void> {
  const { events, releases, context, metrics } = tools;
  const about = eventTarget(jobKind, stored);
  const { outcome, event } = step;
  const { status: counted, release, isPartial } = countPods(observation, outcome);
  const first = statusAfter(context, observation, counted, step);
  const write = (job: Job, status: JobStatus) => writeStatus(context, { ...job, status }, signal);
  const isChanged = !isSameStatus(stored.status, first);
  const written = isChanged ? await write(stored, first) : stored;
  if (written === undefined) return;
  onCounted();
  if (event !== undefined) events.record(about, { type: 'Normal', ...event });
  const results = await Promise.allSettled(release.map((pod) => releases.release(pod, signal)));
  const missed = new Set(release.filter((_, i) => results[i]?.status === 'rejected'));
  const tracked = observation.tracked.filter((pod) => !release.includes(pod) || missed.has(pod));
  const second = countReleased(first, tracked);
  const isOver =
    outcome !== undefined && !isPartial && !hasUncounted(second) && step.terminating === 0;
  const last = isOver ? finalStatus(second, outcome, observation.now) : second;
  const isWritten = !isSameStatus(first, last) && (await write(written, last)) !== undefined;
  metrics.judged(
    stored,
    release.filter((pod) => !missed.has(pod)),
  );
  metrics.counted(stored, stored.status, isWritten ? last : first);
  if (isWritten && isOver) tellEnd(tools, { ...stored, status: last }, outcome);
  const failure = results.find((result) => result.status === 'rejected');
  if (failure !== undefined) throw failure.reason;
}

function statusAfter(
  { isEnabled }: ControllerContext,
  { now }: JobObservation,
  { startTime, ...counted }: JobStatus,
  step: JobStep,
): JobStatus {
  const { active, ready, terminating, outcome } = step;
  const conditions =
    outcome === undefined
      ? step.conditions
      : setCondition(step.conditions, { ...outcome, status: 'True' }, now);
  const isForgotten =
    step.start === 'forgotten' && isEnabled('MutableSchedulingDirectivesForSuspendedJobs');
  const start = step.start === 'now' ? formatTime(now) : isForgotten ? undefined : startTime;
  return {
    ...counted,
    ...(start !== undefined && { startTime: start }),
    active,
    ready,
    ...(isEnabled('JobPodReplacementPolicy') && { terminating }),
    ...(conditions.length > 0 && { conditions: [...conditions] }),
  };
}

function finalStatus(status: JobStatus, outcome: Outcome, now: number): JobStatus {
  const { reason, message } = outcome;
  const text = { type: finalType(outcome), status: 'True', reason, message };
  return {
    // A Job may end while it is suspended, and none may without having started.
    startTime: formatTime(now),
    ...status,
    conditions: [...setCondition(status.conditions ?? [], text, now)],
    ...(text.type === 'Complete' && { completionTime: formatTime(now) }),
  };
}

function tellEnd({ events, metrics }: Tools, job: Job, outcome: Outcome): void {
  const about = eventTarget(jobKind, job);
  const { reason, message } = outcome;
  const hasFailed = finalType(outcome) === 'Failed';
  metrics.finished(job, { result: hasFailed ? 'failed' : 'succeeded', reason });
  if (hasFailed) return events.record(about, { type: 'Warning', reason, message });
  const { completions } = job.spec;
  if (completions !== undefined && (job.status?.succeeded ?? 0) > completions) {
    const tooMany = 'Too many succeeded pods running after completion count reached';
    events.record(about, { type: 'Warning', reason: 'TooManySucceededPods', message: tooMany });
  }
  events.record(about, { type: 'Normal', reason: 'Completed', message: 'Job completed' });
}

/** Undefined when the Job is gone. Throws a conflict when the cache was behind. */
async function writeStatus(
  { client }: ControllerContext,
  job: Job,
  signal: AbortSignal,
): Promise<Job | undefined> {
  const jobs = client.resource<Job>(jobsResource).namespace(job.metadata.namespace ?? '');
  try {
    return await jobs.update(job, { subresource: 'status', signal });
  } catch (error) {
    if (isStatusError(error, 'NotFound')) return undefined;
    throw error;
  }
}
