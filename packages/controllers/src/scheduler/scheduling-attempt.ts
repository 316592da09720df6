// One attempt to place a pod: the cycle decides, and what it decided is carried out: the pod is bound,
// or told why it is not, and room is made for it.

import type { ControllerContext } from '../machinery/controller.ts';
import { errorText } from '../machinery/controller.ts';
import type { EventRecorder } from '../machinery/event-recorder.ts';
import { bindPod } from './bind-pod.ts';
import type { Reservation } from './framework.ts';
import type { AttemptResult, SchedulerMetrics, TimedPoint } from './metrics/scheduler-metrics.ts';
import { writePodScheduled, type PodScheduledUpdate } from './pod-status.ts';
import type { QueuedPod } from './queue/queued-pod.ts';
import type { SchedulingQueue } from './queue/scheduling-queue.ts';
import type { SchedulerEvents } from './scheduler-events.ts';
import type { SchedulingCore } from './scheduling-core.ts';
import { profileFor, schedulerNameOf } from './scheduling-profile.ts';
import type { NodeState } from './snapshot/node-state.ts';
import type { PodSummary } from './snapshot/pod-summary.ts';

export interface AttemptTools extends SchedulingCore {
  readonly context: ControllerContext;
  readonly events: SchedulerEvents;
  readonly queue: SchedulingQueue;
  readonly metrics: SchedulerMetrics;
}

/** The cycle runs at once; what it takes to write down its outcome is waited for. Never rejects. */
export async function attempt(
  tools: AttemptTools,
  entry: QueuedPod,
  signal: AbortSignal,
): Promise<void> {
  const { cluster, nominated, queue, context, metrics } = tools;
  const { pod } = entry;
  const end = beginAttempt(tools, pod);
  try {
    if (pod.pod.metadata.deletionTimestamp !== undefined) {
      queue.rejected(entry, new Set(['SchedulingGates']));
      const message = `skip schedule deleting pod: ${pod.namespace}/${pod.name}`;
      return tell(tools, pod, { type: 'Warning', reason: 'FailedScheduling', message });
    }
    const profile = profileFor(tools, pod.pod) ?? tools;
    const start = metrics.now();
    const result = profile.cycle.schedule(pod);
    metrics.algorithm(metrics.now() - start);
    if (result.kind === 'node') {
      const { plugins } = profile;
      const isPlaced = await place({ ...tools, plugins }, entry, result.node, signal);
      return isPlaced ? end('scheduled') : undefined;
    }
    const { message, rejectedBy, nominatedNodeName, makeRoom } = result;
    end('unschedulable');
    queue.rejected(entry, rejectedBy.size === 0 ? new Set(['']) : rejectedBy);
    if (nominatedNodeName === undefined) nominated.remove(pod.uid);
    else nominated.put(pod, nominatedNodeName);
    await report(
      tools,
      pod,
      { reason: 'Unschedulable', message, nominatedNodeName: nominatedNodeName ?? '' },
      signal,
    );
    await makeRoom?.(signal);
  } catch (error) {
    if (signal.aborted) return;
    end('error');
    cluster.forget(pod.uid);
    queue.failed(entry);
    const update: PodScheduledUpdate = { reason: 'SchedulerError', message: errorText(error) };
    await report(tools, pod, update, signal).catch((failure: unknown) =>
      context.log.warn('status of a pod not written', { error: errorText(failure) }),
    );
  }
}

function beginAttempt({ metrics }: AttemptTools, { pod }: PodSummary) {
  const start = metrics.now();
  const profile = schedulerNameOf(pod.spec);
  let isOver = false;
  return (result: AttemptResult) => {
    // What fails while its outcome is written down has been counted.
    if (!isOver) metrics.attempt(result, profile, metrics.now() - start);
    isOver = true;
  };
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
  const reservations: Reservation[] = [];
  const profile = schedulerNameOf(pod.pod.spec);
  let point: TimedPoint = 'Reserve';
  let start = metrics.now();
  const done = (next: TimedPoint) => {
    metrics.point(point, 'Success', profile, metrics.now() - start);
    [point, start] = [next, metrics.now()];
  };
  const takeBack = () => {
    for (const { unreserve } of reservations.toReversed()) unreserve();
    cluster.forget(pod.uid);
  };
  try {
    for (const plugin of plugins) {
      const reserved = plugin.reserve?.(pod, node);
      if (reserved !== undefined) reservations.push(reserved);
    }
    cluster.assume(pod, node.name);
    done('PreBind');
    for (const { preBind } of reservations) await preBind?.(signal);
    done('Bind');
    const bound = await bindPod(context.client, pod, node.name, signal);
    if (!bound) {
      takeBack();
      return false;
    }
    done('Bind');
  } catch (error) {
    metrics.point(point, 'Error', profile, metrics.now() - start);
    takeBack();
    // Room that was taken for a moment is free again.
    queue.happened({ kind: 'pod-deleted', pod: pod.pod });
    throw error;
  }
  nominated.remove(pod.uid);
  queue.placed(entry);
  metrics.scheduled({ attempts: entry.attempts, waitedMs: metrics.now() - entry.addedAt });
  const message = `Successfully assigned ${pod.namespace}/${pod.name} to ${node.name}`;
  tell(tools, pod, { type: 'Normal', reason: 'Scheduled', message });
  return true;
}

async function report(
  tools: AttemptTools,
  pod: PodSummary,
  update: PodScheduledUpdate,
  signal: AbortSignal,
): Promise<void> {
  const { client, clock } = tools.context;
  const { message } = update;
  tell(tools, pod, { type: 'Warning', reason: 'FailedScheduling', message });
  await writePodScheduled(client, pod.pod, update, { now: clock.now(), signal });
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
