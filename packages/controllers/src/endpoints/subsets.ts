// Endpoints in their oldest form: addresses that have the same ports share a subset, ready ones
// apart from those that are not. There is room for a thousand addresses; beyond that ready ones
// come first, and each subset gives up its share.

import type {
  EndpointAddress,
  EndpointPort,
  EndpointSubset,
  Pod,
  Service,
} from '@keelson/apimachinery/types/core.v1';
import { isPodReady } from '../pods/pod-state.ts';
import {
  addressesOf,
  addressTypeOf,
  addressTypesOf,
  canBeEndpoint,
  endpointPorts,
  hostnameIn,
} from '../endpoint-slice/pod-endpoint.ts';
import { hashOfBuiltin, orderSubsetPorts } from '../endpoint-slice/port-order.ts';

export const addressesMax = 1_000;

/** All of them, as many as there are. */
export function subsetsOf(service: Service, pods: readonly Pod[]): EndpointSubset[] {
  const publishesAll = service.spec?.publishNotReadyAddresses === true;
  const [family] = addressTypesOf(service);
  const byPorts = new Map<string, Subset>();
  for (const pod of pods) {
    if (!canBeEndpoint(pod, publishesAll)) continue;
    const ip = addressesOf(pod).find((address) => addressTypeOf(address) === family);
    const ports = endpointPorts(service, pod).map(toSubsetPort);
    const isPortless =
      service.spec?.clusterIP === 'None' && (service.spec.ports ?? []).length === 0;
    if (ip === undefined || (ports.length === 0 && !isPortless)) continue;
    const key = ports
      .map((port) => JSON.stringify(port))
      .toSorted()
      .join();
    let subset = byPorts.get(key);
    if (subset === undefined) byPorts.set(key, (subset = { ready: [], unready: [], ports }));
    const isListed = publishesAll || isPodReady(pod);
    subset[isListed ? 'ready' : 'unready'].push(addressOf(service, pod, ip));
  }
  return inOrder([...byPorts.values()].map(toSubset));
}

interface Subset {
  readonly ready: EndpointAddress[];
  readonly unready: EndpointAddress[];
  readonly ports: readonly EndpointPort[];
}

function toSubset({ ready, unready, ports }: Subset): EndpointSubset {
  return {
    ...(ready.length > 0 && { addresses: ready.toSorted(byAddress) }),
    ...(unready.length > 0 && { notReadyAddresses: unready.toSorted(byAddress) }),
    ...(ports.length > 0 && { ports: orderSubsetPorts(ports) }),
  };
}

function toSubsetPort({
  name = '',
  port = 0,
  protocol = 'TCP',
  appProtocol,
}: ReturnType<typeof endpointPorts>[number]): EndpointPort {
  return {
    ...(name !== '' && { name }),
    port,
    protocol,
    ...(appProtocol !== undefined && { appProtocol }),
  };
}

function addressOf(service: Service, pod: Pod, ip: string): EndpointAddress {
  const { namespace = '', name = '', uid = '' } = pod.metadata;
  const hostname = hostnameIn(service, pod);
  const { nodeName = '' } = pod.spec ?? {};
  return {
    ip,
    ...(hostname !== undefined && { hostname }),
    ...(nodeName !== '' && { nodeName }),
    targetRef: { kind: 'Pod', namespace, name, uid },
  };
}

function byAddress(a: EndpointAddress, b: EndpointAddress): number {
  const textOf = ({ ip, targetRef }: EndpointAddress) => `${ip} ${targetRef?.uid ?? ''}`;
  return textOf(a) < textOf(b) ? -1 : 1;
}

/** COMPAT: by a hash of the whole, so that nothing can rely on the order but for it to stay. */
function inOrder(subsets: readonly EndpointSubset[]): EndpointSubset[] {
  if (subsets.length < 2) return [...subsets];
  const hashed = subsets.map((subset) => ({
    subset,
    hash: hashOfBuiltin(subset, 'io.k8s.api.core.v1.EndpointSubset'),
  }));
  return hashed.toSorted((a, b) => (a.hash < b.hash ? -1 : 1)).map(({ subset }) => subset);
}

export interface TruncatedSubsets {
  readonly subsets: EndpointSubset[];
  readonly isTruncated: boolean;
}

export function truncateSubsets(subsets: readonly EndpointSubset[]): TruncatedSubsets {
  const total = (field: AddressField) =>
    subsets.reduce((sum, subset) => sum + (subset[field]?.length ?? 0), 0);
  const ready = total('addresses');
  const unready = total('notReadyAddresses');
  if (ready + unready <= addressesMax) return { subsets: [...subsets], isTruncated: false };
  const field = ready > addressesMax ? 'addresses' : 'notReadyAddresses';
  const room = field === 'addresses' ? addressesMax : addressesMax - ready;
  const count = field === 'addresses' ? ready : unready;
  let left = room;
  const truncated = subsets.map(({ notReadyAddresses, ...subset }) => {
    const all = {
      ...subset,
      ...(field !== 'addresses' && notReadyAddresses && { notReadyAddresses }),
    };
    const addresses = all[field] ?? [];
    const share = Math.min(left, Math.ceil((addresses.length / count) * room));
    left -= Math.min(share, addresses.length);
    const { [field]: _, ...others } = all as EndpointSubset;
    return share === 0 ? others : { ...others, [field]: addresses.slice(0, share) };
  });
  return { subsets: truncated, isTruncated: true };
}
type AddressField = 'addresses' | 'notReadyAddresses';
