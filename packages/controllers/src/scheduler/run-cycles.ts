// Takes one pod after the other from the queue, or a group of pods at once, and lets what was decided
// about it be written beside the next ones.

import { nextTurn } from '@keelson/apimachinery';
import { attemptGroup } from './gangs/group-attempt.ts';
import { groupNameOf, type PodGroupTracker } from './gangs/pod-group-tracker.ts';
import type { QueuedPod } from './queue/queued-pod.ts';
import {
  beginAttempt,
  finishAttempt,
  type Attempt,
  type AttemptTools,
} from './scheduling-attempt.ts';

/** Cycles in a row before others get a turn. */
const cyclesPerTurn = 8;
/** Bindings under way; more wait, so that the server is not overrun. */
const bindingsMax = 128;

export interface CycleTools extends AttemptTools {
  readonly groups: PodGroupTracker | undefined;
}

/** Until the signal is aborted and nothing is under way any more. */
export async function runCycles(tools: CycleTools, signal: AbortSignal): Promise<void> {
  const { queue } = tools;
  const underWay = new Set<Promise<void>>();
  for (let cycles = 1; !signal.aborted; cycles++) {
    const entry = queue.pop();
    if (entry === undefined) {
      await queue.wait(signal);
      continue;
    }
    const cycle = runCycle(tools, entry, signal);
    const { rest } = cycle instanceof Promise ? await cycle : cycle;
    const finished: Promise<void> = rest.finally(() => underWay.delete(finished));
    underWay.add(finished);
    if (underWay.size >= bindingsMax) await Promise.race(underWay);
    else if (cycles % cyclesPerTurn === 0) await nextTurn();
  }
  await Promise.all(underWay);
}

/** For the pod, or for all of its group; a promise only where something else is asked meanwhile. */
function runCycle(
  tools: CycleTools,
  entry: QueuedPod,
  signal: AbortSignal,
): { readonly rest: Promise<void> } | Promise<{ readonly rest: Promise<void> }> {
  const { groups } = tools;
  if (groups !== undefined && groupNameOf(entry.pod.pod) !== undefined)
    return attemptGroup({ ...tools, groups }, entry, signal);
  const begun = beginAttempt(tools, entry, signal);
  const finish = (attempt: Attempt) => ({ rest: finishAttempt(tools, attempt, signal) });
  return begun instanceof Promise ? begun.then(finish) : finish(begun);
}
