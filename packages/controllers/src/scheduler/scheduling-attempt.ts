// One attempt to place a pod: the cycle decides, and what it decided is carried out: the pod is bound,
// or told why it is not, and room is made for it.

import type { ControllerContext } from '../machinery/controller.ts';
import { errorText } from '../machinery/controller.ts';
import type { EventRecorder } from '../machinery/event-recorder.ts';
import type { AttemptResult, SchedulerMetrics } from './metrics/scheduler-metrics.ts';
import { placePod, type Placement } from './placement.ts';
import { writePodScheduled, type PodScheduledUpdate } from './pod-status.ts';
import type { QueuedPod } from './queue/queued-pod.ts';
import type { SchedulingQueue } from './queue/scheduling-queue.ts';
import type { SchedulerEvents } from './scheduler-events.ts';
import type { SchedulingCore } from './scheduling-core.ts';
import type { ScheduleResult } from './scheduling-cycle.ts';
import { profileFor, schedulerNameOf } from './scheduling-profile.ts';
import type { PodSummary } from './snapshot/pod-summary.ts';

export interface AttemptTools extends SchedulingCore {
  /** Feature gates of the emulated release. */
  readonly isEnabled: (gate: string) => boolean;
  readonly context: ControllerContext;
  readonly events: SchedulerEvents;
  readonly queue: SchedulingQueue;
  readonly metrics: SchedulerMetrics;
}

/** What was decided about a pod, or why nobody could decide. */
export type Decision =
  | { readonly result: ScheduleResult }
  | { readonly error: unknown }
  | { readonly isBeingDeleted: true };

export interface Attempt {
  readonly entry: QueuedPod;
  readonly decision: Decision;
  /** What was set aside for it already. */
  readonly placement?: Placement;
  /** Counts it, once. */
  readonly end: (result: AttemptResult) => void;
}

/** Counts from now on; the answer is called when something is decided. */
export function openAttempt(
  tools: AttemptTools,
  entry: QueuedPod,
): (decision: Decision) => Attempt {
  const end = countAttempt(tools, entry.pod);
  return (decision) => ({ entry, decision, end });
}

/** The cycle, at once; a promise only where extenders are asked. Neither throws nor rejects. */
export function beginAttempt(
  tools: AttemptTools,
  entry: QueuedPod,
  signal: AbortSignal,
): Attempt | Promise<Attempt> {
  const { metrics } = tools;
  const { pod } = entry;
  const attempt = openAttempt(tools, entry);
  if (pod.pod.metadata.deletionTimestamp !== undefined) return attempt({ isBeingDeleted: true });
  const start = metrics.now();
  const decided = (result: ScheduleResult) => {
    metrics.algorithm(metrics.now() - start);
    return attempt({ result });
  };
  try {
    const result = (profileFor(tools, pod.pod) ?? tools).cycle.decide(pod, signal);
    if (!(result instanceof Promise)) return decided(result);
    return result.then(decided, (error: unknown) => attempt({ error }));
  } catch (error) {
    return attempt({ error });
  }
}

/**
 * Carries out what was decided: what is reserved is so at once, what has to be written is waited for.
 * Never rejects.
 */
