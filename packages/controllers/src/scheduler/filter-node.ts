// Whether a node takes the pod, by all filters in their order; also with the pods there that were
// promised room on it.

import { errorText } from '../machinery/controller.ts';
import type { NamedRun, Rejection } from './framework.ts';
import type { NominatedPods } from './nominated-pods.ts';
import { addPodTo, copyNodeState, type NodeState } from './snapshot/node-state.ts';
import type { PodSummary } from './snapshot/pod-summary.ts';

function filterNode(runs: readonly NamedRun[], node: NodeState): Rejection | undefined {
  let asked = '';
  try {
    for (const run of runs) {
      asked = run.plugin;
      const rejected = run.filter?.(node);
      if (rejected !== undefined) return rejected;
    }
    return undefined;
  } catch (cause) {
    throw new Error(`running "${asked}" filter plugin: ${errorText(cause)}`, { cause });
  }
}

/**
 * The pod must fit both with those that are promised the node and do not count for less, and
 * without them: they may be what it wants to be near to, and they may never come.
 */
export function filterWithNominated(
  pod: PodSummary,
  runs: readonly NamedRun[],
  node: NodeState,
  nominated: NominatedPods,
): Rejection | undefined {
  const expected = nominated
    .on(node.name)
    .filter((other) => other.uid !== pod.uid && other.priority >= pod.priority);
  if (expected.length > 0) {
    const copy = copyNodeState(node);
    for (const other of expected) addPodTo(copy, other);
    for (const other of expected) for (const run of runs) run.addPod?.(other, node);
    const rejected = filterNode(runs, copy);
    for (const other of expected) for (const run of runs) run.removePod?.(other, node);
    if (rejected !== undefined) return rejected;
  }
  return filterNode(runs, node);
}
