// Keeps as many active pods as a ReplicaSet or ReplicationController asks for: adopts what matches,
// lets go what does not, creates what is missing and deletes what is too much, the least useful
// first. Its status says what was seen.

import { isStatusError, type KubeObject } from '@keelson/apimachinery';
import type { Pod } from '@keelson/apimachinery/types/core.v1';
import type { Informer } from '@keelson/client';
import type { Controller, ControllerContext } from '../machinery/controller.ts';
import { keyOf, parseKey } from '../machinery/controller.ts';
import { createControllerEvents } from '../machinery/controller-events.ts';
import {
  claimDependents,
  controllerOf,
  dependentsOf,
  indexByController,
  tellOwners,
} from '../machinery/ownership.ts';
import { createPendingWrites, type PendingWrites } from '../machinery/pending-writes.ts';
import { createReconciler } from '../machinery/reconciler.ts';
import { podsResource } from '../machinery/resources.ts';
import type { ReconcileResult } from '../machinery/run-controller.ts';
import { isSameStatus } from '../machinery/same-status.ts';
import { runInBatches } from '../machinery/slow-start.ts';
import { isNamespaceTerminating } from '../machinery/status-causes.ts';
import { createPodControl, podFromTemplate, type PodControl } from '../pods/pod-control.ts';
import { isPodActive, isPodTerminating, nextAvailableInMs } from '../pods/pod-state.ts';
import { rankForDeletion } from '../pods/rank-pods.ts';
import { createDeletionAges, type ScaleDown } from './deletion-ages.ts';
import {
  replicaSetKind,
  replicationControllerKind,
  type ReplicaKeeper,
  type ReplicaKind,
} from './replica-kind.ts';
import { replicaStatus, type ReplicaObservation } from './replica-status.ts';

/** Pods created or deleted in one go; the rest follows when these have been seen. */
const burstMax = 500;
const workers = 5;

export const createReplicaSetController = (context: ControllerContext): Controller =>
  createReplicaController(context, replicaSetKind);
export const createReplicationControllerController = (context: ControllerContext): Controller =>
  createReplicaController(context, replicationControllerKind);

function createReplicaController(context: ControllerContext, kind: ReplicaKind): Controller {
  const { client, informers, clock } = context;
  const keepers = informers.informer<ReplicaKeeper>(kind.resource);
  const pods = informers.informer<Pod>(podsResource);
  indexByController(pods);
  indexByController(keepers);
  const events = createControllerEvents(context, kind.component);
  const podControl = createPodControl({ client, events, ownerKind: kind });
  const pending = createPendingWrites(pods, clock);
  const onScaleDown = createDeletionAges(context.metrics);
  const tools: Tools = { context, kind, keepers, pods, podControl, pending, onScaleDown };

  return createReconciler(context, {
    failure: `${kind.kind} not reconciled`,
    queue: kind.queue,
    workers,
    reads: [keepers, pods],
    subscribe: (queue) => {
      const enqueue = (keeper: KubeObject) => queue.add(keyOf(keeper));
      return [
        keepers.addHandler({ onAdd: enqueue, onUpdate: enqueue, onDelete: enqueue }),
        pods.addHandler(tellOwners(keepers, kind.selectorOf, enqueue)),
      ];
    },
    reconcile: (key, signal) => reconcile(tools, key, signal),
  });
}

interface Tools {
  readonly context: ControllerContext;
  readonly kind: ReplicaKind;
  readonly keepers: Informer<ReplicaKeeper>;
  readonly pods: Informer<Pod>;
  readonly podControl: PodControl;
  readonly pending: PendingWrites;
  readonly onScaleDown: (scaleDown: ScaleDown) => void;
}

