// The slices that a Service should have: labels, owner, and for every address family its endpoints
// grouped by their ports.

import type { Node, Pod, Service } from '@keelson/apimachinery/types/core.v1';
import type { EndpointSlice } from '@keelson/apimachinery/types/discovery.k8s.io.v1';
import { controllerReference } from '../machinery/ownership.ts';
import { servicesResource } from '../machinery/resources.ts';
import type { EndpointGroup } from './plan-slices.ts';
import {
  canBeEndpoint,
  endpointPorts,
  hasClusterIp,
  podEndpoint,
  type AddressType,
  type EndpointAims,
} from './pod-endpoint.ts';
import { orderSlicePorts, portsKey } from './port-order.ts';

export const managedByLabel = 'endpointslice.kubernetes.io/managed-by';
export const serviceNameLabel = 'kubernetes.io/service-name';
export const headlessLabel = 'service.kubernetes.io/headless';
const ownLabels = [managedByLabel, serviceNameLabel, headlessLabel];

export const serviceKind = { apiVersion: 'v1', kind: 'Service', resource: servicesResource };

/** Labels of what a slice is made from, without those that only controllers give. */
function inheritedLabels(labels: Readonly<Record<string, string>> = {}) {
  return Object.fromEntries(Object.entries(labels).filter(([key]) => !ownLabels.includes(key)));
}

export function sliceTemplate(
  service: Service,
  managedBy: string,
  addressType: AddressType,
): EndpointSlice {
  const { namespace = '', name = '', labels } = service.metadata;
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      generateName: generatedNamePrefix(name),
      namespace,
      labels: {
        ...inheritedLabels(labels),
        ...(!hasClusterIp(service) && { [headlessLabel]: '' }),
        [serviceNameLabel]: name,
        [managedByLabel]: managedBy,
      },
      ownerReferences: [controllerReference(serviceKind, service)],
    },
    addressType,
  };
}

/** The server cuts a prefix that leaves no room for the suffix. */
export const generatedNamePrefix = (name: string) => `${name}-`;

/** Undefined where there is no such node: only who publishes everything wants such a pod. */
export type NodeOf = (pod: Pod) => Node | undefined;

export function serviceEndpoints(
  service: Service,
  pods: readonly Pod[],
  { nodeOf, ...aims }: Omit<EndpointAims, 'node'> & { readonly nodeOf: NodeOf },
): EndpointGroup[] {
  const groups = new Map<
    string,
    { ports: EndpointGroup['ports']; endpoints: EndpointGroup['endpoints'][number][] }
  >();
  for (const pod of pods) {
    if (!canBeEndpoint(pod, true)) continue;
    const node = nodeOf(pod);
    if (node === undefined && service.spec?.publishNotReadyAddresses !== true) continue;
    const endpoint = podEndpoint(service, pod, { node, ...aims });
    if (endpoint.addresses?.length === 0) continue;
    const ports = endpointPorts(service, pod);
    const key = portsKey(ports);
    let group = groups.get(key);
    if (group === undefined)
      groups.set(key, (group = { ports: orderSlicePorts(ports), endpoints: [] }));
    group.endpoints.push(endpoint);
  }
  return [...groups.values()];
}
