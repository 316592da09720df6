// Endpoints in their oldest form: the addresses of a Service's pods, of one family, by their ports.
// There is room for a thousand addresses; beyond that ready ones come first, and each subset gives
// up its share.

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
import { repackSubsets } from './repack-subsets.ts';

const addressesMax = 1_000;

/** All of them, as many as there are. */
export function subsetsOf(service: Service, pods: readonly Pod[]): EndpointSubset[] {
  const publishesAll = service.spec?.publishNotReadyAddresses === true;
  const [family] = addressTypesOf(service);
  const subsets = pods.flatMap((pod): EndpointSubset[] => {
    if (!canBeEndpoint(pod, publishesAll)) return [];
    const ip = addressesOf(pod).find((address) => addressTypeOf(address) === family);
    const ports = endpointPorts(service, pod).map(toSubsetPort);
    // A Service without ports still names its pods, if it is headless.
    const isPortless =
      service.spec?.clusterIP === 'None' && (service.spec.ports ?? []).length === 0;
    if (ip === undefined || (ports.length === 0 && !isPortless)) return [];
    const addresses = [addressOf(service, pod, ip)];
    const isReady = publishesAll || isPodReady(pod);
    return [isReady ? { addresses, ports } : { notReadyAddresses: addresses, ports }];
  });
  return repackSubsets(subsets);
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
