// The ReplicaSet of a Deployment's template: found or created, and numbered as the latest revision.

import { findCondition, isStatusError } from '@keelson/apimachinery';
import type { ReplicaSet } from '@keelson/apimachinery/types/apps.v1';
import { isNamespaceTerminating } from '../machinery/status-causes.ts';
import { eventTarget } from '../pods/pod-control.ts';
import { revisionOf } from './annotations.ts';
import { conditionTexts, progressDeadlineMs, progressing } from './conditions.ts';
import { creationFailure, deploymentKind, HashCollision } from './replica-set-writes.ts';
import type { ReplicaSetsOfDeployment } from './replica-sets.ts';
import { writeCondition, writeRevision, writeStatus, type Rollout } from './rollout.ts';

/** With the revision and the annotations that it should have now, if there is one. */
export async function adjustCurrent(
  rollout: Rollout,
  sets: ReplicaSetsOfDeployment,
): Promise<ReplicaSetsOfDeployment> {
  const { current, old } = sets;
  if (current === undefined) return sets;
  const revision = nextRevision(old);
  const adjusted = await rollout.writes.adjust(rollout.deployment, current, revision);
  const found = conditionTexts.found(current.metadata.name ?? '');
  const isUnknown = findCondition(rollout.deployment.status?.conditions, progressing) === undefined;
  await writeRevision(rollout, revisionOf(adjusted), isUnknown ? found : undefined);
  return { current: adjusted, old };
}

/** Creates it if it is not there. Throws HashCollision and what the API refused. */
export async function ensureCurrent(
  rollout: Rollout,
  sets: ReplicaSetsOfDeployment,
): Promise<ReplicaSetsOfDeployment> {
  if (sets.current !== undefined) return adjustCurrent(rollout, sets);
  const revision = nextRevision(sets.old);
  try {
    const { set, isNew } = await rollout.writes.create(rollout.deployment, sets.old, revision);
    const created = conditionTexts.created(set.metadata.name ?? '');
    await writeRevision(rollout, revision, isNew ? created : undefined);
    return { current: set, old: sets.old };
  } catch (error) {
    await tellCreationFailure(rollout, error);
    throw error;
  }
}

async function tellCreationFailure(rollout: Rollout, error: unknown): Promise<void> {
  const { deployment, events, context } = rollout;
  if (rollout.signal.aborted || isNamespaceTerminating(error)) return;
  if (error instanceof HashCollision) {
    const collisionCount = (deployment.status?.collisionCount ?? 0) + 1;
    return writeStatus(rollout, { ...deployment.status, collisionCount });
  }
  if (!isStatusError(error)) return;
  const message = creationFailure(deployment, error);
  const text = conditionTexts.notCreated(message);
  if (progressDeadlineMs(deployment) !== undefined)
    await writeCondition(rollout, text, context.clock.now());
  const about = eventTarget(deploymentKind, deployment);
  events.record(about, { type: 'Warning', reason: text.reason, message });
}

function nextRevision(old: readonly ReplicaSet[]): number {
  return Math.max(0, ...old.map(revisionOf)) + 1;
}
