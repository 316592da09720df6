// Conditions of a Deployment, and what is said in them.

import {
  findCondition,
  formatTime,
  transitionTime,
  withConditionLast,
} from '@keelson/apimachinery';
import type {
  Deployment,
  DeploymentCondition,
  DeploymentStatus,
} from '@keelson/apimachinery/types/apps.v1';

export type Conditions = readonly DeploymentCondition[];
export type ConditionText = Pick<DeploymentCondition, 'type' | 'status' | 'reason' | 'message'>;

export const progressing = 'Progressing';
const available = 'Available';
const noDeadline = 2 ** 31 - 1;

/** Milliseconds; undefined when the rollout may take as long as it likes. */
export function progressDeadlineMs({ spec }: Deployment): number | undefined {
  const { progressDeadlineSeconds: seconds } = spec;
  return seconds === undefined || seconds === noDeadline ? undefined : seconds * 1000;
}

export function withoutCondition(conditions: Conditions, type: string): Conditions {
  return conditions.filter((condition) => condition.type !== type);
}

/** The same status for the same reason stays as it is, whatever the message says. */
export function setCondition(conditions: Conditions, text: ConditionText, now: number): Conditions {
  const before = findCondition(conditions, text.type);
  if (before?.status === text.status && before.reason === text.reason) return conditions;
  return withConditionLast(conditions, written(text, before, now));
}

/** Also for the same reason: the time of the last update is that of the last progress. */
export function renewCondition(
  conditions: Conditions,
  text: ConditionText,
  now: number,
): Conditions {
  const before = findCondition(conditions, text.type);
  return withConditionLast(conditions, written(text, before, now));
}

function written(
  text: ConditionText,
  before: DeploymentCondition | undefined,
  now: number,
): DeploymentCondition {
  const { type, status, reason = '', message = '' } = text;
  const time = formatTime(now);
  const lastTransitionTime = transitionTime(before, status, time);
  return { type, status, lastUpdateTime: time, lastTransitionTime, reason, message };
}

export const conditionTexts = {
  available: {
    type: available,
    status: 'True',
    reason: 'MinimumReplicasAvailable',
    message: 'Deployment has minimum availability.',
  },
  unavailable: {
    type: available,
    status: 'False',
    reason: 'MinimumReplicasUnavailable',
    message: 'Deployment does not have minimum availability.',
  },
  paused: {
    type: progressing,
    status: 'Unknown',
    reason: 'DeploymentPaused',
    message: 'Deployment is paused',
  },
  resumed: {
    type: progressing,
    status: 'Unknown',
    reason: 'DeploymentResumed',
    message: 'Deployment is resumed',
  },
  created: (set: string) => ({
    type: progressing,
    status: 'True',
    reason: 'NewReplicaSetCreated',
    message: `Created new replica set "${set}"`,
  }),
  found: (set: string) => ({
    type: progressing,
    status: 'True',
    reason: 'FoundNewReplicaSet',
    message: `Found new replica set "${set}"`,
  }),
  notCreated: (message: string) => ({
    type: progressing,
    status: 'False',
    reason: 'ReplicaSetCreateError',
    message,
  }),
  complete: (what: string) => ({
    type: progressing,
    status: 'True',
    reason: 'NewReplicaSetAvailable',
    message: `${what} has successfully progressed.`,
  }),
  progressing: (what: string) => ({
    type: progressing,
    status: 'True',
    reason: 'ReplicaSetUpdated',
    message: `${what} is progressing.`,
  }),
  timedOut: (what: string) => ({
    type: progressing,
    status: 'False',
    reason: 'ProgressDeadlineExceeded',
    message: `${what} has timed out progressing.`,
  }),
} as const;

/** Everything is as wanted, and the status says so about this generation. */
export function isComplete({ spec, metadata }: Deployment, status: DeploymentStatus): boolean {
  const { replicas = 1 } = spec;
  return (
    (status.updatedReplicas ?? 0) === replicas &&
    (status.replicas ?? 0) === replicas &&
    (status.availableReplicas ?? 0) === replicas &&
    Number(status.observedGeneration ?? 0) >= Number(metadata.generation ?? 0)
  );
}

/** Something became better since the last status. */
export function hasProgressed(before: DeploymentStatus, after: DeploymentStatus): boolean {
  const updated = (s: DeploymentStatus) => s.updatedReplicas ?? 0;
  const old = (s: DeploymentStatus) => (s.replicas ?? 0) - updated(s);
  return (
    updated(after) > updated(before) ||
    old(after) < old(before) ||
    (after.readyReplicas ?? 0) > (before.readyReplicas ?? 0) ||
    (after.availableReplicas ?? 0) > (before.availableReplicas ?? 0)
  );
}

/** Milliseconds until the deadline for the next progress; undefined when none is awaited. */
export function deadlineInMs(deployment: Deployment, conditions: Conditions, now: number) {
  const deadlineMs = progressDeadlineMs(deployment);
  const condition = findCondition(conditions, progressing);
  if (deadlineMs === undefined || condition === undefined) return undefined;
  if (condition.reason === conditionTexts.complete('').reason) return undefined;
  return Date.parse(condition.lastUpdateTime ?? '') + deadlineMs - now;
}
