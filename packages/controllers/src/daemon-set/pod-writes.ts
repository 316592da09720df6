// Carries out what a DaemonSet plans for its pods, and tells of those that ended.

import type { Pod } from '@keelson/apimachinery/types/core.v1';
import type { EventRecorder } from '../machinery/event-recorder.ts';
import type { PendingWrites } from '../machinery/pending-writes.ts';
import { runInBatches } from '../machinery/slow-start.ts';
import { eventTarget, type PodControl } from '../pods/pod-control.ts';
import { daemonPod, daemonSetKind } from './daemon-pod.ts';
import type { FailedPods } from './failed-pods.ts';
import { planNodes, planUpdate, type DaemonNodes, type PodPlan } from './plan-pods.ts';

/** Pods created or deleted in one go; the rest follows when these have been seen. */
const burstMax = 250;

export interface PodWrites {
  readonly events: EventRecorder;
  readonly podControl: PodControl;
  readonly pending: PendingWrites;
  readonly failedPods: FailedPods;
}

export interface CarriedOut {
  /** What was refused first. */
  readonly error?: unknown;
  /** Until a failed pod may go. */
  readonly waitMs?: number;
}

interface Reconciliation {
  /** Of the DaemonSet, for the pending writes. */
  readonly key: string;
  readonly signal: AbortSignal;
}

/** Nodes come first; the update goes on once each has what it should have. */
export async function carryOut(
  writes: PodWrites,
  state: DaemonNodes,
  { key, signal }: Reconciliation,
): Promise<CarriedOut> {
  if (!writes.pending.areSeen(key)) return {};
  const plan = planNodes(state);
  const { pods: ended, waitMs } = endedToDelete(writes, state, plan);
  const wait = waitMs === undefined ? {} : { waitMs };
  const remove = [...plan.delete, ...ended];
  const first = await change(writes, state, { create: plan.create, delete: remove, key, signal });
  if (first.error !== undefined || !writes.pending.areSeen(key)) return { ...first, ...wait };
  if (plan.create.length + remove.length > 0) return wait;
  const second = await change(writes, state, { ...planUpdate(state), key, signal });
  return { ...second, ...wait };
}

/** Tells of the pods that ended, and which of them may go now. */
function endedToDelete(
  { events, failedPods }: PodWrites,
  { daemonSet, now }: DaemonNodes,
  { ended }: PodPlan,
): { readonly pods: readonly Pod[]; readonly waitMs?: number } {
  const about = eventTarget(daemonSetKind, daemonSet);
  const pods: Pod[] = [];
  const waits: number[] = [];
  for (const { node, pod } of ended) {
    const isFailed = pod.status?.phase === 'Failed';
    const { uid = '', generation = 0 } = daemonSet.metadata;
    const delayMs = isFailed ? failedPods.delayMs(`${uid}/${generation}/${node}`, now) : 0;
    if (delayMs > 0) {
      waits.push(delayMs);
      continue;
    }
    pods.push(pod);
    const what = `daemon pod ${about.namespace}/${pod.metadata.name} on node ${node}`;
    events.record(
      about,
      isFailed
        ? {
            type: 'Warning',
            reason: 'FailedDaemonPod',
            message: `Found failed ${what}, will try to kill it`,
          }
        : {
            type: 'Normal',
            reason: 'SucceededDaemonPod',
            message: `Found succeeded ${what}, will try to delete it`,
          },
    );
  }
  return { pods, ...(waits.length > 0 && { waitMs: Math.min(...waits) }) };
}

interface Changes extends Pick<PodPlan, 'create' | 'delete'>, Reconciliation {}

async function change(
  { podControl, pending }: PodWrites,
  { daemonSet, hash }: DaemonNodes,
  { create, delete: remove, key, signal }: Changes,
): Promise<{ readonly error?: unknown }> {
  const created = await runInBatches(Math.min(create.length, burstMax), async (index) => {
    const pod = daemonPod(daemonSet, create[index] ?? '', hash);
    pending.created(key, await podControl.create(daemonSet, pod, signal));
  });
  const results = await Promise.allSettled(
    remove.slice(0, burstMax).map(async (pod) => {
      await podControl.delete(daemonSet, pod, signal);
      pending.deleted(key, pod);
    }),
  );
  const refused = results.find((result) => result.status === 'rejected');
  return { error: created.error ?? refused?.reason };
}
