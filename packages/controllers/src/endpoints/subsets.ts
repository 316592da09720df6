// Endpoints in their oldest form: ports that the same addresses have share a subset, which lists the
// ready ones apart from those that are not. So an address is in as many subsets as its ports are
// shared differently: a port that all have, and one that has another number in each. There is room for a thousand addresses; beyond that ready ones
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
  const byPort = new Map<string, PortAddresses>();
  for (const pod of pods) {
    if (!canBeEndpoint(pod, publishesAll)) continue;
    const ip = addressesOf(pod).find((address) => addressTypeOf(address) === family);
    if (ip === undefined) continue;
    const isReady = publishesAll || isPodReady(pod);
    const address = { isReady, address: addressOf(service, pod, ip) };
    for (const port of portsOf(service, pod)) {
      const key = JSON.stringify(port ?? null);
      const known = byPort.get(key);
      if (known === undefined) byPort.set(key, { port, addresses: [address] });
      else known.addresses.push(address);
    }
  }
  const sharing = Map.groupBy(byPort.values(), ({ addresses }) =>
    addresses.map(({ address, isReady }) => `${addressText(address)} ${isReady}`).join(),
  );
  return inOrder([...sharing.values()].map(toSubset));
}

interface PortAddresses {
  /** Undefined for those of a Service that has no ports. */
  readonly port: EndpointPort | undefined;
  readonly addresses: { readonly address: EndpointAddress; readonly isReady: boolean }[];
}

/** A Service without ports still names its pods, if it is headless. */
function portsOf(service: Service, pod: Pod): readonly (EndpointPort | undefined)[] {
  const { ports = [], clusterIP } = service.spec ?? {};
  if (ports.length === 0) return clusterIP === 'None' ? [undefined] : [];
  return endpointPorts(service, pod).map(toSubsetPort);
}

function toSubset(sharing: readonly PortAddresses[]): EndpointSubset {
  const all = sharing[0]?.addresses ?? [];
  const listed = (wanted: boolean) =>
    all
      .filter(({ isReady }) => isReady === wanted)
      .map(({ address }) => address)
      .toSorted((a, b) => (addressText(a) < addressText(b) ? -1 : 1));
  const [ready, unready] = [listed(true), listed(false)];
  const ports = sharing.flatMap(({ port }) => port ?? []);
  return {
    ...(ready.length > 0 && { addresses: ready }),
    ...(unready.length > 0 && { notReadyAddresses: unready }),
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

/** By which they are told apart and ordered. */
const addressText = ({ ip, targetRef }: EndpointAddress) => `${ip} ${targetRef?.uid ?? ''}`;

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
