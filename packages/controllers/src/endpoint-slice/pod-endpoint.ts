// Which pods stand behind a Service, and as what: with the addresses of one family, ready or not,
// and the ports that the Service's target ports are in that pod.

import type { Node, Pod, Service, ServicePort } from '@keelson/apimachinery/types/core.v1';
import type { Endpoint, EndpointPort } from '@keelson/apimachinery/types/discovery.k8s.io.v1';
import { isPodFinished, isPodReady } from '../pods/pod-state.ts';
import { canonicalAddress } from './canonical-address.ts';
import { trafficHints } from './traffic-hints.ts';

export type AddressType = 'IPv4' | 'IPv6';

export const zoneLabel = 'topology.kubernetes.io/zone';

/** It has addresses and did not end. Being deleted, it counts only where the caller says so. */
export function canBeEndpoint(pod: Pod, includesTerminating: boolean): boolean {
  if (isPodFinished(pod) || addressesOf(pod).length === 0) return false;
  return includesTerminating || pod.metadata.deletionTimestamp === undefined;
}

export function addressesOf({ status }: Pod): readonly string[] {
  const all = (status?.podIPs ?? []).map(({ ip }) => ip ?? '').filter((ip) => ip !== '');
  if (all.length > 0) return all;
  return status?.podIP === undefined || status.podIP === '' ? [] : [status.podIP];
}
export function addressTypeOf(address: string): AddressType {
  return address.includes(':') ? 'IPv6' : 'IPv4';
}

/** COMPAT: a headless Service of an old server, which has no families, may have both. */
export function addressTypesOf({ spec }: Service): readonly AddressType[] {
  const families = (spec?.ipFamilies ?? []).filter((family) => family !== '');
  if (families.length > 0) return families.map((family) => (family === 'IPv6' ? 'IPv6' : 'IPv4'));
  if (hasClusterIp({ spec })) return [addressTypeOf(spec?.clusterIP ?? '')];
  return ['IPv4', 'IPv6'];
}

export function hasClusterIp({ spec }: Pick<Service, 'spec'>): boolean {
  const { clusterIP = '' } = spec ?? {};
  return clusterIP !== '' && clusterIP !== 'None';
}

/** The name by which DNS knows the pod within a Service that is its subdomain. */
export function hostnameIn(service: Service, { metadata, spec }: Pod): string | undefined {
  const { hostname = '', subdomain = '' } = spec ?? {};
  const isOfService =
    subdomain === service.metadata.name && metadata.namespace === service.metadata.namespace;
  return hostname !== '' && isOfService ? hostname : undefined;
}

export interface EndpointAims {
  readonly node: Node | undefined;
  readonly addressType: AddressType;
  /** Whom an endpoint is for, as far as that is said by where it is. */
  readonly distribution: string | undefined;
}

export function podEndpoint(
  service: Service,
  pod: Pod,
  { node, addressType, distribution }: EndpointAims,
): Endpoint {
  const { namespace = '', name = '', uid = '', deletionTimestamp } = pod.metadata;
  const serving = isPodReady(pod);
  const terminating = deletionTimestamp !== undefined;
  const publishesAll = service.spec?.publishNotReadyAddresses === true;
  const ready = publishesAll || (serving && !terminating);
  const { nodeName = '' } = pod.spec ?? {};
  const zone = node?.metadata.labels?.[zoneLabel] ?? '';
  const hostname = hostnameIn(service, pod);
  const hints = ready ? trafficHints(distribution, { nodeName, zone }) : undefined;
  return {
    addresses: addressesOf(pod)
      .flatMap((address) => canonicalAddress(address) ?? [])
      .filter((address) => addressTypeOf(address) === addressType),
    conditions: { ready, serving, terminating },
    ...(hostname !== undefined && { hostname }),
    targetRef: { kind: 'Pod', namespace, name, uid },
    ...(nodeName !== '' && { nodeName }),
    ...(zone !== '' && { zone }),
    ...(hints !== undefined && { hints }),
  };
}
/** Ports of the Service that the pod has. */
export function endpointPorts({ spec }: Service, pod: Pod): EndpointPort[] {
  return (spec?.ports ?? []).flatMap((servicePort) => {
    const port = targetPortIn(pod, servicePort);
    if (port === undefined) return [];
    const { name = '', protocol = 'TCP', appProtocol } = servicePort;
    return [{ name, protocol, port, ...(appProtocol !== undefined && { appProtocol }) }];
  });
}

/** Undefined when the target is a name that no container of the pod gives to a port. */
function targetPortIn({ spec }: Pod, servicePort: ServicePort): number | undefined {
  const { targetPort, port, protocol = 'TCP' } = servicePort;
  if (typeof targetPort === 'number') return targetPort === 0 ? port : targetPort;
  if (targetPort === undefined || targetPort === '') return port;
  const sidecars = (spec?.initContainers ?? []).filter((c) => c.restartPolicy === 'Always');
  return [...(spec?.containers ?? []), ...sidecars]
    .flatMap((container) => container.ports ?? [])
    .find((p) => p.name === targetPort && (p.protocol ?? 'TCP') === protocol)?.containerPort;
}
