// What a disruption budget allows at the moment. Evictions write into the status too: each takes
// one disruption and leaves the pod's name until the pod is seen to be on its way out.

import {
  findCondition,
  formatTime,
  transitionTime,
  withConditionLast,
} from '@keelson/apimachinery';
import type { Condition } from '@keelson/apimachinery/types/meta.v1';
import type { Pod } from '@keelson/apimachinery/types/core.v1';
import type {
  PodDisruptionBudget,
  PodDisruptionBudgetStatus,
} from '@keelson/apimachinery/types/policy.v1';
import { isPodReady } from '../pods/pod-state.ts';

/** An eviction after which the pod is not deleted in that time has come to nothing. */
export const evictionTimeoutMs = 120_000;

export interface AwaitedEvictions {
  /** By name of the pod, when it was evicted. */
  readonly disruptedPods: Readonly<Record<string, string>>;
  /** Milliseconds until the first of them has come to nothing. */
  readonly nextTimeoutMs: number | undefined;
  readonly timedOut: readonly Pod[];
}

export function awaitedEvictions(
  { status }: PodDisruptionBudget,
  pods: readonly Pod[],
  now: number,
): AwaitedEvictions {
  const disruptedPods: Record<string, string> = {};
  const timedOut: Pod[] = [];
  let nextTimeoutMs: number | undefined;
  for (const pod of pods) {
    const { name = '', deletionTimestamp } = pod.metadata;
    const evictedAt = status?.disruptedPods?.[name];
    if (evictedAt === undefined || deletionTimestamp !== undefined) continue;
    const leftMs = Date.parse(evictedAt) + evictionTimeoutMs - now;
    if (leftMs < 0) timedOut.push(pod);
    else {
      disruptedPods[name] = evictedAt;
      nextTimeoutMs = Math.min(leftMs, nextTimeoutMs ?? leftMs);
    }
  }
  return { disruptedPods, nextTimeoutMs, timedOut };
}

export function healthyPods(pods: readonly Pod[], { disruptedPods }: AwaitedEvictions): number {
  return pods.filter(
    (pod) =>
      pod.metadata.deletionTimestamp === undefined &&
      disruptedPods[pod.metadata.name ?? ''] === undefined &&
      isPodReady(pod),
  ).length;
}

export interface BudgetCounts {
  readonly currentHealthy: number;
  readonly desiredHealthy: number;
  readonly expectedPods: number;
  readonly disruptedPods: Readonly<Record<string, string>>;
}

/** Of a budget that expects no pods nothing may be taken: its first pods may come at any moment. */
export function budgetStatus(
  budget: PodDisruptionBudget,
  counts: BudgetCounts,
  now: number,
): PodDisruptionBudgetStatus {
  const { currentHealthy, desiredHealthy, expectedPods, disruptedPods } = counts;
  const spare = expectedPods > 0 ? Math.max(0, currentHealthy - desiredHealthy) : 0;
  const { generation } = budget.metadata;
  return {
    ...(generation !== undefined && { observedGeneration: generation }),
    ...(Object.keys(disruptedPods).length > 0 && { disruptedPods: { ...disruptedPods } }),
    disruptionsAllowed: spare,
    currentHealthy,
    desiredHealthy,
    expectedPods,
    conditions: withAllowed(
      budget.status,
      spare > 0
        ? { status: 'True', reason: 'SufficientPods', message: '' }
        : { status: 'False', reason: 'InsufficientPods', message: '' },
      { observedGeneration: generation, now },
    ),
  };
}

/** SECURITY: when the numbers cannot be known, nothing may be evicted. */
export function unknownStatus(
  budget: PodDisruptionBudget,
  message: string,
  now: number,
): PodDisruptionBudgetStatus {
  const { status } = budget;
  return {
    ...status,
    disruptionsAllowed: 0,
    // Of the generation that the numbers are of, not of the one that could not be counted.
    conditions: withAllowed(
      status,
      { status: 'False', reason: 'SyncFailed', message },
      { observedGeneration: status?.observedGeneration, now },
    ),
  };
}

function withAllowed(
  status: PodDisruptionBudgetStatus | undefined,
  text: Pick<Condition, 'status' | 'reason' | 'message'>,
  {
    observedGeneration,
    now,
  }: { readonly observedGeneration: number | bigint | undefined; readonly now: number },
): Condition[] {
  const type = 'DisruptionAllowed';
  const { conditions = [] } = status ?? {};
  const before = findCondition(conditions, type);
  return withConditionLast(conditions, {
    type,
    ...text,
    ...(observedGeneration !== undefined && { observedGeneration }),
    lastTransitionTime: transitionTime(before, text.status, formatTime(now)),
  });
}
