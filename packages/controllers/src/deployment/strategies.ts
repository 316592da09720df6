// The ways in which a Deployment gets from its old ReplicaSets to the current one.

import { findCondition } from '@keelson/apimachinery';
import type { ReplicaSet } from '@keelson/apimachinery/types/apps.v1';
import { dependentsOf } from '../machinery/ownership.ts';
import type { ReconcileResult } from '../machinery/run-controller.ts';
import { isPodFinished } from '../pods/pod-state.ts';
import { revisionOf } from './annotations.ts';
import { conditionTexts, deadlineInMs, isComplete, progressing } from './conditions.ts';
import { adjustCurrent, ensureCurrent } from './current-replica-set.ts';
import { rolloutStatus } from './deployment-status.ts';
import { rollbackRevision } from './rollback.ts';
import { scaleAll, stepCurrent, stepOld } from './plan-scaling.ts';
import { wantedReplicas, type ReplicaSetsOfDeployment } from './replica-sets.ts';
import { writeCounts, writeStatus, type DeploymentTools, type Rollout } from './rollout.ts';

/** Without a new ReplicaSet: that is for later. */
export async function followSize(rollout: Rollout, found: ReplicaSetsOfDeployment): Promise<void> {
  const sets = await adjustCurrent(rollout, found);
  await rollout.writes.resize(rollout.deployment, scaleAll(rollout.deployment, sets));
  const { deployment } = rollout;
  if (deployment.spec.paused === true && rollbackRevision(deployment) === undefined)
    await forgetOldRevisions(rollout, sets);
  await writeCounts(rollout, sets);
}

export async function roll(
  rollout: Rollout,
  found: ReplicaSetsOfDeployment,
): Promise<ReconcileResult> {
  const sets = await ensureCurrent(rollout, found);
  const { writes, deployment } = rollout;
  const changed =
    (await writes.resize(deployment, stepCurrent(deployment, sets))) ||
    (await writes.resize(deployment, stepOld(deployment, sets)));
  return finishStep(rollout, sets, changed);
}

export async function recreate(
  rollout: Rollout,
  found: ReplicaSetsOfDeployment,
): Promise<ReconcileResult> {
  const { writes } = rollout;
  const before = await adjustCurrent(rollout, found);
  const shrink = before.old
    .filter((set) => wantedReplicas(set) > 0)
    .map((set) => ({ set, replicas: 0 }));
  if (await writes.resize(rollout.deployment, shrink)) return finishStep(rollout, before, true);
  if (before.old.some((set) => hasPodsLeft(rollout, set))) return finishStep(rollout, before, true);
  const sets = await ensureCurrent(rollout, before);
  const { deployment } = rollout;
  await writes.resize(deployment, stepCurrent(deployment, sets));
  return finishStep(rollout, sets, false);
}

function hasPodsLeft({ pods }: DeploymentTools, set: ReplicaSet): boolean {
  return (
    (set.status?.replicas ?? 0) > 0 || dependentsOf(pods, set).some((pod) => !isPodFinished(pod))
  );
}

async function finishStep(
  rollout: Rollout,
  sets: ReplicaSetsOfDeployment,
  changed: boolean,
): Promise<ReconcileResult> {
  const { deployment, context } = rollout;
  if (!changed && isComplete(deployment, deployment.status ?? {}))
    await forgetOldRevisions(rollout, sets);
  const now = context.clock.now();
  const status = rolloutStatus(deployment, sets, now);
  await writeStatus(rollout, status);
  if (isComplete(deployment, status)) return;
  const conditions = rollout.deployment.status?.conditions ?? [];
  if (findCondition(conditions, progressing)?.reason === conditionTexts.timedOut('').reason) return;
  const wait = deadlineInMs(deployment, conditions, now);
  // A second more: times in the API are cut off to seconds.
  return wait === undefined ? undefined : { requeueAfterMs: Math.max(0, wait) + 1_000 };
}

/** Keeps as many old ReplicaSets as may be rolled back to. */
async function forgetOldRevisions(
  rollout: Rollout,
  { old }: ReplicaSetsOfDeployment,
): Promise<void> {
  const { revisionHistoryLimit: limit } = rollout.deployment.spec;
  if (limit === undefined || limit === 2 ** 31 - 1) return;
  const alive = old.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  const oldestFirst = alive.toSorted((a, b) => revisionOf(a) - revisionOf(b));
  for (const set of oldestFirst.slice(0, Math.max(0, alive.length - limit))) {
    const { generation = 0 } = set.metadata;
    const isEmpty = wantedReplicas(set) === 0 && (set.status?.replicas ?? 0) === 0;
    const isObserved = Number(set.status?.observedGeneration ?? 0) >= Number(generation);
    if (isEmpty && isObserved) await rollout.writes.delete(set);
  }
}