async function reconcile(tools: Tools, key: string, signal: AbortSignal): Promise<ReconcileResult> {
  const { context, kind, keepers, pods, pending } = tools;
  const { namespace, name } = parseKey(key);
  const keeper = keepers.store.get(namespace, name);
  if (keeper === undefined) return pending.forget(key);
  const selector = kind.selectorOf(keeper);
  const active = await claimDependents<Pod>({
    client: context.client,
    ownerKind: kind,
    owner: keeper,
    selector,
    dependents: pods,
    dependentResource: podsResource,
    concerns: isPodActive,
    signal,
  });
  const isGoing = keeper.metadata.deletionTimestamp !== undefined;
  const missing = (keeper.spec.replicas ?? 1) - active.length;
  const mayAct = !isGoing && pending.areSeen(key);
  const error = mayAct ? await scale(tools, { keeper, active, missing, signal }) : undefined;
  const now = context.clock.now();
  const countsTerminating =
    kind.countsTerminating && context.isEnabled('DeploymentReplicaSetTerminatingReplicas');
  await writeStatus(tools, keeper, {
    active,
    ...(countsTerminating && {
      terminating: dependentsOf(pods, keeper).filter(
        (pod) => isPodTerminating(pod) && selector.matches(pod.metadata.labels ?? {}),
      ).length,
    }),
    ...(error !== undefined && { failure: { error, missing } }),
    now,
  });
  if (error !== undefined) throw error;
  const waitMs = nextAvailableInMs(active, keeper.spec.minReadySeconds ?? 0, now);
  return waitMs === undefined ? undefined : { requeueAfterMs: waitMs };
}

interface Scaling {
  readonly keeper: ReplicaKeeper;
  readonly active: readonly Pod[];
  /** Negative when there are too many. */
  readonly missing: number;
  readonly signal: AbortSignal;
}

/** Resolves with the first error, if any that trying again could mend. */
async function scale(tools: Tools, scaling: Scaling): Promise<unknown> {
  const { kind, podControl, pending } = tools;
  const { keeper, missing, signal } = scaling;
  const { template } = keeper.spec;
  const key = keyOf(keeper);
  if (missing > 0 && template !== undefined) {
    const { error } = await runInBatches(Math.min(missing, burstMax), async () => {
      const pod = podFromTemplate(template, kind, keeper);
      pending.created(key, await podControl.create(keeper, pod, signal));
    });
    return isNamespaceTerminating(error) ? undefined : error;
  }
  const results = await Promise.allSettled(
    surplusOf(tools, scaling).map(async (pod) => {
      await podControl.delete(keeper, pod, signal);
      pending.deleted(key, pod);
    }),
  );
  return results.find((result) => result.status === 'rejected')?.reason;
}

function surplusOf(tools: Tools, { keeper, active, missing }: Scaling): readonly Pod[] {
  if (missing >= 0) return [];
  const { clock, isEnabled } = tools.context;
  const now = clock.now();
  const ranked = rankForDeletion(active, {
    related: relatedPods(tools, keeper),
    now,
    countsCost: isEnabled('PodDeletionCost'),
  });
  const going = ranked.slice(0, Math.min(-missing, burstMax));
  tools.onScaleDown({ ranked, going, now });
  return going;
}

/**
 * Active pods of everything that has the same controller: all ReplicaSets of a Deployment. COMPAT:
 * none where nothing controls the keeper, so that its pods may well go from different nodes.
 */
function relatedPods({ keepers, pods }: Tools, keeper: ReplicaKeeper): readonly Pod[] {
  const { uid } = controllerOf(keeper) ?? {};
  const siblings = uid === undefined ? [] : dependentsOf(keepers, { metadata: { uid } });
  return siblings.flatMap((sibling) => dependentsOf(pods, sibling)).filter(isPodActive);
}

async function writeStatus(
  { context, kind }: Tools,
  keeper: ReplicaKeeper,
  observation: ReplicaObservation,
): Promise<void> {
  const status = replicaStatus(keeper, observation);
  if (isSameStatus(keeper.status, status)) return;
  const resource = context.client
    .resource<ReplicaKeeper>(kind.resource)
    .namespace(keeper.metadata.namespace ?? '');
  try {
    await resource.update({ ...keeper, status }, { subresource: 'status' });
  } catch (error) {
    if (!isStatusError(error, 'NotFound')) throw error;
  }
}
