// Whether a node takes a pod that was bound to it: it is there to stay, no pressure, the right
// operating system, enough of everything, its own labels, free ports, taints that do not drive the
// pod away. The scheduler has looked already, but pods with `nodeName` never met it, and two
// schedulers may have had the same idea. A pod that is refused fails, for good.

import {
  addLists,
  isBestEffort,
  podRequests,
  quantityMilliValue,
  quantityValue,
  readResourceList,
  zeroQuantity,
  type ResourceList,
} from '@keelson/apimachinery';
import type { Node, Pod } from '@keelson/apimachinery/types/core.v1';
import { isTolerated, requiredNodes } from '@keelson/controllers';
import { isShuttingDown } from './node-object.ts';

export interface Refusal {
  readonly reason: string;
  readonly message: string;
}

/** `others`: pods that the node has and that have not ended. */
export function refusalOf(pod: Pod, node: Node, others: readonly Pod[]): Refusal | undefined {
  if (isShuttingDown(node))
    return { reason: 'NodeShutdown', message: 'Pod was rejected as the node is shutting down.' };
  const wrong = underPressure(pod, node) ?? otherSystem(pod, node);
  if (wrong !== undefined) return wrong;
  const shortage = shortageOf(pod, node, others);
  if (shortage !== undefined) return outOf(shortage);
  const { name = '', labels = {} } = node.metadata ?? {};
  if (requiredNodes(pod)?.({ name, labels }) === false)
    return predicate('NodeAffinity', "node(s) didn't match Pod's node affinity/selector");
  const taken = new Set(others.flatMap(hostPorts));
  if (hostPorts(pod).some((port) => taken.has(port)))
    return predicate('NodePorts', "node(s) didn't have free ports for the requested pod ports");
  if (isDrivenAway(pod, node))
    return predicate('TaintToleration', "node(s) had taints that the pod didn't tolerate");
  return undefined;
}

/** From here on priorities are those of the system. */
const criticalPriority = 2_000_000_000;
export const isCriticalPod = ({ spec }: Pod): boolean =>
  Number(spec?.priority ?? 0) >= criticalPriority;

const memoryPressureTaint = {
  key: 'node.kubernetes.io/memory-pressure',
  effect: 'NoSchedule',
} as const;

/** A node that has little memory, and nothing else, takes pods that asked for their part of it. */
function underPressure(pod: Pod, { status }: Node): Refusal | undefined {
  const pressures = (status?.conditions ?? [])
    .filter(({ type, status: holds }) => type.endsWith('Pressure') && holds === 'True')
    .map(({ type }) => type);
  if (pressures.length === 0 || isCriticalPod(pod)) return undefined;
  const isOnlyMemory = pressures.every((type) => type === 'MemoryPressure');
  const isBorne =
    !isBestEffort(pod, true) || isTolerated(memoryPressureTaint, pod.spec?.tolerations ?? []);
  if (isOnlyMemory && isBorne) return undefined;
  return { reason: 'Evicted', message: `The node had condition: [${pressures.join(' ')}]. ` };
}

const systemLabel = 'kubernetes.io/os';

function otherSystem({ metadata, spec }: Pod, node: Node): Refusal | undefined {
  const system = node.status?.nodeInfo?.operatingSystem;
  const labelled = metadata?.labels?.[systemLabel];
  if (labelled !== undefined && labelled !== node.metadata?.labels?.[systemLabel])
    return {
      reason: 'PodOSSelectorNodeLabelDoesNotMatch',
      message: `Failed to admit pod as the \`${systemLabel}\` label doesn't match node label`,
    };
  if (spec?.os !== undefined && spec.os.name !== system)
    return {
      reason: 'PodOSNotSupported',
      message: "Failed to admit pod as the OS field doesn't match node OS",
    };
  return undefined;
}

function isDrivenAway({ spec }: Pod, node: Node): boolean {
  const { taints = [] } = node.spec ?? {};
  return taints.some(
    (taint) => taint.effect === 'NoExecute' && !isTolerated(taint, spec?.tolerations ?? []),
  );
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
  const fromDevices = new Set(
    pod.status?.extendedResourceClaimStatus?.requestMappings?.map((one) => one.resourceName),
  );
  for (const resource of wanted.keys()) {
    // Its devices were allocated in place of what the node itself has of it.
    if (fromDevices.has(resource)) continue;
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
    message: formatShortage(shortage),
  };
}

export function formatShortage({ resource, requested, used, capacity }: Shortage): string {
  const amounts = `requested: ${requested}, used: ${used}, capacity: ${capacity}`;
  return `Node didn't have enough resource: ${resource}, ${amounts}`;
}

function predicate(name: string, why: string): Refusal {
  return { reason: name, message: `Predicate ${name} failed: ${why}` };
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
