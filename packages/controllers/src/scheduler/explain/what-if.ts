// Asks a copy of the cluster: would the node take the pod if that were changed? The answer comes from
// the filters that decide, on the copy with the changes made to it; then they are taken back.

import type { Pod } from '@keelson/apimachinery/types/core.v1';
import { errorText } from '../../machinery/controller.ts';
import { unresolvable, type Rejection } from '../framework.ts';
import type { SchedulingCore } from '../scheduling-core.ts';
import type { ClusterState } from '../snapshot/cluster-state.ts';
import type { NodeState } from '../snapshot/node-state.ts';
import { summarizePod, type PodSummary } from '../snapshot/pod-summary.ts';
import type { Change } from './change.ts';
import { repairsOf } from './repairs.ts';

export interface WhatIfAnswer {
  /** Why the node would not take the pod; undefined when it would. */
  readonly rejection: Rejection | undefined;
  /** What could be changed next. */
  readonly proposals: readonly Change[];
}

export interface WhatIf {
  readonly nodes: readonly NodeState[];
  ask(nodeName: string, changes: readonly Change[]): WhatIfAnswer;
  /** What the scheduler says of the pod as a whole, as things are. */
  sentence(): string;
}

/** `core` is for this alone: it is filled with what `of` holds, and changed. */
export function createWhatIf(core: SchedulingCore, of: ClusterState, pod: Pod): WhatIf {
  const { cluster } = core;
  const { cycle, plugins } = core.profileOf(pod.spec.schedulerName ?? '') ?? core;
  for (const { node, name, pods } of of.nodes) {
    cluster.putNode(node);
    for (const other of pods.values()) cluster.putPod(other, name);
  }
  const gateOf = (summary: PodSummary): Rejection | undefined => {
    for (const { name, preEnqueue } of plugins) {
      const reason = preEnqueue?.(summary);
      if (reason !== undefined) return unresolvable(name, reason);
    }
    return undefined;
  };
  const decide = (nodeName: string, changes: readonly Change[]): WhatIfAnswer => {
    const node = cluster.node(nodeName);
    if (node === undefined) throw new Error(`there is no node ${nodeName}`);
    const changed = summarizePod(withChanges(pod, changes));
    const rejection = gateOf(changed) ?? cycle.explain(changed, [node])[0]?.rejection;
    if (rejection === undefined) return { rejection, proposals: [] };
    return { rejection, proposals: repairsOf({ pod: changed, node, cluster, rejection }) };
  };
  return {
    nodes: cluster.nodes,
    ask(nodeName, changes) {
      const undo = changes.map(({ effect }) => make(core, nodeName, effect));
      try {
        return decide(nodeName, changes);
      } catch (error) {
        // A plugin that cannot decide is a refusal, and its error the reason that users read.
        return { rejection: unresolvable('SchedulerError', errorText(error)), proposals: [] };
      } finally {
        for (const takeBack of undo.toReversed()) takeBack();
      }
    },
    sentence() {
      const summary = summarizePod(pod);
      const gate = gateOf(summary);
      if (gate !== undefined) return gate.reasons.join(', ');
      try {
        const result = cycle.schedule(summary);
        return result.kind === 'none' ? result.message : '';
      } catch (error) {
        return errorText(error);
      }
    },
  };
}

function withChanges(pod: Pod, changes: readonly Change[]): Pod {
  let changed = pod;
  for (const { effect } of changes) if (effect.kind === 'pod') changed = effect.apply(changed);
  return changed;
}

/** Returns what takes it back. */
function make({ cluster }: SchedulingCore, nodeName: string, effect: Change['effect']): () => void {
  if (effect.kind === 'pod') return () => {};
  if (effect.kind === 'leaves') {
    const { pod } = effect;
    const from = cluster.nodeOf(pod.uid);
    cluster.removePod(pod.uid);
    return () => from !== undefined && cluster.putPod(pod, from);
  }
  const before = cluster.node(nodeName)?.node;
  if (before === undefined) return () => {};
  cluster.putNode(effect.apply(before));
  return () => cluster.putNode(before);
}
