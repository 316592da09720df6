// Whether a node takes a pod that was bound to it: enough of everything, its own labels, free
// ports. The scheduler has looked already, but pods with `nodeName` never met it, and two
// schedulers may have had the same idea. A pod that is refused fails, for good.

import {
  addLists,
  podRequests,
  quantityMilliValue,
  quantityValue,
  readResourceList,
  zeroQuantity,
  type ResourceList,
} from '@keelson/apimachinery';
import type { Node, Pod } from '@keelson/apimachinery/types/core.v1';

export interface Refusal {
  readonly reason: string;
  readonly message: string;
}

/** `others`: pods that the node has and that have not ended. */
export function refusalOf(pod: Pod, node: Node, others: readonly Pod[]): Refusal | undefined {
  const shortage = shortageOf(pod, node, others);
  if (shortage !== undefined) return outOf(shortage);
  if (!matchesSelector(pod, node))
    return predicate('NodeAffinity', "node(s) didn't match Pod's node affinity/selector");
  const taken = new Set(others.flatMap(hostPorts));
  if (hostPorts(pod).some((port) => taken.has(port)))
    return predicate('NodePorts', "node(s) didn't have free ports for the requested pod ports");
  return undefined;
}

export interface Shortage {
  readonly resource: string;
  readonly requested: bigint;
  readonly used: bigint;
  readonly capacity: bigint;
}

/** The first resource of which there is not enough; cpu in thousandths. */
export function shortageOf(
  pod: Pod,
  { status }: Node,
  others: readonly Pod[],
): Shortage | undefined {
  const allocatable = readResourceList(status?.allocatable);
  const amountIn = (list: ResourceList, resource: string) => {
    const quantity = list.get(resource) ?? zeroQuantity;
    return resource === 'cpu' ? quantityMilliValue(quantity) : quantityValue(quantity);
  };
  const podsMax = amountIn(allocatable, 'pods');
  const podsUsed = BigInt(others.length);
  if (podsUsed + 1n > podsMax)
    return { resource: 'pods', requested: 1n, used: podsUsed, capacity: podsMax };
  const inUse = others.map(requestsOf).reduce<ResourceList>(addLists, new Map());
  const wanted = requestsOf(pod);
  for (const resource of wanted.keys()) {
    const requested = amountIn(wanted, resource);
    const used = amountIn(inUse, resource);
    const capacity = amountIn(allocatable, resource);
    if (requested > 0n && used + requested > capacity)
      return { resource, requested, used, capacity };
  }
  return undefined;
}

function requestsOf(pod: Pod): ResourceList {
  return podRequests(pod, { podLevel: true, overhead: true });
}

function outOf(shortage: Shortage): Refusal {
  return {
    reason: `OutOf${shortage.resource}`,
    message: `Pod was rejected: ${formatShortage(shortage)}`,
  };
}

export function formatShortage({ resource, requested, used, capacity }: Shortage): string {
  const amounts = `requested: ${requested}, used: ${used}, capacity: ${capacity}`;
  return `Node didn't have enough resource: ${resource}, ${amounts}`;
}

function predicate(name: string, why: string): Refusal {
  return { reason: name, message: `Pod was rejected: Predicate ${name} failed: ${why}` };
}

function matchesSelector({ spec }: Pod, { metadata }: Node): boolean {
  const labels = metadata?.labels ?? {};
  return Object.entries(spec?.nodeSelector ?? {}).every(([key, value]) => labels[key] === value);
}

/** `TCP 0.0.0.0 80`; with the address, for one port may serve several. */
function hostPorts({ spec }: Pod): string[] {
  return (spec?.containers ?? []).flatMap(({ ports = [] }) =>
    ports
      .filter(({ hostPort = 0 }) => Number(hostPort) > 0)
      .map(({ protocol = 'TCP', hostIP = '0.0.0.0', hostPort }) =>
        [protocol, hostIP, hostPort].join(' '),
      ),
  );
}
