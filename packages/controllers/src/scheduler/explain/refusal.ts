// A node that refuses a pod, as those see it who look for what could be changed.

import type { Rejection } from '../framework.ts';
import type { ClusterState } from '../snapshot/cluster-state.ts';
import type { NodeState } from '../snapshot/node-state.ts';
import type { PodSummary } from '../snapshot/pod-summary.ts';

export interface Refusal {
  /** As changed so far. */
  readonly pod: PodSummary;
  readonly node: NodeState;
  readonly cluster: ClusterState;
  readonly rejection: Rejection;
}

/** Pods that are proposed to leave; a node may have hundreds. */
export const leavingMax = 16;
