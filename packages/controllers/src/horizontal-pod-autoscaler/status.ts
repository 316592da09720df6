// Conditions and the rest of the status; a condition keeps its time as long as its status stays.

import { findCondition, formatTime, transitionTime, withCondition } from '@keelson/apimachinery';
import type {
  HorizontalPodAutoscaler,
  HorizontalPodAutoscalerCondition,
  HorizontalPodAutoscalerStatus,
} from '@keelson/apimachinery/types/autoscaling.v2';
import type { ConditionText } from './normalise.ts';

function withConditions(
  before: readonly HorizontalPodAutoscalerCondition[],
  texts: readonly ConditionText[],
  now: number,
): HorizontalPodAutoscalerCondition[] {
  let conditions = [...before];
  for (const text of texts) {
    const old = findCondition(conditions, text.type);
    const lastTransitionTime = transitionTime(old, text.status, formatTime(now));
    conditions = withCondition(conditions, { ...text, lastTransitionTime });
  }
  return conditions;
}

export type StatusChange = Omit<Partial<HorizontalPodAutoscalerStatus>, 'conditions'> & {
  readonly conditions: readonly ConditionText[];
};

export function nextStatus(
  { status, metadata }: HorizontalPodAutoscaler,
  { conditions, ...change }: StatusChange,
  before: {
    readonly conditions: readonly HorizontalPodAutoscalerCondition[];
    readonly now: number;
  },
): HorizontalPodAutoscalerStatus {
  const { generation } = metadata;
  return {
    desiredReplicas: 0,
    ...status,
    ...change,
    ...(generation !== undefined && { observedGeneration: generation }),
    conditions: withConditions(before.conditions, conditions, before.now),
  };
}
