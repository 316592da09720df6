// What one reconciliation of a Job does to its pods: creates and deletes some while it goes on,
// deletes all that are left when it ends.

import type { Job, JobCondition } from '@keelson/apimachinery/types/batch.v1';
import type { Pod } from '@keelson/apimachinery/types/core.v1';
import { runInBatches } from '../machinery/slow-start.ts';
import type { PendingWrites } from '../machinery/pending-writes.ts';
import type { PodControl } from '../pods/pod-control.ts';
import { isPodReady } from '../pods/pod-state.ts';
import { completed, resumed, setCondition, suspended, type Outcome } from './conditions.ts';
import { podOfIndex, podOfJob } from './create-pod.ts';
import { isSuspended } from './job-pods.ts';
import type { JobObservation } from './observe-job.ts';
import type { SyncAction } from './job-metrics.ts';
import { planPods } from './plan-pods.ts';
import type { BackOff } from './pod-back-off.ts';
import type { PodReleases } from './release-pods.ts';

export interface PodWrites {
  readonly podControl: PodControl;
  readonly pending: PendingWrites;
  readonly releases: PodReleases;
  readonly signal: AbortSignal;
  /** The gate PodIndexLabel. */
  readonly labelsIndex: boolean;
  /** Of the Job, for the pending writes. */
  readonly key: string;
  /** Told of each pod that is created, or is refused. */
  readonly onCreate: (isCreated: boolean) => void;
}

/** How things stand afterwards. */
export interface JobStep {
  readonly active: number;
  readonly ready: number;
  readonly terminating: number;
  /** How the Job ends; nothing is left to be done about its pods then. */
  readonly outcome?: Outcome | undefined;
  readonly conditions: readonly JobCondition[];
  /** It starts, or starts again, now; or it is suspended, as if it had never started. */
  readonly start?: 'now' | 'forgotten';
  readonly event?: { readonly reason: string; readonly message: string };
  readonly waitMs?: number;
  readonly action: SyncAction;
  /** What the API refused; tried again later. */
  readonly error?: unknown;
}

/** The Job is over: whoever still runs has to go. */
export async function endPods(
  observation: JobObservation,
  outcome: Outcome,
  writes: PodWrites,
): Promise<JobStep> {
  const { job, active } = observation;
  const isSeen = writes.pending.areSeen(writes.key);
  const { deleted, error } = await deletePods(job, active, writes);
  const isOver = deleted.length === active.length && isSeen;
  return {
    ...standing(observation, deleted),
    ...(isOver && { outcome }),
    action: 'reconciling',
    conditions: job.status?.conditions ?? [],
    error,
  };
}

/** The Job goes on, or has all that it wanted. */
export async function continuePods(
  observation: JobObservation,
  backOff: BackOff,
  writes: PodWrites,
): Promise<JobStep> {
  const { job } = observation;
  const mayAct = writes.pending.areSeen(writes.key) && job.metadata.deletionTimestamp === undefined;
  const conditions = job.status?.conditions ?? [];
  const step: JobStep = mayAct
    ? await carryOut(observation, backOff, writes)
    : { ...standing(observation, []), conditions, action: 'reconciling' };
  if (hasAll(observation, step.active)) return { ...step, outcome: completed };
  if (!mayAct) return step;
  const text = isSuspended(job) ? suspended : resumed;
  const changed = setCondition(conditions, text, observation.now);
  if (changed === conditions) return isSuspended(job) ? { ...step, start: 'forgotten' } : step;
  const reason = isSuspended(job) ? 'Suspended' : 'Resumed';
  return {
    ...step,
    conditions: changed,
    start: isSuspended(job) ? 'forgotten' : 'now',
    event: { reason, message: text.message ?? '' },
  };
}

async function carryOut(
  observation: JobObservation,
  backOff: BackOff,
  writes: PodWrites,
): Promise<JobStep> {
  const { job } = observation;
  const conditions = job.status?.conditions ?? [];
  const plan = planPods(observation, backOff);
  switch (plan.action) {
    case 'delete': {
      const action = 'pods_deleted';
      // These have not failed: they are not wanted, so they must not be counted.
      for (const result of await Promise.allSettled(
        plan.pods.map((pod) => writes.releases.release(pod, writes.signal)),
      ))
        if (result.status === 'rejected')
          return { ...standing(observation, []), conditions, action, error: result.reason };
      const { deleted, error } = await deletePods(job, plan.pods, writes);
      return { ...standing(observation, deleted), conditions, action, error };
    }
    case 'create': {
      const { done, error } = await createPods(observation, plan.indexes, writes);
      const before = standing(observation, []);
      const action = 'pods_created';
      return { ...before, active: before.active + done, conditions, action, error };
    }
    case 'wait':
      return { ...standing(observation, []), conditions, action: 'tracking', waitMs: plan.ms };
    case 'nothing':
      return { ...standing(observation, []), conditions, action: 'tracking' };
  }
}

function standing({ active, ready, terminating }: JobObservation, deleted: readonly Pod[]) {
  return {
    active: active.length - deleted.length,
    ready: ready - deleted.filter(isPodReady).length,
    terminating: terminating + deleted.length,
  };
}

function hasAll({ job, succeeded }: JobObservation, active: number): boolean {
  return active === 0 && succeeded >= (job.spec.completions ?? 1);
}

function createPods(
  { job, indexes: known }: JobObservation,
  indexes: readonly (number | undefined)[],
  { podControl, pending, key, signal, labelsIndex, onCreate }: PodWrites,
) {
  return runInBatches(indexes.length, async (i) => {
    const index = indexes[i];
    const pod =
      index === undefined
        ? podOfJob(job)
        : podOfIndex(job, { index, replaced: known?.replaced.get(index), labelsIndex });
    let isCreated = false;
    try {
      pending.created(key, await podControl.create(job, pod, signal));
      isCreated = true;
    } finally {
      onCreate(isCreated);
    }
  });
}

async function deletePods(
  job: Job,
  pods: readonly Pod[],
  { podControl, pending, key, signal }: PodWrites,
): Promise<{ readonly deleted: readonly Pod[]; readonly error: unknown }> {
  const results = await Promise.allSettled(
    pods.map(async (pod) => {
      await podControl.delete(job, pod, signal);
      pending.deleted(key, pod);
    }),
  );
  return {
    deleted: pods.filter((_, i) => results[i]?.status === 'fulfilled'),
    error: results.find((result) => result.status === 'rejected')?.reason,
  };
}
