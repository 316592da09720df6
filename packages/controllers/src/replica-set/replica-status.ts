// The status of what keeps replicas, as its pods are now.

import { formatTime } from '@keelson/apimachinery';
import type { ReplicaSetCondition, ReplicaSetStatus } from '@keelson/apimachinery/types/apps.v1';
import type { Pod } from '@keelson/apimachinery/types/core.v1';
import { errorText } from '../machinery/controller.ts';
import { isPodAvailable, isPodReady } from '../pods/pod-state.ts';
import type { ReplicaKeeper } from './replica-kind.ts';

export interface ReplicaObservation {
  readonly active: readonly Pod[];
  /** Absent: not counted. */
  readonly terminating?: number;
  /** Why pods could not be created or deleted, and how many were wanted. */
  readonly failure?: { readonly error: unknown; readonly missing: number };
  readonly now: number;
}

export function replicaStatus(
  keeper: ReplicaKeeper,
  observation: ReplicaObservation,
): ReplicaSetStatus {
  const { active, terminating, failure, now } = observation;
  const { template, minReadySeconds = 0 } = keeper.spec;
  const wanted = Object.entries(template?.metadata?.labels ?? {});
  const hasAllLabels = ({ metadata: { labels = {} } }: Pod) =>
    wanted.every(([key, value]) => labels[key] === value);
  const { generation } = keeper.metadata;
  const conditions = failureConditions(keeper.status?.conditions ?? [], failure, now);
  return {
    replicas: active.length,
    fullyLabeledReplicas: active.filter(hasAllLabels).length,
    readyReplicas: active.filter(isPodReady).length,
    availableReplicas: active.filter((pod) => isPodAvailable(pod, minReadySeconds, now)).length,
    ...(terminating !== undefined && { terminatingReplicas: terminating }),
    ...(generation !== undefined && { observedGeneration: generation }),
    ...(conditions.length > 0 && { conditions }),
  };
}

const replicaFailure = 'ReplicaFailure';

/** A failure that lasts keeps the condition that told of it first. */
function failureConditions(
  conditions: ReplicaSetCondition[],
  failure: ReplicaObservation['failure'],
  now: number,
): ReplicaSetCondition[] {
  if (failure === undefined) return conditions.filter(({ type }) => type !== replicaFailure);
  if (conditions.some(({ type }) => type === replicaFailure)) return conditions;
  const condition: ReplicaSetCondition = {
    type: replicaFailure,
    status: 'True',
    reason: failure.missing > 0 ? 'FailedCreate' : 'FailedDelete',
    message: errorText(failure.error),
    lastTransitionTime: formatTime(now),
  };
  return [...conditions, condition];
}
