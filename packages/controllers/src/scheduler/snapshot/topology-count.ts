// One question about pods by topology, as a run asks it: what the cluster has, and what it would
// have if some pods came or went.

import type { ClusterState } from './cluster-state.ts';
import type { NodeState } from './node-state.ts';
import type { PodGroupQuestion } from './pod-groups.ts';
import type { PodSummary } from './pod-summary.ts';

export interface TopologyCount {
  readonly topologyKey: string;
  /** Pods that count in the topology value of the node; 0 when it has none. */
  on(node: NodeState): number;
  of(value: string): number;
  /** Pods that count on the node of that name alone. */
  byNode(name: string): number;
  readonly total: number;
  /** Values that have pods. */
  values(): Iterable<readonly [string, number]>;
  change(pod: PodSummary, node: NodeState, sign: 1 | -1): void;
}

export function countByTopology(cluster: ClusterState, question: PodGroupQuestion): TopologyCount {
  const { topologyKey } = question;
  const group = cluster.groups.group(question);
  let extra: Map<string, number> | undefined;
  let extraTotal = 0;
  const of = (value: string) => (group.byValue.get(value) ?? 0) + (extra?.get(value) ?? 0);
  return {
    topologyKey,
    on(node) {
      const value = node.labels[topologyKey];
      return value === undefined ? 0 : of(value);
    },
    of,
    byNode: (name) => group.byNode.get(name) ?? 0,
    get total() {
      return group.total + extraTotal;
    },
    values() {
      if (extra === undefined) return group.byValue;
      const all = new Map(group.byValue);
      for (const [value, count] of extra) all.set(value, (all.get(value) ?? 0) + count);
      return all;
    },
    change(pod, node, sign) {
      const weight = question.weigh(pod);
      const value = node.labels[topologyKey];
      if (weight === 0 || value === undefined) return;
      extra ??= new Map();
      extra.set(value, (extra.get(value) ?? 0) + sign * weight);
      extraTotal += sign * weight;
    },
  };
}
