// The slices that say what hand-written Endpoints say. Addresses beyond a thousand in a subset are
// left out, and so is what is no address.

import type {
  EndpointAddress,
  EndpointPort as SubsetPort,
  Endpoints,
} from '@keelson/apimachinery/types/core.v1';
import type {
  Endpoint,
  EndpointPort,
  EndpointSlice,
} from '@keelson/apimachinery/types/discovery.k8s.io.v1';
import { repackSubsets } from '../endpoints/repack-subsets.ts';
import { controllerReference } from '../machinery/ownership.ts';
import { endpointsResource } from '../machinery/resources.ts';
import { canonicalAddress } from '../endpoint-slice/canonical-address.ts';
import { endpointKey, type EndpointGroup } from '../endpoint-slice/plan-slices.ts';
import { addressTypeOf, type AddressType } from '../endpoint-slice/pod-endpoint.ts';
import { orderSlicePorts, portsKey } from '../endpoint-slice/port-order.ts';
import {
  generatedNamePrefix,
  managedByLabel,
  serviceNameLabel,
} from '../endpoint-slice/service-slices.ts';
import { withTriggerTime } from '../endpoint-slice/trigger-time.ts';

export const mirroringManagedBy = 'endpointslicemirroring-controller.k8s.io';
/** Of one subset, and in one slice. */
export const mirroredMax = 1_000;
export const addressTypes: readonly AddressType[] = ['IPv4', 'IPv6'];

export const endpointsKind = { apiVersion: 'v1', kind: 'Endpoints', resource: endpointsResource };
const lastAppliedAnnotation = 'kubectl.kubernetes.io/last-applied-configuration';

export interface MirroredEndpoints {
  readonly groups: Readonly<Record<AddressType, readonly EndpointGroup[]>>;
  readonly invalid: number;
  readonly skipped: number;
}

export function mirroredEndpoints({ subsets = [] }: Endpoints): MirroredEndpoints {
  const groups = { IPv4: new Map<string, Group>(), IPv6: new Map<string, Group>() };
  let invalid = 0;
  let skipped = 0;
  for (const { addresses = [], notReadyAddresses = [], ports = [] } of repackSubsets(subsets)) {
    const slicePorts = orderSlicePorts(ports.map(toSlicePort));
    const key = portsKey(slicePorts);
    const all = [
      ...addresses.map((address) => ({ address, ready: true })),
      ...notReadyAddresses.map((address) => ({ address, ready: false })),
    ];
    let taken = 0;
    for (const { address, ready } of all) {
      const ip = canonicalAddress(address.ip);
      if (taken === mirroredMax) skipped++;
      else if (ip === undefined) invalid++;
      else {
        taken++;
        const ofType = groups[addressTypeOf(ip)];
        let group = ofType.get(key);
        if (group === undefined) ofType.set(key, (group = { ports: slicePorts, byKey: new Map() }));
        const endpoint = toEndpoint({ ...address, ip }, ready);
        // COMPAT: of an address that is there twice, what is said last counts.
        group.byKey.set(endpointKey(endpoint), endpoint);
      }
    }
  }
  const listed = (of: Map<string, Group>): EndpointGroup[] =>
    [...of.values()].map(({ ports, byKey }) => ({ ports, endpoints: [...byKey.values()] }));
  return { groups: { IPv4: listed(groups.IPv4), IPv6: listed(groups.IPv6) }, invalid, skipped };
}

interface Group {
  readonly ports: readonly EndpointPort[];
  readonly byKey: Map<string, Endpoint>;
}

export function mirrorTemplate(endpoints: Endpoints, addressType: AddressType): EndpointSlice {
  const { namespace = '', name = '', labels, annotations = {} } = endpoints.metadata;
  const { [lastAppliedAnnotation]: _, ...kept } = withTriggerTime(annotations, undefined);
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      generateName: generatedNamePrefix(name),
      namespace,
      labels: {
        ...labels,
        [serviceNameLabel]: name,
        [managedByLabel]: mirroringManagedBy,
      },
      annotations: kept,
      ownerReferences: [controllerReference(endpointsKind, endpoints)],
    },
    addressType,
  };
}

function toSlicePort({ name = '', protocol = 'TCP', port, appProtocol }: SubsetPort): EndpointPort {
  return { name, protocol, port, ...(appProtocol !== undefined && { appProtocol }) };
}

function toEndpoint({ ip, hostname = '', nodeName, targetRef }: EndpointAddress, ready: boolean) {
  return {
    addresses: [ip],
    conditions: { ready },
    ...(hostname !== '' && { hostname }),
    ...(targetRef !== undefined && { targetRef }),
    ...(nodeName !== undefined && { nodeName }),
  };
}
