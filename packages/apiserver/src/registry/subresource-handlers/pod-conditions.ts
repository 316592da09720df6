// Conditions that the API server itself sets on pods: scheduled by a binding, disrupted by an
// eviction.

import { formatTime } from '@keelson/apimachinery';
import type { Pod, PodCondition } from '@keelson/apimachinery/types/core.v1';

/** Sets a condition in its place, or at the end. Its transition time stays when the status does. */
export function setPodCondition(
  pod: Pod,
  condition: Pick<PodCondition, 'type' | 'status' | 'reason' | 'message'>,
  nowMs: number,
): void {
  const conditions = pod.status?.conditions ?? [];
  const before = conditions.find(({ type }) => type === condition.type);
  const unchanged = before !== undefined && before.status === condition.status;
  const now = formatTime(nowMs);
  const next = {
    ...condition,
    lastProbeTime: null,
    lastTransitionTime: unchanged ? (before.lastTransitionTime ?? now) : now,
  } as unknown as PodCondition;
  const replaced = conditions.map((c) => (c === before ? next : c));
  pod.status = {
    ...pod.status,
    conditions: before === undefined ? [...conditions, next] : replaced,
  };
}
