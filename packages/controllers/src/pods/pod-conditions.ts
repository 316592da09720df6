// Writes one condition into a pod's status.

import { formatTime } from '@keelson/apimachinery';
import type { Pod, PodCondition } from '@keelson/apimachinery/types/core.v1';

/** The other conditions and the new one, whose time is kept when its status stays. */
export function withPodCondition(
  { status, metadata }: Pod,
  text: Pick<PodCondition, 'type' | 'status' | 'reason' | 'message'>,
  now: number,
): PodCondition[] {
  const { conditions = [] } = status ?? {};
  const before = conditions.find(({ type }) => type === text.type);
  const isSame = before?.status === text.status;
  const condition: PodCondition = {
    ...text,
    ...(metadata.generation !== undefined && { observedGeneration: metadata.generation }),
    lastTransitionTime: (isSame ? before?.lastTransitionTime : undefined) ?? formatTime(now),
  };
  return [...conditions.filter(({ type }) => type !== text.type), condition];
}
