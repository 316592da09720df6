// Gives each node a block of addresses for its pods, of every range of the cluster:
// `spec.podCIDRs`, written once. What a node has, whoever gave it, is nobody else's until the node
// is gone. A block that was chosen for a node stays its own while writing it fails, so nothing is
// lost or given twice when nobody knows whether it was written.

import { formatIp, isStatusError, networkOf } from '@keelson/apimachinery';
import type { Node } from '@keelson/apimachinery/types/core.v1';
import type { Controller, ControllerContext } from '../machinery/controller.ts';
import { keyOf } from '../machinery/controller.ts';
import { createControllerEvents } from '../machinery/controller-events.ts';
import { createReconciler } from '../machinery/reconciler.ts';
import { nodesResource } from '../machinery/resources.ts';
import { eventTarget } from '../pods/pod-control.ts';
import { createCidrSet, type CidrSet } from './cidr-set.ts';
import { createCidrSetMeter } from './cidr-set-metrics.ts';
import { parseNodeRanges, type NodeCidrSettings, type NodeRange } from './node-ranges.ts';

export interface NodeIpamOptions {
  readonly settings: NodeCidrSettings;
  /** Ranges of Services, of which nodes get nothing. */
  readonly serviceCidrs: readonly string[];
}

const nodeKind = { apiVersion: 'v1', kind: 'Node', resource: nodesResource };
const workers = 30;
/** At once; then the node waits its turn. */
const writesMax = 3;

/** Throws NodeRangeError. */
export function createNodeIpamController(
  context: ControllerContext,
  { settings, serviceCidrs }: NodeIpamOptions,
): Controller {
  const { informers, log } = context;
  const nodes = informers.informer<Node>(nodesResource);
  const events = createControllerEvents(context, 'cidrAllocator');
  const blocks = createNodeBlocks(
    parseNodeRanges(settings).map((range) => {
      const set = createCidrSet(range, createCidrSetMeter(context.metrics, cidrText(range)));
      for (const cidr of serviceCidrs) set.occupy(cidr);
      return set;
    }),
  );
  const tell = (node: Node, reason: string) => {
    const message = `Node ${node.metadata.name} status is now: ${reason}`;
    events.record(eventTarget(nodeKind, node), { type: 'Normal', reason, message });
  };
  return createReconciler(context, {
    failure: 'addresses of the node not assigned',
    queue: 'cidrallocator_node',
    workers,
    reads: [nodes],
    subscribe(queue) {
      const look = (node: Node) => {
        const { podCIDRs = [] } = node.spec;
        // All that is in use is known before the first worker begins.
        if (podCIDRs.length === 0) queue.add(keyOf(node));
        else if (!blocks.adopt(keyOf(node), podCIDRs))
          log.warn('addresses of a node are not of the cluster', { node: keyOf(node), podCIDRs });
      };
      const release = (node: Node) => blocks.release(keyOf(node));
      return [nodes.addHandler({ onAdd: look, onUpdate: look, onDelete: release })];
    },
    async reconcile(name, signal) {
      const node = nodes.store.get('', name);
      const isDone = (node?.spec.podCIDRs ?? []).length > 0;
      if (node === undefined || isDone || node.metadata.deletionTimestamp !== undefined) return;
      const podCIDRs = blocks.choose(name);
      if (podCIDRs === undefined) {
        tell(node, 'CIDRNotAvailable');
        throw new Error('there are no remaining CIDRs left to allocate in the accepted range');
      }
      try {
        await writeBlocks(context, node, podCIDRs, signal);
      } catch (error) {
        if (isStatusError(error, 'NotFound')) return;
        // Another node has the name by now.
        const isOther = isStatusError(error, 'Conflict');
        if (!signal.aborted && !isOther) tell(node, 'CIDRAssignmentFailed');
        throw error;
      }
    },
  });
}

const cidrText = ({ cidr }: NodeRange) =>
  `${formatIp({ family: cidr.family, value: networkOf(cidr) })}/${cidr.bits}`;

interface NodeBlocks {
  /** What the node has now. False when a part of it is not of the cluster. */
  adopt(name: string, cidrs: readonly string[]): boolean;
  /** The node's blocks, chosen now or before; undefined when a range has none left. */
  choose(name: string): readonly string[] | undefined;
  release(name: string): void;
}

function createNodeBlocks(sets: readonly CidrSet[]): NodeBlocks {
  const held = new Map<string, readonly string[]>();
  const free = (cidrs: readonly string[]) => cidrs.forEach((cidr, at) => sets[at]?.release(cidr));
  const release = (name: string) => {
    free(held.get(name) ?? []);
    held.delete(name);
  };
  return {
    release,
    adopt(name, cidrs) {
      if (held.get(name)?.join() === cidrs.join()) return true;
      release(name);
      held.set(name, cidrs);
      const occupied = cidrs.map((cidr, at) => sets[at]?.occupy(cidr) === true);
      return occupied.every(Boolean);
    },
    choose(name) {
      const known = held.get(name);
      if (known !== undefined) return known;
      const taken: string[] = [];
      for (const set of sets) {
        const cidr = set.take();
        if (cidr !== undefined) taken.push(cidr);
        else return void free(taken);
      }
      held.set(name, taken);
      return taken;
    },
  };
}

async function writeBlocks(
  { client }: ControllerContext,
  { metadata: { name = '', uid = '' } }: Node,
  podCIDRs: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const [podCIDR = ''] = podCIDRs;
  const patch = { metadata: { uid }, spec: { podCIDR, podCIDRs: [...podCIDRs] } };
  for (let write = 1; ; write++)
    try {
      await client.resource(nodesResource).patch(name, 'strategic', patch, { signal });
      return;
    } catch (error) {
      if (signal.aborted || write === writesMax || isStatusError(error, 'NotFound')) throw error;
    }
}
