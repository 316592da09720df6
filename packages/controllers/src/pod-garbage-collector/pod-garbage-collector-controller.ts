// Removes pods that nobody else will: of nodes that are gone, of nodes out of service, pods that
// are being deleted and never had a node, and the oldest finished pods beyond a number. It looks at
// all pods every twenty seconds.

import { isStatusError } from '@keelson/apimachinery';
import type { Node, Pod } from '@keelson/apimachinery/types/core.v1';
import type { Informer } from '@keelson/client';
import type { Controller, ControllerContext } from '../machinery/controller.ts';
import { errorText } from '../machinery/controller.ts';
import { createReconciler } from '../machinery/reconciler.ts';
import { nodesResource, podsResource } from '../machinery/resources.ts';
import { withPodCondition } from '../pods/pod-conditions.ts';
import { isPodFinished } from '../pods/pod-state.ts';
import { isOutOfService, surplusFinishedPods } from './which-pods.ts';

const periodMs = 20_000;
/** A node that is not there may only not be there yet. */
const quarantineMs = 40_000;
/** Finished pods that may stay. */
const finishedMax = 12_500;

interface Tools {
  readonly context: ControllerContext;
  readonly pods: Informer<Pod>;
  readonly nodes: Informer<Node>;
  /** Names of nodes that are missed, and since when. */
  readonly deletions: ReturnType<typeof createDeletionMetrics>;
  readonly missed: Map<string, number>;
}

export function createPodGarbageCollectorController(context: ControllerContext): Controller {
  const pods = context.informers.informer<Pod>(podsResource);
  const nodes = context.informers.informer<Node>(nodesResource);
  const deletions = createDeletionMetrics(context);
  const tools: Tools = { context, pods, nodes, deletions, missed: new Map() };
  return createReconciler(context, {
    failure: 'pods not collected',
    workers: 1,
    reads: [pods, nodes],
    subscribe: (queue) => {
      queue.add('all pods');
      return [];
    },
    async reconcile(_, signal) {
      await collect(tools, signal);
      return { requeueAfterMs: periodMs };
    },
  });
}

async function collect(tools: Tools, signal: AbortSignal): Promise<void> {
  const pods = tools.pods.store.list();
  const nodeOf = ({ spec }: Pod) => tools.nodes.store.get('', spec?.nodeName ?? '');
  const remove = async (pod: Pod, why: Why) => attempt(tools, pod, why, signal);
  for (const pod of surplusFinishedPods(pods, finishedMax)) await remove(pod, 'terminated');
  for (const pod of pods) {
    const { deletionTimestamp } = pod.metadata;
    if (deletionTimestamp !== undefined && isOutOfService(nodeOf(pod)))
      await remove(pod, 'out-of-service');
  }
  const gone = await goneNodes(tools, pods, signal);
  for (const pod of pods) if (gone.has(pod.spec?.nodeName ?? '')) await remove(pod, 'orphaned');
  for (const pod of pods) {
    const { deletionTimestamp } = pod.metadata;
    if (deletionTimestamp !== undefined && (pod.spec?.nodeName ?? '') === '')
      await remove(pod, 'unscheduled');
  }
}

/** Asked of the server too: the cache may be behind. */
async function goneNodes(
  { context, nodes, missed }: Tools,
  pods: readonly Pod[],
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  const now = context.clock.monotonic();
  const named = new Set(pods.map(({ spec }) => spec?.nodeName ?? '').filter((name) => name !== ''));
  const absent = [...named].filter((name) => nodes.store.get('', name) === undefined);
  for (const name of missed.keys()) if (!absent.includes(name)) missed.delete(name);
  const gone = new Set<string>();
  for (const name of absent) {
    const since = missed.get(name) ?? now;
    missed.set(name, since);
    if (now - since < quarantineMs) continue;
    try {
      await context.client.resource(nodesResource).get(name, { signal });
    } catch (error) {
      if (!isStatusError(error, 'NotFound')) throw error;
      gone.add(name);
    }
  }
  return gone;
}

/** As metrics call it. */
type Why = 'terminated' | 'out-of-service' | 'orphaned' | 'unscheduled';

function createDeletionMetrics({ metrics }: ControllerContext) {
  const deleted = metrics.counter(
    'pod_gc_collector_force_delete_pods_total',
    '[ALPHA] Number of pods that are being forcefully deleted since the Pod GC Controller started.',
  );
  const errors = metrics.counter(
    'pod_gc_collector_force_delete_pod_errors_total',
    '[ALPHA] Number of errors encountered when forcefully deleting the pods since the Pod GC Controller started.',
  );
  return {
    done: (namespace: string, reason: Why) => deleted.add({ namespace, reason }),
    failed: (namespace: string, reason: Why) => errors.add({ namespace, reason }),
  };
}

interface Change {
  readonly reason: string;
  readonly message: string;
}
const orphaned: Change = {
  reason: 'DeletionByPodGC',
  message: 'PodGC: node no longer exists',
};

async function attempt(
  { context, deletions }: Tools,
  pod: Pod,
  why: Why,
  signal: AbortSignal,
): Promise<void> {
  const { namespace = '', name } = pod.metadata;
  const change = why === 'orphaned' ? orphaned : undefined;
  try {
    await failAndDelete(context, pod, { change, signal });
    deletions.done(namespace, why);
  } catch (error) {
    if (isStatusError(error, 'NotFound') || isStatusError(error, 'Conflict')) return;
    deletions.failed(namespace, why);
    context.log.warn('pod not collected', { pod: `${namespace}/${name}`, error: errorText(error) });
  }
}

/** No kubelet will say how the pod ended, so it failed. */
async function failAndDelete(
  { client, clock }: ControllerContext,
  pod: Pod,
  { change, signal }: { readonly change: Change | undefined; readonly signal: AbortSignal },
): Promise<void> {
  const { namespace = '', name = '', uid = '' } = pod.metadata;
  const pods = client.resource<Pod>(podsResource).namespace(namespace);
  if (!isPodFinished(pod)) {
    const text = change && { type: 'DisruptionTarget', status: 'True', ...change };
    const condition = text && withPodCondition(pod, text, clock.now()).at(-1);
    const conditions = condition === undefined ? {} : { conditions: [{ ...condition }] };
    const status = { phase: 'Failed', ...conditions };
    const patch = { metadata: { uid }, status };
    await pods.patch(name, 'strategic', patch, { subresource: 'status', signal });
  }
  await pods.delete(name, { gracePeriodSeconds: 0, preconditions: { uid }, signal });
}
