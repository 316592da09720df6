// How long kubelets may keep Secrets and ConfigMaps before they ask again: longer, the more nodes
// there are. It is an annotation of each node, written when the node changes.

import { isStatusError } from '@keelson/apimachinery';
import type { Node } from '@keelson/apimachinery/types/core.v1';
import type { Controller, ControllerContext } from '../machinery/controller.ts';
import { keyOf } from '../machinery/controller.ts';
import { createReconciler } from '../machinery/reconciler.ts';
import { nodesResource } from '../machinery/resources.ts';

const annotation = 'node.alpha.kubernetes.io/ttl';

/** Sizes overlap, so that a cluster about as large as a bound does not go to and fro. */
const steps = [
  { sizeMin: 0, sizeMax: 100, ttlSeconds: 0 },
  { sizeMin: 90, sizeMax: 500, ttlSeconds: 15 },
  { sizeMin: 450, sizeMax: 1_000, ttlSeconds: 30 },
  { sizeMin: 900, sizeMax: 2_000, ttlSeconds: 60 },
  { sizeMin: 1_800, sizeMax: 10_000, ttlSeconds: 300 },
  { sizeMin: 9_000, sizeMax: Infinity, ttlSeconds: 600 },
] as const;

/** The step after `step`, for a cluster of so many nodes. */
export function nextTtlStep(step: number, size: number): number {
  let next = step;
  while (size > (steps[next]?.sizeMax ?? Infinity)) next++;
  while (size < (steps[next]?.sizeMin ?? 0)) next--;
  return next;
}
export function ttlSecondsOf(step: number): number {
  return steps[step]?.ttlSeconds ?? 0;
}

export function createTtlController(context: ControllerContext): Controller {
  const { client, informers } = context;
  const nodes = informers.informer<Node>(nodesResource);
  let step = 0;
  return createReconciler(context, {
    failure: 'annotation of the node not written',
    queue: 'ttlcontroller',
    workers: 5,
    reads: [nodes],
    subscribe: (queue) => {
      const enqueue = (node: Node) => queue.add(keyOf(node));
      return [nodes.addHandler({ onAdd: enqueue, onUpdate: enqueue })];
    },
    async reconcile(name, signal) {
      const node = nodes.store.get('', name);
      if (node === undefined) return;
      step = nextTtlStep(step, nodes.store.size);
      const ttl = String(ttlSecondsOf(step));
      if (node.metadata.annotations?.[annotation] === ttl) return;
      const patch = { metadata: { annotations: { [annotation]: ttl } } };
      try {
        await client.resource(nodesResource).patch(name, 'strategic', patch, { signal });
      } catch (error) {
        if (!isStatusError(error, 'NotFound')) throw error;
      }
    },
  });
}
