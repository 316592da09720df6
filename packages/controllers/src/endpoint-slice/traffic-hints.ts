// Which zones and nodes should use an endpoint, by the Service's `trafficDistribution` (KEP-4444,
// KEP-3015): those that it is in. An endpoint of no known zone has no hint, so kube-proxy falls
// back to all endpoints of the Service.

import type { EndpointHints } from '@keelson/apimachinery/types/discovery.k8s.io.v1';

export function trafficHints(
  distribution: string | undefined,
  { nodeName, zone }: { readonly nodeName: string; readonly zone: string },
): EndpointHints | undefined {
  const forZones = zone === '' ? {} : { forZones: [{ name: zone }] };
  const forNodes = nodeName === '' ? {} : { forNodes: [{ name: nodeName }] };
  switch (distribution) {
    case 'PreferClose':
    case 'PreferSameZone':
      return zone === '' ? undefined : forZones;
    case 'PreferSameNode':
      return nodeName === '' ? undefined : { ...forZones, ...forNodes };
    default:
      return undefined;
  }
}
