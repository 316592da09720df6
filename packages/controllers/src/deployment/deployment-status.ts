// The status of a Deployment, as its ReplicaSets are now, and whether its rollout gets on.

import { findCondition } from '@keelson/apimachinery';
import type { Deployment, DeploymentStatus, ReplicaSet } from '@keelson/apimachinery/types/apps.v1';
import {
  conditionTexts,
  deadlineInMs,
  hasProgressed,
  isComplete,
  progressDeadlineMs,
  progressing,
  renewCondition,
  setCondition,
  withoutCondition,
  type Conditions,
} from './conditions.ts';
import { allOf, sumOf, wantedReplicas, type ReplicaSetsOfDeployment } from './replica-sets.ts';
import { rolloutBounds } from './rollout-bounds.ts';

const replicaFailure = 'ReplicaFailure';

/** Counts and availability. */
export function countedStatus(
  deployment: Deployment,
  sets: ReplicaSetsOfDeployment,
  now: number,
): DeploymentStatus {
  const all = allOf(sets);
  const sum = (field: 'replicas' | 'readyReplicas' | 'availableReplicas') =>
    sumOf(all, ({ status }) => status?.[field] ?? 0);
  const availableReplicas = sum('availableReplicas');
  const { replicas, maxUnavailable } = rolloutBounds(deployment);
  const isAvailable = availableReplicas >= replicas - maxUnavailable;
  const text = isAvailable ? conditionTexts.available : conditionTexts.unavailable;
  const { generation } = deployment.metadata;
  const { collisionCount, conditions = [] } = deployment.status ?? {};
  return {
    ...(generation !== undefined && { observedGeneration: generation }),
    replicas: sum('replicas'),
    updatedReplicas: sets.current?.status?.replicas ?? 0,
    readyReplicas: sum('readyReplicas'),
    availableReplicas,
    unavailableReplicas: Math.max(0, sumOf(all, wantedReplicas) - availableReplicas),
    ...terminatingReplicas(all),
    conditions: [...setCondition(conditions, text, now)],
    ...(collisionCount !== undefined && { collisionCount }),
  };
}

/** Unknown as long as one of them has not been counted. */
function terminatingReplicas(
  all: readonly ReplicaSet[],
): Pick<DeploymentStatus, 'terminatingReplicas'> {
  if (all.some(({ status }) => status?.terminatingReplicas === undefined)) return {};
  return { terminatingReplicas: sumOf(all, ({ status }) => status?.terminatingReplicas ?? 0) };
}

/** With what is said about a rollout: it is complete, gets on, or has stood still for too long. */
export function rolloutStatus(
  deployment: Deployment,
  sets: ReplicaSetsOfDeployment,
  now: number,
): DeploymentStatus {
  const status = countedStatus(deployment, sets, now);
  const counted = status.conditions ?? [];
  const conditions =
    progressDeadlineMs(deployment) === undefined
      ? withoutCondition(counted, progressing)
      : progressConditions({ deployment, sets, status, now }, counted);
  return { ...status, conditions: [...failureConditions(conditions, sets, now)] };
}

interface Rollout {
  readonly deployment: Deployment;
  readonly sets: ReplicaSetsOfDeployment;
  readonly status: DeploymentStatus;
  readonly now: number;
}

function progressConditions(rollout: Rollout, conditions: Conditions): Conditions {
  const { deployment, sets, status, now } = rollout;
  const { current } = sets;
  const before = findCondition(deployment.status?.conditions, progressing);
  const wasComplete =
    status.replicas === status.updatedReplicas &&
    before?.reason === conditionTexts.complete('').reason;
  if (wasComplete) return conditions;
  const what = current
    ? `ReplicaSet "${current.metadata.name}"`
    : `Deployment "${deployment.metadata.name}"`;
  if (isComplete(deployment, status))
    return setCondition(conditions, conditionTexts.complete(what), now);
  if (hasProgressed(deployment.status ?? {}, status))
    return renewCondition(conditions, conditionTexts.progressing(what), now);
  const isLate = (deadlineInMs(deployment, conditions, now) ?? 0) < 0;
  return isLate ? setCondition(conditions, conditionTexts.timedOut(what), now) : conditions;
}

/** The failure of the current ReplicaSet, or else of any other, since when that has it. */
function failureConditions(
  conditions: Conditions,
  sets: ReplicaSetsOfDeployment,
  now: number,
): Conditions {
  const failureOf = (set: ReplicaSet | undefined) =>
    findCondition(set?.status?.conditions, replicaFailure);
  const failure = failureOf(sets.current) ?? allOf(sets).map(failureOf).find(Boolean);
  if (failure === undefined) return withoutCondition(conditions, replicaFailure);
  const since = Date.parse(failure.lastTransitionTime ?? '');
  return setCondition(conditions, failure, Number.isNaN(since) ? now : since);
}
