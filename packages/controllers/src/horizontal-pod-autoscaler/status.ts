// Conditions and the rest of the status; a condition keeps its time as long as its status stays.

import { formatTime } from '@keelson/apimachinery';
import type {
  HorizontalPodAutoscaler,
  HorizontalPodAutoscalerCondition,
  HorizontalPodAutoscalerStatus,
} from '@keelson/apimachinery/types/autoscaling.v2';
import type { ConditionText } from './normalise.ts';

export function withConditions(
  before: readonly HorizontalPodAutoscalerCondition[],
  texts: readonly ConditionText[],
  now: number,
): HorizontalPodAutoscalerCondition[] {
  const conditions = [...before];
  for (const text of texts) {
    const index = conditions.findIndex(({ type }) => type === text.type);
    const old = conditions[index];
    const isSame = old?.status === text.status;
    const lastTransitionTime = (isSame ? old?.lastTransitionTime : undefined) ?? formatTime(now);
    const condition = { ...text, lastTransitionTime };
    if (index < 0) conditions.push(condition);
    else conditions[index] = condition;
  }
  return conditions;
}

export type StatusChange = Omit<Partial<HorizontalPodAutoscalerStatus>, 'conditions'> & {
  readonly conditions: readonly ConditionText[];
};

export function nextStatus(
  { status, metadata }: HorizontalPodAutoscaler,
  { conditions, ...change }: StatusChange,
  now: number,
): HorizontalPodAutoscalerStatus {
  const { generation } = metadata;
  return {
    desiredReplicas: 0,
    ...status,
    ...change,
    ...(generation !== undefined && { observedGeneration: generation }),
    conditions: withConditions(status?.conditions ?? [], conditions, now),
  };
}
