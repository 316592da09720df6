// Goes back to an earlier revision where an annotation of the Deployment asks for it, as clients of
// extensions/v1beta1 did. Whatever comes of it, the annotation goes.

import type { Deployment, ReplicaSet } from '@keelson/apimachinery/types/apps.v1';
import { deploymentsResource } from '../machinery/resources.ts';
import type { EventText } from '../machinery/event-recorder.ts';
import { eventTarget } from '../pods/pod-control.ts';
import { annotationsOfRollback, revisionOf, rollbackAnnotation } from './annotations.ts';
import { ensureCurrent } from './current-replica-set.ts';
import { deploymentKind } from './replica-set-writes.ts';
import { allOf, hasTemplate, withoutHash, type ReplicaSetsOfDeployment } from './replica-sets.ts';
import type { Rollout } from './rollout.ts';

/** 0: the one before. Undefined when none is asked for. */
export function rollbackRevision({ metadata }: Deployment): number | undefined {
  const text = metadata.annotations?.[rollbackAnnotation] ?? '';
  return /^[+-]?\d{1,18}$/.test(text) ? Number(text) : undefined;
}

export async function rollBack(
  rollout: Rollout,
  found: ReplicaSetsOfDeployment,
  wanted: number,
): Promise<void> {
  const all = allOf(await ensureCurrent(rollout, found));
  const revision = wanted === 0 ? revisionBefore(all) : wanted;
  const target = revision === 0 ? undefined : all.find((set) => revisionOf(set) === revision);
  if (target === undefined) {
    const what = revision === 0 ? 'last revision' : 'the revision to rollback to';
    warn(rollout, 'DeploymentRollbackRevisionNotFound', `Unable to find ${what}.`);
    return update(rollout, rollout.deployment);
  }
  const { deployment } = rollout;
  const { name } = deployment.metadata;
  if (hasTemplate(target, deployment.spec.template)) {
    const what = `the same template as current deployment ${JSON.stringify(name)}`;
    const message = `The rollback revision contains ${what}`;
    warn(rollout, 'DeploymentRollbackTemplateUnchanged', message);
    return update(rollout, deployment);
  }
  await update(rollout, asItWas(deployment, target));
  const message = `Rolled back deployment ${JSON.stringify(name)} to revision ${revision}`;
  tell(rollout, { type: 'Normal', reason: 'DeploymentRollback', message });
}

/** The second highest; 0 when there is none. */
function revisionBefore(sets: readonly ReplicaSet[]): number {
  return sets.map(revisionOf).toSorted((a, b) => b - a)[1] ?? 0;
}

function asItWas(deployment: Deployment, set: ReplicaSet): Deployment {
  const annotations = { ...annotationsOfRollback(deployment, set) };
  const metadata = { ...deployment.metadata, annotations };
  const template = withoutHash(set.spec.template ?? deployment.spec.template);
  return { ...deployment, metadata, spec: { ...deployment.spec, template } };
}

async function update({ context, signal }: Rollout, deployment: Deployment): Promise<void> {
  const { [rollbackAnnotation]: _, ...annotations } = deployment.metadata.annotations ?? {};
  const metadata = { ...deployment.metadata, annotations };
  await context.client
    .resource<Deployment>(deploymentsResource)
    .namespace(metadata.namespace ?? '')
    .update({ ...deployment, metadata }, { signal });
}

function warn(rollout: Rollout, reason: string, message: string): void {
  tell(rollout, { type: 'Warning', reason, message });
}
function tell({ events, deployment }: Rollout, event: EventText): void {
  events.record(eventTarget(deploymentKind, deployment), event);
}
