// Keeps the pods of a StatefulSet, each with its identity and its claims, and brings them from one
// template to the next; the history of templates is in ControllerRevisions.
// https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/

import { isStatusError, type KubeObject } from '@keelson/apimachinery';
import type {
  ControllerRevision,
  StatefulSet,
  StatefulSetStatus,
} from '@keelson/apimachinery/types/apps.v1';
import type { PersistentVolumeClaim, Pod } from '@keelson/apimachinery/types/core.v1';
import type { Informer } from '@keelson/client';
import type { Controller, ControllerContext } from '../machinery/controller.ts';
import { keyOf, parseKey } from '../machinery/controller.ts';
import { createControllerEvents } from '../machinery/controller-events.ts';
import type { EventRecorder } from '../machinery/event-recorder.ts';
import { claimDependents, indexByController, tellOwners } from '../machinery/ownership.ts';
import { createPendingWrites, type PendingWrites } from '../machinery/pending-writes.ts';
import { createReconciler } from '../machinery/reconciler.ts';
import {
  controllerRevisionsResource,
  persistentVolumeClaimsResource,
  podsResource,
  statefulSetsResource,
} from '../machinery/resources.ts';
import { requeueLater, type ReconcileResult } from '../machinery/run-controller.ts';
import { isSameStatus } from '../machinery/same-status.ts';
import { eventTarget } from '../pods/pod-control.ts';
import { nextAvailableInMs } from '../pods/pod-state.ts';
import {
  ensureRevision,
  inOrder,
  templateOf,
  truncateHistory,
  type RevisionKind,
} from '../revisions/controller-revisions.ts';
import { rawDataHash } from '../revisions/raw-hash.ts';
import type { ClaimWrites } from './claims.ts';
import { ordinalOf, revisionOf, selectorOf, statefulSetKind } from './identity.ts';
import { planPods, type PodPlan } from './plan-pods.ts';
import { carryOut } from './pod-writes.ts';
import { statefulSetStatus, type RevisionNames } from './stateful-set-status.ts';

const workers = 5;
const revisionKind: RevisionKind = {
  ownerKind: statefulSetKind,
  hashLabel: 'controller.kubernetes.io/hash',
  hashOf: (_set, data, collisions) => rawDataHash(data, collisions),
};

const nothing: PodPlan = { isOrdered: true, phases: [] };

interface Tools {
  readonly context: ControllerContext;
  readonly sets: Informer<StatefulSet>;
  readonly pods: Informer<Pod>;
  readonly claims: Informer<PersistentVolumeClaim>;
  readonly revisions: Informer<ControllerRevision>;
  readonly events: EventRecorder;
  readonly pending: PendingWrites;
}

export function createStatefulSetController(context: ControllerContext): Controller {
  const { informers, clock } = context;
  const tools: Tools = {
    context,
    sets: informers.informer<StatefulSet>(statefulSetsResource),
    pods: informers.informer<Pod>(podsResource),
    claims: informers.informer<PersistentVolumeClaim>(persistentVolumeClaimsResource),
    revisions: informers.informer<ControllerRevision>(controllerRevisionsResource),
    events: createControllerEvents(context, 'statefulset-controller'),
    pending: createPendingWrites(informers.informer<Pod>(podsResource), clock),
  };
  const { sets, pods, claims, revisions } = tools;
  indexByController(pods);
  indexByController(revisions);
  return createReconciler(context, {
    failure: 'StatefulSet not reconciled',
    queue: 'statefulset',
    workers,
    reads: [sets, pods, claims, revisions],
    subscribe: (queue) => {
      const enqueue = (set: KubeObject) => queue.add(keyOf(set));
      return [
        sets.addHandler({ onAdd: enqueue, onUpdate: enqueue, onDelete: enqueue }),
        pods.addHandler(tellOwners(sets, selectorOf, enqueue)),
      ];
    },
    reconcile: (key, signal) => reconcile(tools, key, signal),
  });
}

async function reconcile(tools: Tools, key: string, signal: AbortSignal): Promise<ReconcileResult> {
  const { context, sets, pending, events } = tools;
  const { namespace, name } = parseKey(key);
  const set = sets.store.get(namespace, name);
  if (set === undefined) return pending.forget(key);
  const history = inOrder(await claimRevisions(tools, set, signal));
  const pods = await claimPods(tools, set, signal);
  const writes = { client: context.client, kind: revisionKind, signal };
  const { revision: update, collisions } = await ensureRevision(writes, set, history);
  const known = set.status?.currentRevision;
  const current = history.find(({ metadata }) => metadata.name === known) ?? update;
  const names: RevisionNames = {
    current: current.metadata.name ?? '',
    update: update.metadata.name ?? '',
    collisions,
  };
  const about = eventTarget(statefulSetKind, set);
  const claimWrites: ClaimWrites = {
    client: context.client,
    claims: tools.claims,
    tell: (type, reason, message) => events.record(about, { type, reason, message }),
    signal,
  };
  const now = context.clock.now();
  const { template } = set.spec;
  const { isEnabled } = context;
  const plan = pending.areSeen(key)
    ? planPods({
        set,
        pods,
        current: { name: names.current, template: templateOf(current) ?? template },
        update: { name: names.update, template },
        now,
        labelsIndex: isEnabled('PodIndexLabel'),
        limitsUnavailable: isEnabled('MaxUnavailableStatefulSet'),
      })
    : nothing;
  const { error, isWaiting } = await carryOut({ ...claimWrites, pending, key }, set, plan);
  await writeStatus(tools, set, statefulSetStatus(set, pods, names, now), signal);
  const used = new Set([names.current, names.update, ...pods.map(revisionOf)]);
  const unused = history.filter(({ metadata }) => !used.has(metadata.name ?? ''));
  await truncateHistory(writes, set, unused);
  if (error !== undefined) throw error;
  if (isWaiting) return requeueLater;
  const waitMs = nextAvailableInMs(pods, set.spec.minReadySeconds ?? 0, now);
  return waitMs === undefined ? undefined : { requeueAfterMs: waitMs };
}

function claimPods({ context, pods }: Tools, set: StatefulSet, signal: AbortSignal) {
  return claimDependents<Pod>({
    client: context.client,
    ownerKind: statefulSetKind,
    owner: set,
    selector: selectorOf(set),
    dependents: pods,
    dependentResource: podsResource,
    concerns: (pod) => ordinalOf(set, pod) !== undefined,
    signal,
  });
}

function claimRevisions({ context, revisions }: Tools, set: StatefulSet, signal: AbortSignal) {
  return claimDependents<ControllerRevision>({
    client: context.client,
    ownerKind: statefulSetKind,
    owner: set,
    selector: selectorOf(set),
    dependents: revisions,
    dependentResource: controllerRevisionsResource,
    signal,
  });
}

async function writeStatus(
  { context }: Tools,
  set: StatefulSet,
  status: StatefulSetStatus,
  signal: AbortSignal,
): Promise<void> {
  if (isSameStatus(set.status, status)) return;
  const sets = context.client.resource<StatefulSet>(statefulSetsResource);
  try {
    await sets
      .namespace(set.metadata.namespace ?? '')
      .update({ ...set, status }, { subresource: 'status', signal });
  } catch (error) {
    if (!isStatusError(error, 'NotFound')) throw error;
  }
}
