// What a pod as a whole requests and may use: regular containers and sidecars together, or the most
// hungry moment of its start, whichever is more; amounts of the pod itself stand in their place
// (KEP-2837), and the overhead of its runtime comes on top (KEP-688). While a resize is under way
// the larger of wanted and actual counts (KEP-1287).
// Law: k8s.io/component-helpers/resource.

import { addQuantities, type Quantity } from '../quantity.ts';
import type {
  Container,
  ContainerStatus,
  Pod,
  ResourceRequirements,
} from '../generated/types/core.v1.ts';
import { addLists, maxLists, readResourceList, type ResourceList } from './resource-list.ts';

export interface PodResourceOptions {
  /** The gate PodLevelResources: `spec.resources` counts. */
  readonly podLevel: boolean;
  /** The gate InPlacePodVerticalScaling: what containers have by their status counts. */
  readonly status?: boolean;
  readonly overhead?: boolean;
  /** What a container that does not ask for them is taken to request. */
  readonly assumed?: ResourceList;
}

type AmountField = 'requests' | 'limits';

export function podRequests(pod: Pod, options: PodResourceOptions): ResourceList {
  const total = podAmounts(pod, 'requests', options);
  return options.overhead === true ? addLists(total, readResourceList(pod.spec.overhead)) : total;
}

/** A resource that no container limits is not limited by the overhead either. */
export function podLimits(pod: Pod, options: PodResourceOptions): ResourceList {
  const total = podAmounts(pod, 'limits', options);
  if (options.overhead !== true) return total;
  for (const [name, amount] of readResourceList(pod.spec.overhead)) {
    const own = total.get(name);
    if (own !== undefined) total.set(name, addQuantities(own, amount));
  }
  return total;
}

/** True when the pod itself asks for something that pods, not only containers, can ask for. */
export function hasPodLevelResources(pod: Pod): boolean {
  const { requests = {}, limits = {} } = pod.spec.resources ?? {};
  return [...Object.keys(requests), ...Object.keys(limits)].some(isPodLevelResource);
}

/** Quality of service BestEffort: nobody asks for processor time or memory. */
export function isBestEffort(pod: Pod, podLevelResources: boolean): boolean {
  const known = pod.status?.qosClass;
  if (known !== undefined && known !== '') return known === 'BestEffort';
  if (podLevelResources && hasPodLevelResources(pod)) return !asksForCompute(pod.spec.resources);
  const containers = [...(pod.spec.containers ?? []), ...(pod.spec.initContainers ?? [])];
  return !containers.some((container) => asksForCompute(container.resources));
}

function podAmounts(pod: Pod, field: AmountField, options: PodResourceOptions) {
  const total = containerAmounts(pod, field, options);
  if (!options.podLevel) return total;
  for (const [name, amount] of podLevelAmounts(pod, field, options.status === true))
    if (isPodLevelResource(name)) total.set(name, amount);
  return total;
}

/** Of the pod itself; while it is resized (KEP-5419) also what it has. */
function podLevelAmounts(pod: Pod, field: AmountField, useStatus: boolean): ResourceList {
  const wanted = readResourceList(pod.spec.resources?.[field]);
  const { resources, allocatedResources } = pod.status ?? {};
  if (!useStatus || resources === undefined || wanted.size === 0) return wanted;
  const actual = readResourceList(resources[field]);
  const allocated = field === 'requests' ? readResourceList(allocatedResources) : actual;
  return isResizeInfeasible(pod)
    ? maxLists(actual, allocated)
    : maxLists(wanted, actual, allocated);
}

function containerAmounts(
  pod: Pod,
  field: AmountField,
  { status: useStatus = false, assumed }: PodResourceOptions,
): Map<string, Quantity> {
  const statuses = useStatus ? statusesByName(pod) : new Map<string, ContainerStatus>();
  const infeasible = useStatus && isResizeInfeasible(pod);
  const withAssumed = (list: ResourceList): ResourceList =>
    assumed === undefined ? list : new Map([...assumed, ...list]);
  const amountsOf = (container: Container): ResourceList => {
    const wanted = readResourceList(container.resources?.[field]);
    const status = statuses.get(container.name);
    if (status?.resources === undefined) return wanted;
    const actual = readResourceList(status.resources[field]);
    const allocated = field === 'requests' ? readResourceList(status.allocatedResources) : actual;
    return infeasible ? maxLists(actual, allocated) : maxLists(wanted, actual, allocated);
  };
  let total: ResourceList = new Map();
  for (const container of pod.spec.containers ?? [])
    total = addLists(total, withAssumed(amountsOf(container)));
  let sidecars: ResourceList = new Map();
  let startPeak: ResourceList = new Map();
  for (const container of pod.spec.initContainers ?? []) {
    if (isRestartableInitContainer(container)) {
      const amounts = withAssumed(amountsOf(container));
      total = addLists(total, amounts);
      sidecars = addLists(sidecars, amounts);
      startPeak = maxLists(startPeak, sidecars);
    } else {
      const own = withAssumed(readResourceList(container.resources?.[field]));
      startPeak = maxLists(startPeak, addLists(own, sidecars));
    }
  }
  return maxLists(total, startPeak);
}

function statusesByName(pod: Pod): Map<string, ContainerStatus> {
  const { containerStatuses = [], initContainerStatuses = [] } = pod.status ?? {};
  return new Map([...containerStatuses, ...initContainerStatuses].map((s) => [s.name, s]));
}

function isResizeInfeasible(pod: Pod): boolean {
  return (pod.status?.conditions ?? []).some(
    (c) => c.type === 'PodResizePending' && c.status === 'True' && c.reason === 'Infeasible',
  );
}

function isPodLevelResource(name: string): boolean {
  return name === 'cpu' || name === 'memory' || name.startsWith('hugepages-');
}

function asksForCompute(resources: ResourceRequirements | undefined): boolean {
  const lists = [readResourceList(resources?.requests), readResourceList(resources?.limits)];
  return lists.some((list) =>
    ['cpu', 'memory'].some((name) => (list.get(name)?.unscaled ?? 0n) > 0n),
  );
}

/** A sidecar: an init container that keeps running beside the regular ones (KEP-753). */
export function isRestartableInitContainer({
  restartPolicy,
}: Pick<Container, 'restartPolicy'>): boolean {
  return restartPolicy === 'Always';
}
