// Brings the pods of a Deployment from one template to the next: a ReplicaSet for each template,
// the current one grown and the old ones shrunk step by step (RollingUpdate) or one after the other
// (Recreate). The status tells how far it is and whether it gets on.

import { isDeepStrictEqual } from 'node:util';
import { compileLabelSelector, findCondition, type KubeObject } from '@keelson/apimachinery';
import type { Deployment, ReplicaSet } from '@keelson/apimachinery/types/apps.v1';
import type { Pod } from '@keelson/apimachinery/types/core.v1';
import type { Controller, ControllerContext } from '../machinery/controller.ts';
import { keyOf, parseKey } from '../machinery/controller.ts';
import { createControllerEvents } from '../machinery/controller-events.ts';
import {
  claimDependents,
  controllerOf,
  indexByController,
  ownersConcerned,
  tellOwners,
} from '../machinery/ownership.ts';
import { createReconciler } from '../machinery/reconciler.ts';
import { deploymentsResource, podsResource, replicaSetsResource } from '../machinery/resources.ts';
import type { ReconcileResult } from '../machinery/run-controller.ts';
import { eventTarget } from '../pods/pod-control.ts';
import { desiredReplicasOf } from './annotations.ts';
import { conditionTexts, progressDeadlineMs, progressing } from './conditions.ts';
import { createReplicaSetWrites, deploymentKind } from './replica-set-writes.ts';
import { sortReplicaSets, wantedReplicas } from './replica-sets.ts';
import {
  writeCondition,
  writeCounts,
  writeStatus,
  type DeploymentTools,
  type Rollout,
} from './rollout.ts';
import { rollBack, rollbackRevision } from './rollback.ts';
import { followSize, recreate, roll } from './strategies.ts';

const workers = 5;
const component = 'deployment-controller';

export function createDeploymentController(context: ControllerContext): Controller {
  const { informers } = context;
  const deployments = informers.informer<Deployment>(deploymentsResource);
  const replicaSets = informers.informer<ReplicaSet>(replicaSetsResource);
  const pods = informers.informer<Pod>(podsResource);
  indexByController(replicaSets);
  indexByController(pods);
  const events = createControllerEvents(context, component);
  const tools: DeploymentTools = { context, deployments, replicaSets, pods, events };
  return createReconciler(context, {
    failure: 'Deployment not reconciled',
    queue: 'deployment',
    workers,
    reads: [deployments, replicaSets, pods],
    subscribe: (queue) => {
      const enqueue = (deployment: KubeObject) => queue.add(keyOf(deployment));
      return [
        deployments.addHandler({ onAdd: enqueue, onUpdate: enqueue }),
        replicaSets.addHandler(tellOwners(deployments, selectorOf, enqueue)),
        // Recreate waits until the last old pod is gone, and a ReplicaSet does not tell that.
        pods.addHandler({ onDelete: (pod) => waitingForDeletion(tools, pod).forEach(enqueue) }),
      ];
    },
    reconcile: (key, signal) => reconcile(tools, key, signal),
  });
}

const selectorOf = ({ spec }: Deployment) => compileLabelSelector(spec.selector);

function waitingForDeletion(tools: DeploymentTools, pod: Pod): readonly Deployment[] {
  const set = tools.replicaSets.store.get(
    pod.metadata.namespace ?? '',
    controllerOf(pod)?.name ?? '',
  );
  return set === undefined
    ? []
    : ownersConcerned(tools.deployments, set, selectorOf).filter(
        ({ spec }) => spec.strategy?.type === 'Recreate',
      );
}

async function reconcile(
  tools: DeploymentTools,
  key: string,
  signal: AbortSignal,
): Promise<ReconcileResult> {
  const { namespace, name } = parseKey(key);
  const deployment = tools.deployments.store.get(namespace, name);
  if (deployment === undefined) return;
  const { client } = tools.context;
  const writes = createReplicaSetWrites({ client, events: tools.events, signal });
  const rollout: Rollout = { ...tools, deployment, writes, signal };
  if (selectsEverything(deployment)) return refuseEmptySelector(rollout);
  const claimed = await claimDependents<ReplicaSet>({
    client,
    ownerKind: deploymentKind,
    owner: deployment,
    selector: selectorOf(deployment),
    dependents: tools.replicaSets,
    dependentResource: replicaSetsResource,
    signal,
  });
  const sets = sortReplicaSets(deployment, claimed);
  if (deployment.metadata.deletionTimestamp !== undefined) return writeCounts(rollout, sets);
  await tellPause(rollout);
  if (deployment.spec.paused === true) return followSize(rollout, sets);
  const revision = rollbackRevision(deployment);
  if (revision !== undefined) return rollBack(rollout, sets, revision);
  if (isResized(deployment, claimed)) return followSize(rollout, sets);
  return deployment.spec.strategy?.type === 'Recreate'
    ? recreate(rollout, sets)
    : roll(rollout, sets);
}

function selectsEverything({ spec: { selector } }: Deployment): boolean {
  return isDeepStrictEqual(selector ?? {}, {});
}

async function refuseEmptySelector(rollout: Rollout): Promise<void> {
  const { events, deployment } = rollout;
  events.record(eventTarget(deploymentKind, deployment), {
    type: 'Warning',
    reason: 'SelectingAll',
    message: 'This deployment is selecting all pods. A non-empty selector is required.',
  });
  const { generation = 0 } = deployment.metadata;
  await writeStatus(rollout, { ...deployment.status, observedGeneration: generation });
}

/** The time of a pause does not count as time in which nothing got on. */
async function tellPause(rollout: Rollout): Promise<void> {
  const { deployment, context } = rollout;
  const condition = findCondition(deployment.status?.conditions, progressing);
  if (progressDeadlineMs(deployment) === undefined) return;
  if (condition?.reason === conditionTexts.timedOut('').reason) return;
  const isPaused = deployment.spec.paused === true;
  const saysPaused = condition?.reason === conditionTexts.paused.reason;
  if (isPaused === saysPaused) return;
  const text = isPaused ? conditionTexts.paused : conditionTexts.resumed;
  await writeCondition(rollout, text, context.clock.now());
}

/** The number of replicas is another one than when the ReplicaSets were scaled last. */
function isResized({ spec }: Deployment, sets: readonly ReplicaSet[]): boolean {
  return sets.some((set) => {
    const desired = desiredReplicasOf(set);
    return wantedReplicas(set) > 0 && desired !== undefined && desired !== (spec.replicas ?? 1);
  });
}