export async function finishAttempt(
  tools: AttemptTools,
  { entry, decision, end, placement }: Attempt,
  signal: AbortSignal,
): Promise<void> {
  const { cluster, nominated, queue } = tools;
  const { pod } = entry;
  try {
    if ('error' in decision) throw decision.error;
    if ('isBeingDeleted' in decision) {
      queue.remove(pod.uid);
      const message = `skip schedule deleting pod: ${pod.namespace}/${pod.name}`;
      return tell(tools, pod, { type: 'Warning', reason: 'FailedScheduling', message });
    }
    const { result } = decision;
    if (result.kind === 'node') {
      // Up to here nothing was waited for: no other cycle has seen the room that is taken now.
      const placed = placement ?? placePod(tools, pod, result.node);
      return (await bindPlaced(tools, entry, placed, signal)) ? end('scheduled') : undefined;
    }
    const { message, rejectedBy, nominatedNodeName, makeRoom } = result;
    end('unschedulable');
    queue.rejected(entry, rejectedBy.size === 0 ? new Set(['']) : rejectedBy);
    if (nominatedNodeName === '') nominated.remove(pod.uid);
    else if (nominatedNodeName !== undefined) nominated.put(pod, nominatedNodeName);
    const promise = nominatedNodeName !== undefined && { nominatedNodeName };
    // Not tried again before all victims have been told: some of them gone may look like too few.
    const release = makeRoom && queue.hold(entry);
    await report(tools, pod, { reason: 'Unschedulable', message, ...promise }, signal);
    const isDone = await carryOut(tools, makeRoom, signal);
    release?.();
    if (!isDone) queue.activate(entry);
  } catch (error) {
    if (signal.aborted) return;
    end('error');
    cluster.forget(pod.uid);
    nominated.remove(pod.uid);
    queue.failed(entry);
    const message = errorText(error);
    const update = { reason: 'SchedulerError', message, nominatedNodeName: '' } as const;
    await report(tools, pod, update, signal);
  }
}

/** False when it failed, wholly or in part. */
async function carryOut(
  { context }: AttemptTools,
  makeRoom: ((signal: AbortSignal) => Promise<void>) | undefined,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    await makeRoom?.(signal);
    return true;
  } catch (error) {
    if (!signal.aborted) context.log.warn('no room was made', { error: errorText(error) });
    return signal.aborted;
  }
}

function countAttempt({ metrics }: AttemptTools, { pod }: PodSummary) {
  const start = metrics.now();
  const profile = schedulerNameOf(pod.spec);
  let isOver = false;
  return (result: AttemptResult) => {
    // What fails while its outcome is written down has been counted.
    if (!isOver) metrics.attempt(result, profile, metrics.now() - start);
    isOver = true;
  };
}

/** Binds what was set aside. False when the pod is gone. */
async function bindPlaced(
  tools: AttemptTools,
  entry: QueuedPod,
  placement: Placement,
  signal: AbortSignal,
): Promise<boolean> {
  const { queue, metrics } = tools;
  const { pod } = entry;
  try {
    if (!(await placement.bind(signal))) return false;
  } catch (error) {
    // Room that was taken for a moment is free again.
    queue.happened({ kind: 'pod-deleted', pod: pod.pod });
    throw error;
  }
  queue.placed(entry);
  metrics.scheduled({ attempts: entry.attempts, waitedMs: metrics.now() - entry.addedAt });
  const message = `Successfully assigned ${pod.namespace}/${pod.name} to ${placement.nodeName}`;
  tell(tools, pod, { type: 'Normal', reason: 'Scheduled', message });
  return true;
}

/** A status that cannot be written is written with the next attempt. */
async function report(
  tools: AttemptTools,
  pod: PodSummary,
  update: PodScheduledUpdate,
  signal: AbortSignal,
): Promise<void> {
  const { client, clock, log } = tools.context;
  const { message } = update;
  tell(tools, pod, { type: 'Warning', reason: 'FailedScheduling', message });
  try {
    await writePodScheduled(client, pod.pod, update, { now: clock.now(), signal });
  } catch (error) {
    if (!signal.aborted) log.warn('status of a pod not written', { error: errorText(error) });
  }
}

/** Longer notes are refused by the API. */
const noteMax = 1024;

export function tell(
  { events }: Pick<AttemptTools, 'events'>,
  { pod }: PodSummary,
  event: Parameters<EventRecorder['record']>[1],
  schedulerName = schedulerNameOf(pod.spec),
) {
  const { namespace = '', name = '', uid = '' } = pod.metadata;
  const { message } = event;
  const note = message.length <= noteMax ? message : `${message.slice(0, noteMax - 4)} ...`;
  events
    .of(schedulerName)
    .record({ apiVersion: 'v1', kind: 'Pod', namespace, name, uid }, { ...event, message: note });
}
