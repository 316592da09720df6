// Which pods would have to leave a node so that a more important one fits: as few and as unimportant
// ones as possible, and those that a disruption budget protects last.

import { compileLabelSelector } from '@keelson/apimachinery';
import type { PodDisruptionBudget } from '@keelson/apimachinery/types/policy.v1';
import { filterWithNominated } from '../filter-node.ts';
import type { NamedRun, Rejection } from '../framework.ts';
import type { NominatedPods } from '../nominated-pods.ts';
import { addPodTo, copyNodeState, removePodFrom, type NodeState } from '../snapshot/node-state.ts';
import type { PodSummary } from '../snapshot/pod-summary.ts';

export interface Candidate {
  readonly node: NodeState;
  /** The most important first. */
  readonly victims: readonly PodSummary[];
  readonly budgetViolations: number;
}

export interface VictimQuestion {
  readonly pod: PodSummary;
  readonly node: NodeState;
  readonly runs: readonly NamedRun[];
  readonly nominated: NominatedPods;
  readonly budgets: (namespace: string) => readonly PodDisruptionBudget[];
}

const noVictims: Rejection = {
  plugin: 'DefaultPreemption',
  isUnresolvable: true,
  reasons: ['No preemption victims found for incoming pod'],
};

/** Filters that contradict themselves: it fits, and has just not. */
function nobodyInTheWay(nodeName: string): Rejection {
  const reason = `expected at least one victim pod on node "${nodeName}"`;
  return { plugin: noVictims.plugin, isUnresolvable: false, reasons: [reason] };
}

/** The candidate, or why it is none. */
export function selectVictims(question: VictimQuestion): Candidate | Rejection {
  const { pod, node, runs, nominated } = question;
  const lesser = [...node.pods.values()].filter(({ priority }) => priority < pod.priority);
  if (lesser.length === 0) return noVictims;
  const copy = copyNodeState(node);
  const leave = (victim: PodSummary) => {
    removePodFrom(copy, victim.uid);
    for (const run of runs) run.removePod?.(victim, copy);
  };
  const comeBack = (victim: PodSummary) => {
    addPodTo(copy, victim);
    for (const run of runs) run.addPod?.(victim, copy);
  };
  const gone = new Set(lesser);
  lesser.forEach(leave);
  const putEverythingBack = () => [...gone].forEach(comeBack);
  const rejected = filterWithNominated(pod, runs, copy, nominated);
  if (rejected !== undefined) {
    putEverythingBack();
    return rejected;
  }
  const { violating, others } = byBudget(lesser.toSorted(moreImportant), question.budgets);
  let budgetViolations = 0;
  const victims: PodSummary[] = [];
  for (const [protectedPods, count] of [
    [violating, 1],
    [others, 0],
  ] as const) {
    for (const victim of protectedPods) {
      comeBack(victim);
      gone.delete(victim);
      if (filterWithNominated(pod, runs, copy, nominated) === undefined) continue;
      leave(victim);
      gone.add(victim);
      victims.push(victim);
      budgetViolations += count;
    }
  }
  putEverythingBack();
  if (victims.length === 0) return nobodyInTheWay(node.name);
  return { node, victims: victims.toSorted(moreImportant), budgetViolations };
}

function moreImportant(a: PodSummary, b: PodSummary): number {
  return b.priority - a.priority || startedAt(a) - startedAt(b);
}

export function startedAt({ pod }: PodSummary): number {
  const started = Date.parse(pod.status?.startTime ?? '');
  return Number.isNaN(started) ? Infinity : started;
}

/** Budgets allow so many disruptions; the victims beyond that violate them. */
function byBudget(
  victims: readonly PodSummary[],
  budgetsOf: VictimQuestion['budgets'],
): { violating: PodSummary[]; others: PodSummary[] } {
  const left = new Map<PodDisruptionBudget, number>();
  const violating: PodSummary[] = [];
  const others: PodSummary[] = [];
  for (const victim of victims) {
    let isViolating = false;
    for (const budget of protecting(victim, budgetsOf)) {
      const allowed = (left.get(budget) ?? budget.status?.disruptionsAllowed ?? 0) - 1;
      left.set(budget, allowed);
      if (allowed < 0) isViolating = true;
    }
    (isViolating ? violating : others).push(victim);
  }
  return { violating, others };
}

function protecting({ namespace, name, labels }: PodSummary, budgetsOf: VictimQuestion['budgets']) {
  if (Object.keys(labels).length === 0) return [];
  return budgetsOf(namespace).filter(({ spec, status }) => {
    const selector = compileLabelSelector(spec?.selector);
    // The eviction of this one is counted already.
    const isCounted = status?.disruptedPods?.[name] !== undefined;
    return !selector.isEmpty && selector.matches(labels) && !isCounted;
  });
}
