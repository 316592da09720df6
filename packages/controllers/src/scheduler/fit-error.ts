// The sentence that says why a pod has no node. COMPAT: users and tools read it as kube-scheduler
// writes it.

import type { Rejection } from './framework.ts';

export const noNodes = 'no nodes available to schedule pods';

export interface FitDiagnosis {
  readonly nodeCount: number;
  /** The pod was rejected before any node was looked at. */
  readonly preFilter?: Rejection;
  /** By name of the node. */
  readonly rejections: ReadonlyMap<string, Rejection>;
  /** What is said of nodes that have no rejection. */
  readonly absentReason?: string;
  readonly postFilter?: string;
}

export function fitMessage(diagnosis: FitDiagnosis): string {
  const { nodeCount, preFilter, postFilter = '' } = diagnosis;
  const reasons = preFilter === undefined ? countedReasons(diagnosis) : preFilter.reasons;
  const message = `0/${nodeCount} nodes are available: ${reasons.join(', ')}.`;
  return postFilter === '' ? message : `${message} ${postFilter}`;
}

/** `2 Insufficient cpu`, in order of the text. */
function countedReasons({ nodeCount, rejections, absentReason }: FitDiagnosis): string[] {
  const counts = new Map<string, number>();
  const count = (reason: string, by: number) => counts.set(reason, (counts.get(reason) ?? 0) + by);
  for (const { reasons } of rejections.values()) for (const reason of reasons) count(reason, 1);
  const absent = nodeCount - rejections.size;
  if (absentReason !== undefined && absent > 0) count(absentReason, absent);
  return [...counts].map(([reason, times]) => `${times} ${reason}`).toSorted();
}
