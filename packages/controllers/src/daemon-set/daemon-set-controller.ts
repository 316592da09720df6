// Keeps a pod of each DaemonSet on each node that is eligible, and brings them from one template to
// the next; the history of templates is in ControllerRevisions.
// https://kubernetes.io/docs/concepts/workloads/controllers/daemonset/

import { isStatusError, jsonEqual, type JsonValue, type KubeObject } from '@keelson/apimachinery';
import type {
  ControllerRevision,
  DaemonSet,
  DaemonSetStatus,
} from '@keelson/apimachinery/types/apps.v1';
import type { Node, Pod } from '@keelson/apimachinery/types/core.v1';
import type { Informer } from '@keelson/client';
import type { Controller, ControllerContext } from '../machinery/controller.ts';
import { keyOf, parseKey } from '../machinery/controller.ts';
import { createControllerEvents } from '../machinery/controller-events.ts';
import { claimDependents, indexByController, tellOwners } from '../machinery/ownership.ts';
import { createPendingWrites } from '../machinery/pending-writes.ts';
import { createReconciler } from '../machinery/reconciler.ts';
import {
  controllerRevisionsResource,
  daemonSetsResource,
  nodesResource,
  podsResource,
} from '../machinery/resources.ts';
import { requeueLater, type ReconcileResult } from '../machinery/run-controller.ts';
import { isSameStatus } from '../machinery/same-status.ts';
import { createPodControl, eventTarget } from '../pods/pod-control.ts';
import { isPodFinished, nextAvailableInMs } from '../pods/pod-state.ts';
import { podTemplateHash } from '../pods/template-hash.ts';
import {
  ensureRevision,
  inOrder,
  truncateHistory,
  type RevisionKind,
} from '../revisions/controller-revisions.ts';
import { daemonSetKind, hashOf, nodeNameOf, revisionLabel, selectorOf } from './daemon-pod.ts';
import { daemonSetStatus } from './daemon-set-status.ts';
import { eligibilityOf } from './eligible-nodes.ts';
import { createFailedPods } from './failed-pods.ts';
import type { DaemonNodes } from './plan-pods.ts';
import { carryOut, type PodWrites } from './pod-writes.ts';
import { tidyHistory } from './tidy-history.ts';

const workers = 2;
const component = 'daemonset-controller';
const revisionKind: RevisionKind = {
  ownerKind: daemonSetKind,
  hashLabel: revisionLabel,
  hashOf: ({ spec }, _data, collisions) =>
    podTemplateHash(spec.template, collisions === 0 ? undefined : collisions),
};

interface Tools extends PodWrites {
  readonly context: ControllerContext;
  readonly daemonSets: Informer<DaemonSet>;
  readonly pods: Informer<Pod>;
  readonly nodes: Informer<Node>;
  readonly revisions: Informer<ControllerRevision>;
}

export function createDaemonSetController(context: ControllerContext): Controller {
  const { client, informers, clock } = context;
  const pods = informers.informer<Pod>(podsResource);
  const events = createControllerEvents(context, component);
  const tools: Tools = {
    context,
    daemonSets: informers.informer<DaemonSet>(daemonSetsResource),
    pods,
    nodes: informers.informer<Node>(nodesResource),
    revisions: informers.informer<ControllerRevision>(controllerRevisionsResource),
    events,
    podControl: createPodControl({ client, events, ownerKind: daemonSetKind }),
    pending: createPendingWrites(pods, clock),
    failedPods: createFailedPods(),
  };
  const { daemonSets, nodes, revisions } = tools;
  indexByController(pods);
  indexByController(revisions);
  return createReconciler(context, {
    failure: 'DaemonSet not reconciled',
    queue: 'daemonset',
    workers,
    reads: [daemonSets, pods, nodes, revisions],
    subscribe: (queue) => {
      const enqueue = (daemonSet: KubeObject) => queue.add(keyOf(daemonSet));
      const enqueueAll = () => daemonSets.store.list().forEach(enqueue);
      return [
        daemonSets.addHandler({ onAdd: enqueue, onUpdate: enqueue, onDelete: enqueue }),
        pods.addHandler(tellOwners(daemonSets, selectorOf, enqueue)),
        nodes.addHandler({
          onAdd: enqueueAll,
          // Heartbeats concern nobody here.
          onUpdate: (node, old) => {
            if (!isAsEligible(node, old)) enqueueAll();
          },
          onDelete: enqueueAll,
        }),
      ];
    },
    reconcile: (key, signal) => reconcile(tools, key, signal),
  });
}

