// What the claim for extended resources asks for: a request for each container and resource. Init
// containers run one after the other and are gone when the others run, so they share one request, and
// use first what later containers have. COMPAT: names of requests are kube-scheduler's.

import { isRestartableInitContainer, parseQuantity, quantityValue } from '@keelson/apimachinery';
import type {
  ContainerExtendedResourceRequest,
  PodSpec,
} from '@keelson/apimachinery/types/core.v1';
import type { DeviceRequest } from '@keelson/apimachinery/types/resource.k8s.io.v1';
import type { PodSummary } from '../snapshot/pod-summary.ts';
import type { ClassOfResource } from './extended-resources.ts';

export interface ExtendedRequests {
  /** In order of their names. */
  readonly requests: readonly DeviceRequest[];
  /** Which container has which request for which resource. */
  readonly mappings: readonly ContainerExtendedResourceRequest[];
}

/** For those of the resources that devices stand for. */
export function extendedRequests(
  { pod }: PodSummary,
  resources: readonly string[],
  classOf: ClassOfResource,
): ExtendedRequests {
  const requests: DeviceRequest[] = [];
  const mappings: ContainerExtendedResourceRequest[] = [];
  for (const resource of resources) {
    const deviceClassName = classOf(resource)?.metadata.name;
    if (deviceClassName === undefined) continue;
    const { lasting, starting } = wishesOf(pod.spec, resource);
    const starts = starting.map((wish) => sharing(wish, lasting));
    const most = starts.reduce((a, b) => (b.rest > a.rest ? b : a), { rest: 0, request: '' });
    const shared = most.rest === 0 ? [] : [{ request: most.request, count: most.rest }];
    for (const { request: name, count } of [...shared, ...lasting])
      requests.push({ name, exactly: { deviceClassName, allocationMode: 'ExactCount', count } });
    const map = (containerName: string, requestName: string) =>
      mappings.push({ containerName, resourceName: resource, requestName });
    for (const { container, request } of lasting) map(container, request);
    for (const { container, reused, rest } of starts) {
      for (const { request } of reused) map(container, request);
      if (rest > 0) map(container, most.request);
    }
  }
  return { requests: requests.toSorted((a, b) => (a.name < b.name ? -1 : 1)), mappings };
}

/** What one container asks for of one resource. */
interface Wish {
  /** Among all containers, init containers first. */
  readonly at: number;
  readonly container: string;
  readonly request: string;
  readonly count: number;
}

function wishesOf({ initContainers, containers }: PodSpec, resource: string) {
  const lasting: Wish[] = [];
  const starting: Wish[] = [];
  const early = initContainers ?? [];
  for (const [at, container] of [...early, ...(containers ?? [])].entries()) {
    const wanted = container.resources?.requests ?? {};
    const count = Number(quantityValue(parseQuantity(wanted[resource] ?? '0')));
    if (count === 0) continue;
    const index = Object.keys(wanted).toSorted().indexOf(resource);
    const request = `container-${at}-request-${index}`;
    const isStart = at < early.length && !isRestartableInitContainer(container);
    (isStart ? starting : lasting).push({ at, container: container.name, request, count });
  }
  return { lasting, starting };
}

/** What a container that is gone soon uses of what later ones have, and what is missing then. */
function sharing(wish: Wish, lasting: readonly Wish[]) {
  const reused: Wish[] = [];
  let rest = wish.count;
  for (const later of lasting) {
    if (rest <= 0) break;
    if (later.at < wish.at) continue;
    reused.push(later);
    rest -= later.count;
  }
  return { ...wish, reused, rest: Math.max(rest, 0) };
}
