// Which zones and nodes should use an endpoint, by the Service's `trafficDistribution` (KEP-4444,
// KEP-3015): those that it is in. An endpoint of no known zone has no hint, so kube-proxy falls
// back to all endpoints of the Service.

import type { Service } from '@keelson/apimachinery/types/core.v1';
import type { EndpointHints } from '@keelson/apimachinery/types/discovery.k8s.io.v1';

/** Undefined where the release does not know what the Service says. */
export function knownDistribution(
  { spec }: Service,
  isEnabled: (gate: string) => boolean,
): string | undefined {
  const { trafficDistribution } = spec ?? {};
  if (!isEnabled('ServiceTrafficDistribution')) return undefined;
  if (trafficDistribution === 'PreferClose') return trafficDistribution;
  return isEnabled('PreferSameTrafficDistribution') ? trafficDistribution : undefined;
}

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