function isAsEligible({ metadata, spec }: Node, old: Node): boolean {
  const facts = (labels: object = {}, taints: readonly object[] = []) =>
    [labels, taints] as unknown as JsonValue;
  return jsonEqual(
    facts(metadata.labels, spec?.taints),
    facts(old.metadata.labels, old.spec?.taints),
  );
}

async function reconcile(tools: Tools, key: string, signal: AbortSignal): Promise<ReconcileResult> {
  const { context, daemonSets, events, pending } = tools;
  const { namespace, name } = parseKey(key);
  const daemonSet = daemonSets.store.get(namespace, name);
  if (daemonSet === undefined) return pending.forget(key);
  if (selectsAll(daemonSet)) {
    const message = 'This daemon set is selecting all pods. A non-empty selector is required.';
    const about = eventTarget(daemonSetKind, daemonSet);
    return events.record(about, { type: 'Warning', reason: 'SelectingAll', message });
  }
  if (daemonSet.metadata.deletionTimestamp !== undefined) return;
  const history = inOrder(
    await claimDependents({
      ...claimOptions(tools, daemonSet, signal),
      dependents: tools.revisions,
      dependentResource: controllerRevisionsResource,
    }),
  );
  const writes = { client: context.client, kind: revisionKind, signal };
  const claimed = await claimDependents({
    ...claimOptions(tools, daemonSet, signal),
    dependents: tools.pods,
    dependentResource: podsResource,
  });
  if (await tidyHistory(writes, { daemonSet, history, pods: claimed })) return requeueLater;
  const { revision, collisions } = await ensureRevision(writes, daemonSet, history);
  const hash = hashOf(revision);
  const state = stateOf(tools, daemonSet, claimed, hash);
  const { error, waitMs } = await carryOut(tools, state, { key, signal });
  await writeStatus(tools, daemonSet, daemonSetStatus(state, collisions), signal);
  const old = history.filter((known) => hashOf(known) !== hash);
  const used = new Set(claimed.map(hashOf));
  await truncateHistory(writes, daemonSet, old, (known) => used.has(hashOf(known)));
  if (error !== undefined) throw error;
  const availableMs = nextAvailableInMs(claimed, daemonSet.spec.minReadySeconds ?? 0, state.now);
  const ms = Math.min(waitMs ?? Infinity, availableMs ?? Infinity);
  return ms === Infinity ? undefined : { requeueAfterMs: ms };
}

function selectsAll({ spec }: DaemonSet): boolean {
  const { matchLabels = {}, matchExpressions } = spec.selector;
  return Object.keys(matchLabels).length === 0 && (matchExpressions ?? []).length === 0;
}

/** What all claims of a DaemonSet have in common. */
function claimOptions({ context }: Tools, daemonSet: DaemonSet, signal: AbortSignal) {
  const selector = selectorOf(daemonSet);
  return { client: context.client, ownerKind: daemonSetKind, owner: daemonSet, selector, signal };
}

/** Pods that have ended and are going are as good as gone; those for no node are nobody's. */
function stateOf(
  { nodes, context }: Tools,
  daemonSet: DaemonSet,
  claimed: readonly Pod[],
  hash: string,
): DaemonNodes {
  const eligibility = eligibilityOf(daemonSet);
  const pods = claimed.filter(
    (pod) =>
      nodeNameOf(pod) !== undefined &&
      !(isPodFinished(pod) && pod.metadata.deletionTimestamp !== undefined),
  );
  return {
    daemonSet,
    hash,
    pods: Map.groupBy(pods, (pod) => nodeNameOf(pod) ?? ''),
    nodes: new Map(
      nodes.store.list().map((node) => [node.metadata.name ?? '', eligibility(node)] as const),
    ),
    now: context.clock.now(),
  };
}

async function writeStatus(
  { context }: Tools,
  daemonSet: DaemonSet,
  status: DaemonSetStatus,
  signal: AbortSignal,
): Promise<void> {
  if (isSameStatus(daemonSet.status, status)) return;
  const daemonSets = context.client.resource<DaemonSet>(daemonSetsResource);
  try {
    await daemonSets
      .namespace(daemonSet.metadata.namespace ?? '')
      .update({ ...daemonSet, status }, { subresource: 'status', signal });
  } catch (error) {
    if (!isStatusError(error, 'NotFound')) throw error;
  }
}
