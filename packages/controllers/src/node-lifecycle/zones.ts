// How fast nodes of a zone may be emptied. A few nodes that are not ready are broken; when most of
// a zone is not ready, the zone is in trouble and moving pods would make it worse; and when every
// node everywhere is not ready, it is probably this control plane that cannot see them.

import type { Clock } from '@keelson/apimachinery';
import type { Node } from '@keelson/apimachinery/types/core.v1';
import { readyConditionOf } from './node-health.ts';

export type ZoneState = 'normal' | 'partial-disruption' | 'full-disruption';

/** Nodes per second. */
const evictionRate = 0.1;
const secondaryEvictionRate = 0.01;
/** Up to this size a zone in trouble is not emptied at all. */
const largeZoneNodes = 50;
const unhealthyShare = 0.55;
const excludeLabel = 'node.kubernetes.io/exclude-disruption';

function placeOf({ metadata: { labels = {} } }: Node) {
  const region = labels['topology.kubernetes.io/region'] ?? '';
  const zone = labels['topology.kubernetes.io/zone'] ?? '';
  return { region, zone };
}
export function zoneOf(node: Node): string {
  const { region, zone } = placeOf(node);
  return JSON.stringify([region, zone]);
}
/** COMPAT: as metrics call it; empty without region and zone. */
export function zoneLabelOf(node: Node): string {
  const { region, zone } = placeOf(node);
  return region === '' && zone === '' ? '' : `${region}:\0:${zone}`;
}

export function zoneState(nodes: readonly Node[]): ZoneState {
  const counted = nodes.filter(({ metadata }) => metadata.labels?.[excludeLabel] === undefined);
  const ready = counted.filter((node) => readyConditionOf(node)?.status === 'True').length;
  const notReady = counted.length - ready;
  if (ready === 0 && notReady > 0) return 'full-disruption';
  if (notReady > 2 && notReady / counted.length >= unhealthyShare) return 'partial-disruption';
  return 'normal';
}

export function evictionRateOf(state: ZoneState, nodes: number): number {
  if (state !== 'partial-disruption') return evictionRate;
  return nodes > largeZoneNodes ? secondaryEvictionRate : 0;
}

export interface EvictionPace {
  /** Whether one more node of the zone may be emptied now, at so many per second. */
  take(zone: string, rate: number): boolean;
  /** Zones that are there; others are forgotten. */
  keep(zones: ReadonlySet<string>): void;
}

export function createEvictionPace(clock: Clock): EvictionPace {
  const lastAt = new Map<string, number>();
  return {
    take(zone, rate) {
      if (rate <= 0) return false;
      const now = clock.monotonic();
      const last = lastAt.get(zone);
      if (last !== undefined && now - last < 1000 / rate) return false;
      lastAt.set(zone, now);
      return true;
    },
    keep(zones) {
      for (const zone of lastAt.keys()) if (!zones.has(zone)) lastAt.delete(zone);
    },
  };
}
