// A pod on the node that was chosen for it: set aside at once, so that no other cycle sees the room as
// free; bound when that has been written, or taken back.

import { errorText } from '../machinery/controller.ts';
import { bindPod } from './bind-pod.ts';
import { bindByExtender } from './extenders/ask-extenders.ts';
import { runningError, type Reservation, type SchedulerPlugin } from './framework.ts';
import type { TimedPoint } from './metrics/scheduler-metrics.ts';
import { writeExpectedNode } from './pod-status.ts';
import type { AttemptTools } from './scheduling-attempt.ts';
import { profileFor, schedulerNameOf } from './scheduling-profile.ts';
import type { NodeState } from './snapshot/node-state.ts';
import type { PodSummary } from './snapshot/pod-summary.ts';

export interface Placement {
  readonly nodeName: string;
  /** False when the pod is gone. When it is false or throws, everything has been taken back. */
  bind(signal: AbortSignal): Promise<boolean>;
  /** In memory at once; then what was written. Never rejects. */
  takeBack(signal: AbortSignal): Promise<void>;
}

type PlacementTools = Pick<
  AttemptTools,
  | 'cluster'
  | 'nominated'
  | 'context'
  | 'metrics'
  | 'extenders'
  | 'plugins'
  | 'profileOf'
  | 'isEnabled'
>;

interface NamedReservation extends Reservation {
  readonly plugin: string;
}

/** Throws when a plugin cannot set it aside any more; then nothing is. */
export function placePod(tools: PlacementTools, pod: PodSummary, node: NodeState): Placement {
  const { cluster, nominated, context, metrics } = tools;
  const { plugins } = profileFor(tools, pod.pod) ?? tools;
  const reservations: NamedReservation[] = [];
  const profile = schedulerNameOf(pod.pod.spec);
  let point: TimedPoint = 'Reserve';
  let start = metrics.now();
  const done = (next: TimedPoint) => {
    metrics.point(point, 'Success', profile, metrics.now() - start);
    [point, start] = [next, metrics.now()];
  };
  const failed = () => metrics.point(point, 'Error', profile, metrics.now() - start);
  const takeBack = async (signal: AbortSignal) => {
    for (const { unreserve } of reservations.toReversed()) unreserve();
    cluster.forget(pod.uid);
    for (const { revoke } of reservations.toReversed())
      await revoke?.(signal).catch((error: unknown) =>
        context.log.warn('a reservation not taken back', { error: errorText(error) }),
      );
  };
  try {
    reserveAll(plugins, { pod, node }, reservations);
  } catch (error) {
    failed();
    for (const { unreserve } of reservations.toReversed()) unreserve();
    throw error;
  }
  cluster.assume(pod, node.name);
  nominated.remove(pod.uid);
  done('PreBind');
  return {
    nodeName: node.name,
    takeBack,
    async bind(signal) {
      try {
        if (reservations.some(({ preBind }) => preBind !== undefined))
          await announce(tools, { pod, nodeName: node.name }, signal);
        for (const { preBind, plugin } of reservations)
          await running('PreBind', plugin, () => preBind?.(signal));
        done('Bind');
        const isBound = await bind(tools, { pod, nodeName: node.name }, signal);
        if (isBound) done('Bind');
        else await takeBack(signal);
        return isBound;
      } catch (error) {
        failed();
        await takeBack(signal);
        throw error;
      }
    },
  };
}

/** A pod that is bound at once needs no announcement; the binding does not wait for one that fails. */
async function announce(
  { context: { client, log }, isEnabled }: PlacementTools,
  { pod: { pod }, nodeName }: { readonly pod: PodSummary; readonly nodeName: string },
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
  { extenders, context }: PlacementTools,
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
  plugins: readonly SchedulerPlugin[],
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
