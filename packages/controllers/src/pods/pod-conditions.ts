// Writes one condition into a pod's status.

import {
  findCondition,
  formatTime,
  transitionTime,
  withConditionLast,
} from '@keelson/apimachinery';
import type { Pod, PodCondition } from '@keelson/apimachinery/types/core.v1';

/** The other conditions and the new one, whose time is kept when its status stays. */
export function withPodCondition(
  { status, metadata }: Pod,
  text: Pick<PodCondition, 'type' | 'status' | 'reason' | 'message'>,
  now: number,
): PodCondition[] {
  const { conditions = [] } = status ?? {};
  const before = findCondition(conditions, text.type);
  return withConditionLast(conditions, {
    ...text,
    ...(metadata.generation !== undefined && { observedGeneration: metadata.generation }),
    lastTransitionTime: transitionTime(before, text.status, formatTime(now)),
  });
}
