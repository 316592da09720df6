// Conditions that the API server itself sets on pods: scheduled by a binding, disrupted by an
// eviction.

import { findCondition, formatTime, transitionTime, withCondition } from '@keelson/apimachinery';
import type { Pod, PodCondition } from '@keelson/apimachinery/types/core.v1';

/** Sets a condition in its place, or at the end. Its transition time stays when the status does. */
export function setPodCondition(
  pod: Pod,
  condition: Pick<PodCondition, 'type' | 'status' | 'reason' | 'message'>,
  nowMs: number,
): void {
  const conditions = pod.status?.conditions ?? [];
  const before = findCondition(conditions, condition.type);
  const next = {
    ...condition,
    lastProbeTime: null,
    lastTransitionTime: transitionTime(before, condition.status, formatTime(nowMs)),
  } as unknown as PodCondition;
  pod.status = { ...pod.status, conditions: withCondition(conditions, next) };
}
