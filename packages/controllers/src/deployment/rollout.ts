// One reconciliation of a Deployment: what it works with, and how it writes what it finds into the
// Deployment itself.

import type { Deployment, DeploymentStatus, ReplicaSet } from '@keelson/apimachinery/types/apps.v1';
import type { Pod } from '@keelson/apimachinery/types/core.v1';
import type { Informer } from '@keelson/client';
import type { ControllerContext } from '../machinery/controller.ts';
import type { EventRecorder } from '../machinery/event-recorder.ts';
import { deploymentsResource } from '../machinery/resources.ts';
import { isSameStatus } from '../machinery/same-status.ts';
import { revisionAnnotation } from './annotations.ts';
import { progressDeadlineMs, setCondition, type ConditionText } from './conditions.ts';
import { countedStatus } from './deployment-status.ts';
import type { ReplicaSetWrites } from './replica-set-writes.ts';
import type { ReplicaSetsOfDeployment } from './replica-sets.ts';

export interface DeploymentTools {
  readonly context: ControllerContext;
  readonly deployments: Informer<Deployment>;
  readonly replicaSets: Informer<ReplicaSet>;
  readonly pods: Informer<Pod>;
  readonly events: EventRecorder;
}

/** `deployment` is replaced by what each write returned. */
export interface Rollout extends DeploymentTools {
  deployment: Deployment;
  readonly writes: ReplicaSetWrites;
  readonly signal: AbortSignal;
}

/** Annotations may be written with the status, so both go in one request. */
export async function writeRevision(
  rollout: Rollout,
  revision: number,
  condition: ConditionText | undefined,
): Promise<void> {
  const { deployment, context } = rollout;
  const { annotations = {} } = deployment.metadata;
  const isSame = annotations[revisionAnnotation] === String(revision);
  const { conditions: before = [] } = deployment.status ?? {};
  const says = condition !== undefined && progressDeadlineMs(deployment) !== undefined;
  const conditions = says ? setCondition(before, condition, context.clock.now()) : before;
  if (isSame && conditions === before) return;
  const metadata = {
    ...deployment.metadata,
    annotations: { ...annotations, [revisionAnnotation]: String(revision) },
  };
  const status = { ...deployment.status, conditions: [...conditions] };
  rollout.deployment = await updateStatus(rollout, { ...deployment, metadata, status });
}

export function writeCondition(rollout: Rollout, text: ConditionText, now: number): Promise<void> {
  const { status = {} } = rollout.deployment;
  const conditions = [...setCondition(status.conditions ?? [], text, now)];
  return writeStatus(rollout, { ...status, conditions });
}

export function writeCounts(rollout: Rollout, sets: ReplicaSetsOfDeployment): Promise<void> {
  return writeStatus(rollout, countedStatus(rollout.deployment, sets, rollout.context.clock.now()));
}

export async function writeStatus(rollout: Rollout, status: DeploymentStatus): Promise<void> {
  const { deployment } = rollout;
  if (isSameStatus(deployment.status, status)) return;
  rollout.deployment = await updateStatus(rollout, { ...deployment, status });
}

function updateStatus({ context, signal }: Rollout, deployment: Deployment): Promise<Deployment> {
  return context.client
    .resource<Deployment>(deploymentsResource)
    .namespace(deployment.metadata.namespace ?? '')
    .update(deployment, { subresource: 'status', signal });
}
