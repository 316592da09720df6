// Counts of pods that a selector matches, by value of a topology key, kept up to date pod by pod:
// how many pods `app=web` of namespace `shop` each zone has. Pods of one workload ask the same
// question a thousand times, so the answer is made once and then followed.

import type { NodeState } from './node-state.ts';
import type { PodSummary } from './pod-summary.ts';

export interface PodGroup {
  /** Pods by value of the topology key; a value without pods has no entry. */
  readonly byValue: ReadonlyMap<string, number>;
  readonly byNode: ReadonlyMap<string, number>;
  readonly total: number;
}
export interface PodGroupQuestion {
  /** The same for questions that ask the same. */
  readonly key: string;
  readonly topologyKey: string;
  /** How often the pod counts; 0 when it does not. */
  weigh(pod: PodSummary): number;
}

export interface PodGroups {
  group(question: PodGroupQuestion): PodGroup;
  podAdded(pod: PodSummary, node: NodeState): void;
  podRemoved(pod: PodSummary, node: NodeState): void;
  /** Labels of nodes or namespaces have changed: everything is counted anew. */
  forget(): void;
}

interface FollowedGroup extends PodGroup {
  readonly question: PodGroupQuestion;
  readonly byValue: Map<string, number>;
  readonly byNode: Map<string, number>;
  total: number;
}

/** Questions that are followed; the one that was asked longest ago makes room. */
const groupsMax = 512;

export function createPodGroups(nodes: () => Iterable<NodeState>): PodGroups {
  const groups = new Map<string, FollowedGroup>();
  const change = (pod: PodSummary, node: NodeState, sign: 1 | -1) => {
    for (const group of groups.values()) count(group, pod, node, sign);
  };
  return {
    group(question) {
      const known = groups.get(question.key);
      if (known !== undefined) {
        groups.delete(question.key);
        groups.set(question.key, known);
        return known;
      }
      const made: FollowedGroup = { question, byValue: new Map(), byNode: new Map(), total: 0 };
      for (const node of nodes()) for (const pod of node.pods.values()) count(made, pod, node, 1);
      const oldest = groups.keys().next();
      if (groups.size >= groupsMax && oldest.done !== true) groups.delete(oldest.value);
      groups.set(question.key, made);
      return made;
    },
    podAdded: (pod, node) => change(pod, node, 1),
    podRemoved: (pod, node) => change(pod, node, -1),
    forget: () => groups.clear(),
  };
}

function count(group: FollowedGroup, pod: PodSummary, node: NodeState, sign: 1 | -1): void {
  const weight = group.question.weigh(pod);
  if (weight === 0) return;
  const value = node.labels[group.question.topologyKey];
  if (value === undefined) return;
  group.total += sign * weight;
  bump(group.byValue, value, sign * weight);
  bump(group.byNode, node.name, sign * weight);
}

function bump(counts: Map<string, number>, key: string, by: number): void {
  const left = (counts.get(key) ?? 0) + by;
  if (left === 0) counts.delete(key);
  else counts.set(key, left);
}
