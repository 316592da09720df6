// Deletes pods from nodes with taints of the effect NoExecute that they do not bear, or not for
// longer. The time runs from when this controller first sees pod and taint together.

import { isStatusError } from '@keelson/apimachinery';
import type { Node, Pod } from '@keelson/apimachinery/types/core.v1';
import type { Informer } from '@keelson/client';
import type { Controller, ControllerContext } from '../machinery/controller.ts';
import { errorText, keyOf, parseKey } from '../machinery/controller.ts';
import type { ControllerMetrics } from '../machinery/controller-metrics.ts';
import { createEventRecorder, type EventRecorder } from '../machinery/event-recorder.ts';
import { createReconciler } from '../machinery/reconciler.ts';
import { nodesResource, podsResource } from '../machinery/resources.ts';
import type { ReconcileResult } from '../machinery/run-controller.ts';
import { withPodCondition } from '../pods/pod-conditions.ts';
import { indexByNode, podsOnNode } from '../pods/pods-by-node.ts';
import { toleratedMs } from './tolerated-ms.ts';

const workers = 8;

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
  const { client, informers, clock, log, metrics } = context;
  const pods = informers.informer<Pod>(podsResource);
  const nodes = informers.informer<Node>(nodesResource);
  indexByNode(pods);
  const events = createEventRecorder({
    client,
    clock,
    component: 'taint-eviction-controller',
    onError: (error) => log.warn('event not written', { error: errorText(error) }),
  });
  const deleted = createDeletionMetrics(metrics);
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
  const waitMs = taints.length === 0 ? Infinity : toleratedMs(taints, pod.spec?.tolerations ?? []);
  if (waitMs === Infinity) return cancel(tools, key);
  const now = context.clock.now();
  const eviction = scheduled(tools, { key, pod, waitMs, now });
  if (eviction.dueMs > now) return { requeueAfterMs: eviction.dueMs - now };
  if (!eviction.isDone) {
    evictions.set(key, { ...eviction, isDone: true });
    tell(tools, key, pod.metadata.uid ?? '', 'Marking for deletion');
  }
  await evict(tools, pod, { dueMs: eviction.dueMs, signal });
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

/** The condition first: whoever counts failures of the pod must see why it ended. */
async function evict(
  { context, deleted }: Tools,
  pod: Pod,
  { dueMs, signal }: { readonly dueMs: number; readonly signal: AbortSignal },
): Promise<void> {
  const { namespace = '', name = '', uid = '' } = pod.metadata;
  const pods = context.client.resource<Pod>(podsResource).namespace(namespace);
  const condition = withPodCondition(
    pod,
    {
      type: 'DisruptionTarget',
      status: 'True',
      reason: 'DeletionByTaintManager',
      message: 'Taint manager: deleting due to NoExecute taint',
    },
    context.clock.now(),
  ).at(-1);
  const patch = { metadata: { uid }, status: { conditions: [{ ...condition }] } };
  try {
    await pods.patch(name, 'strategic', patch, { subresource: 'status', signal });
    await pods.delete(name, { preconditions: { uid }, signal });
    deleted(context.clock.now() - dueMs);
  } catch (error) {
    if (!isStatusError(error, 'NotFound')) throw error;
  }
}

function createDeletionMetrics(metrics: ControllerMetrics): (lateMs: number) => void {
  const count = metrics.counter(
    'taint_eviction_controller_pod_deletions_total',
    '[ALPHA] Total number of Pods deleted by TaintEvictionController since its start.',
  );
  const seconds = metrics.histogram(
    'taint_eviction_controller_pod_deletion_duration_seconds',
    '[ALPHA] Latency, in seconds, between the time when a taint effect has been activated for the Pod and its deletion via TaintEvictionController.',
    [0.005, 0.025, 0.1, 0.5, 1, 2.5, 10, 30, 60, 120, 180, 240],
  );
  return (lateMs) => {
    count.add({});
    seconds.observe({}, lateMs / 1000);
  };
}
