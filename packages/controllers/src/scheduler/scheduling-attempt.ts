// One attempt to place a pod: the cycle decides, and what it decided is carried out: the pod is bound,
// or told why it is not, and room is made for it.

import type { ControllerContext } from '../machinery/controller.ts';
import { errorText } from '../machinery/controller.ts';
import type { EventRecorder } from '../machinery/event-recorder.ts';
import { bindPod } from './bind-pod.ts';
import { bindByExtender } from './extenders/ask-extenders.ts';
import { runningError, type Reservation } from './framework.ts';
import type { AttemptResult, SchedulerMetrics, TimedPoint } from './metrics/scheduler-metrics.ts';
import { writeExpectedNode, writePodScheduled, type PodScheduledUpdate } from './pod-status.ts';
import type { QueuedPod } from './queue/queued-pod.ts';
import type { SchedulingQueue } from './queue/scheduling-queue.ts';
import type { SchedulerEvents } from './scheduler-events.ts';
import type { SchedulingCore } from './scheduling-core.ts';
import type { ScheduleResult } from './scheduling-cycle.ts';
import { profileFor, schedulerNameOf } from './scheduling-profile.ts';
import type { NodeState } from './snapshot/node-state.ts';
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
type Decision =
  | { readonly result: ScheduleResult }
  | { readonly error: unknown }
  | { readonly isBeingDeleted: true };

export interface Attempt {
  readonly entry: QueuedPod;
  readonly decision: Decision;
  /** Counts it, once. */
  readonly end: (result: AttemptResult) => void;
}

/** The cycle, at once; a promise only where extenders are asked. Neither throws nor rejects. */
export function beginAttempt(
  tools: AttemptTools,
  entry: QueuedPod,
  signal: AbortSignal,
): Attempt | Promise<Attempt> {
  const { metrics } = tools;
  const { pod } = entry;
  const end = countAttempt(tools, pod);
  const attempt = (decision: Decision): Attempt => ({ entry, decision, end });
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
  { entry, decision, end }: Attempt,
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
      const { plugins } = profileFor(tools, pod.pod) ?? tools;
      const isPlaced = await place({ ...tools, plugins }, entry, result.node, signal);
      return isPlaced ? end('scheduled') : undefined;
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

interface NamedReservation extends Reservation {
  readonly plugin: string;
}

/** False when the pod is gone. */
async function place(
  tools: AttemptTools,
  entry: QueuedPod,
  node: NodeState,
  signal: AbortSignal,
): Promise<boolean> {
  const { plugins, cluster, nominated, queue, context, metrics } = tools;
  const { pod } = entry;
  const reservations: NamedReservation[] = [];
  const profile = schedulerNameOf(pod.pod.spec);
  let point: TimedPoint = 'Reserve';
  let start = metrics.now();
  const done = (next: TimedPoint) => {
    metrics.point(point, 'Success', profile, metrics.now() - start);
    [point, start] = [next, metrics.now()];
  };
  const takeBack = async () => {
    for (const { unreserve } of reservations.toReversed()) unreserve();
    cluster.forget(pod.uid);
    for (const { revoke } of reservations.toReversed())
      await revoke?.(signal).catch((error: unknown) =>
        context.log.warn('a reservation not taken back', { error: errorText(error) }),
      );
  };
  try {
    // Up to here nothing was waited for: no other cycle has seen the room that is taken now.
    reserveAll(plugins, { pod, node }, reservations);
    cluster.assume(pod, node.name);
    nominated.remove(pod.uid);
    done('PreBind');
    if (reservations.some(({ preBind }) => preBind !== undefined))
      await announce(tools, pod, node.name, signal);
    for (const { preBind, plugin } of reservations)
      await running('PreBind', plugin, () => preBind?.(signal));
    done('Bind');
    const bound = await bind(tools, { pod, nodeName: node.name }, signal);
    if (!bound) {
      await takeBack();
      return false;
    }
    done('Bind');
  } catch (error) {
    metrics.point(point, 'Error', profile, metrics.now() - start);
    await takeBack();
    // Room that was taken for a moment is free again.
    queue.happened({ kind: 'pod-deleted', pod: pod.pod });
    throw error;
  }
  queue.placed(entry);
  metrics.scheduled({ attempts: entry.attempts, waitedMs: metrics.now() - entry.addedAt });
  const message = `Successfully assigned ${pod.namespace}/${pod.name} to ${node.name}`;
  tell(tools, pod, { type: 'Normal', reason: 'Scheduled', message });
  return true;
}

/** A pod that is bound at once needs no announcement; the binding does not wait for one that fails. */
async function announce(
  { context: { client, log }, isEnabled }: AttemptTools,
  { pod }: PodSummary,
  nodeName: string,
  signal: AbortSignal,
): Promise<void> {
  if (!isEnabled('NominatedNodeNameForExpectation')) return;
  try {
    await writeExpectedNode(client, pod, nodeName, signal);
  } catch (error) {
    if (!signal.aborted) log.warn('expected node not written', { error: errorText(error) });
  }
}

/** By an extender that binds such pods, or by the scheduler itself. False when the pod is gone. */
async function bind(
  { extenders, context }: AttemptTools,
  binding: { readonly pod: PodSummary; readonly nodeName: string },
  signal: AbortSignal,
): Promise<boolean> {
  if (extenders !== undefined && (await bindByExtender(extenders, binding, signal))) return true;
  const bound = await running('Bind', 'DefaultBinder', () =>
    bindPod(context.client, binding.pod, binding.nodeName, signal),
  );
  return bound === true;
}

function reserveAll(
  plugins: AttemptTools['plugins'],
  { pod, node }: { readonly pod: PodSummary; readonly node: NodeState },
  reservations: NamedReservation[],
): void {
  for (const { name: plugin, reserve } of plugins) {
    try {
      const reserved = reserve?.(pod, node);
      if (reserved !== undefined) reservations.push({ ...reserved, plugin });
    } catch (cause) {
      throw runningError('Reserve', plugin, cause);
    }
  }
}

async function running<T>(point: TimedPoint, plugin: string, run: () => Promise<T> | undefined) {
  try {
    return await run();
  } catch (cause) {
    throw runningError(point, plugin, cause);
  }
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
