// Deletes pods from nodes with taints of the effect NoExecute that they do not bear, or not for
// longer. The time runs from when this controller first sees pod and taint together.

import type { Node, Pod } from '@keelson/apimachinery/types/core.v1';
import type { Informer } from '@keelson/client';
import type { Controller, ControllerContext } from '../machinery/controller.ts';
import { keyOf, parseKey } from '../machinery/controller.ts';
import { createControllerEvents } from '../machinery/controller-events.ts';
import type { EventRecorder } from '../machinery/event-recorder.ts';
import { createReconciler } from '../machinery/reconciler.ts';
import { nodesResource, podsResource } from '../machinery/resources.ts';
import type { ReconcileResult } from '../machinery/run-controller.ts';
import { disruptPod } from '../pods/disrupt-pod.ts';
import { indexByNode, podsOnNode } from '../pods/pods-by-node.ts';
import { createDeletionMetrics } from './deletion-metrics.ts';
import { toleratedMs } from './tolerated-ms.ts';

const workers = 8;
const whyDisrupted = {
  reason: 'DeletionByTaintManager',
  message: 'Taint manager: deleting due to NoExecute taint',
};

interface Eviction {
  readonly uid: string;
  readonly sinceMs: number;
  readonly dueMs: number;
  readonly isDone: boolean;
}

interface Tools {
  readonly context: ControllerContext;
  readonly pods: Informer<Pod>;
  readonly nodes: Informer<Node>;
  readonly events: EventRecorder;
  readonly evictions: Map<string, Eviction>;
  /** A pod was deleted so many milliseconds after it had to go. */
  deleted(lateMs: number): void;
}

export function createTaintEvictionController(context: ControllerContext): Controller {
  const { informers, metrics } = context;
  const pods = informers.informer<Pod>(podsResource);
  const nodes = informers.informer<Node>(nodesResource);
  indexByNode(pods);
  const events = createControllerEvents(context, 'taint-eviction-controller');
  const deleted = createDeletionMetrics(metrics, {
    subsystem: 'taint_eviction_controller',
    controller: 'TaintEvictionController',
    since: 'a taint effect has been activated for the Pod and its deletion',
  });
  const tools: Tools = { context, pods, nodes, events, evictions: new Map(), deleted };
  return createReconciler(context, {
    failure: 'pod not evicted',
    queue: 'noexec_taint_pod',
    workers,
    reads: [pods, nodes],
    subscribe: (queue) => {
      const enqueue = (pod: Pod) => queue.add(keyOf(pod));
      const enqueuePodsOf = ({ metadata }: Node) =>
        podsOnNode(pods, metadata.name ?? '').forEach(enqueue);
      const taintsOf = (node: Node) => JSON.stringify(evictingTaints(node));
      return [
        pods.addHandler({ onAdd: enqueue, onUpdate: enqueue, onDelete: enqueue }),
        nodes.addHandler({
          onAdd: enqueuePodsOf,
          onUpdate: (node, old) => taintsOf(node) !== taintsOf(old) && enqueuePodsOf(node),
          onDelete: enqueuePodsOf,
        }),
      ];
    },
    reconcile: (key, signal) => reconcile(tools, key, signal),
  });
}

function evictingTaints(node: Node | undefined) {
  return (node?.spec?.taints ?? []).filter(({ effect }) => effect === 'NoExecute');
}

async function reconcile(tools: Tools, key: string, signal: AbortSignal): Promise<ReconcileResult> {
  const { context, pods, nodes, evictions } = tools;
  const { namespace, name } = parseKey(key);
  const pod = pods.store.get(namespace, name);
  const before = evictions.get(key);
  if (pod === undefined || (before !== undefined && before.uid !== pod.metadata.uid))
    cancel(tools, key);
  if (pod === undefined || pod.metadata.deletionTimestamp !== undefined) return;
  const taints = evictingTaints(nodes.store.get('', pod.spec?.nodeName ?? ''));
  const borneMs = toleratedMs(taints, pod.spec?.tolerations ?? []);
  if (borneMs === Infinity) return cancel(tools, key);
  // What was to come later is taken back for what comes now.
  if (borneMs === undefined && evictions.get(key)?.isDone === false) cancel(tools, key);
  const now = context.clock.now();
  const eviction = scheduled(tools, { key, pod, waitMs: borneMs ?? 0, now });
  if (eviction.dueMs > now) return { requeueAfterMs: eviction.dueMs - now };
  if (!eviction.isDone) {
    evictions.set(key, { ...eviction, isDone: true });
    tell(tools, key, pod.metadata.uid ?? '', 'Marking for deletion');
  }
  if (await disruptPod(context, pod, whyDisrupted, signal))
    tools.deleted(context.clock.now() - eviction.dueMs);
}

interface Scheduling {
  readonly key: string;
  readonly pod: Pod;
  readonly waitMs: number;
  readonly now: number;
}

/** A shorter wait than before counts at once; a longer one starts when it is known. */
function scheduled({ evictions }: Tools, { key, pod, waitMs, now }: Scheduling): Eviction {
  const before = evictions.get(key);
  const sinceMs = before?.sinceMs ?? now;
  const dueMs = waitMs === 0 ? now : sinceMs + waitMs;
  if (before !== undefined && (before.isDone || before.dueMs <= dueMs)) return before;
  const { uid = '' } = pod.metadata;
  const eviction = { uid, sinceMs, dueMs, isDone: false };
  evictions.set(key, eviction);
  return eviction;
}

function cancel(tools: Tools, key: string): void {
  const eviction = tools.evictions.get(key);
  tools.evictions.delete(key);
  if (eviction?.isDone === false) tell(tools, key, eviction.uid, 'Cancelling deletion of');
}

function tell({ events }: Tools, key: string, uid: string, what: string): void {
  const { namespace, name } = parseKey(key);
  events.record(
    { apiVersion: 'v1', kind: 'Pod', namespace, name, uid },
    { type: 'Normal', reason: 'TaintManagerEviction', message: `${what} Pod ${key}` },
  );
}
