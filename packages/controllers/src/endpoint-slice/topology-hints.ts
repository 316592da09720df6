// Hints by the annotation `service.kubernetes.io/topology-mode: Auto` (KEP-2433): each zone gets as
// large a part of the endpoints as it has of the nodes' processors. Endpoints are for the zone that
// they are in as far as that goes, then zones with too many give to those with too few. Where the
// parts cannot come out even, so that some endpoint would get a fifth more than its share, there
// are no hints at all, and traffic goes to every endpoint.

import { isConditionTrue, parseQuantity, quantityMilliValue } from '@keelson/apimachinery';
import type { Node } from '@keelson/apimachinery/types/core.v1';
import type { Endpoint, EndpointSlice } from '@keelson/apimachinery/types/discovery.k8s.io.v1';
import { zoneLabel } from './pod-endpoint.ts';

/** What part of all processors is in a zone. */
export type ZoneShares = ReadonlyMap<string, number>;
/** How many endpoints are for a zone. */
export type ZoneCounts = ReadonlyMap<string, number>;

/** Slices of one Service and address type. */
export interface HintedSlices {
  readonly create: readonly EndpointSlice[];
  readonly update: readonly EndpointSlice[];
  readonly unchanged: readonly EndpointSlice[];
}
export type HintsOutcome =
  | { readonly slices: HintedSlices; readonly byZone: ZoneCounts }
  | { readonly problem: string };

const modeAnnotation = 'service.kubernetes.io/topology-mode';
const deprecatedAnnotation = 'service.kubernetes.io/topology-aware-hints';
const controlPlaneLabels = [
  'node-role.kubernetes.io/control-plane',
  'node-role.kubernetes.io/master',
];
/** By so much more than its share an endpoint may be used. */
const overloadMax = 0.2;

export function asksForHints(annotations: Readonly<Record<string, string>> = {}): boolean {
  const mode = annotations[deprecatedAnnotation] ?? annotations[modeAnnotation];
  return mode === 'Auto' || mode === 'auto';
}

/** Undefined when a node does not say enough, or all are in one zone. */
export function processorShares(nodes: readonly Node[]): ZoneShares | undefined {
  const byZone = new Map<string, number>();
  for (const { metadata, status } of nodes) {
    const { labels = {} } = metadata;
    if (controlPlaneLabels.some((label) => labels[label] !== undefined)) continue;
    if (!isConditionTrue(status?.conditions, 'Ready')) continue;
    const zone = labels[zoneLabel] ?? '';
    const processors = Number(
      quantityMilliValue(parseQuantity(status?.allocatable?.['cpu'] ?? '0')),
    );
    if (zone === '' || processors === 0) return undefined;
    byZone.set(zone, (byZone.get(zone) ?? 0) + processors);
  }
  const total = [...byZone.values()].reduce((sum, one) => sum + one, 0);
  if (byZone.size < 2) return undefined;
  return new Map([...byZone].map(([zone, processors]) => [zone, processors / total]));
}

/** Whether some zone has so few endpoints that they are used by a fifth more than their share. */
export function isOverloaded(byZone: ZoneCounts, shares: ZoneShares | undefined): boolean {
  if (byZone.size === 0) return false;
  if (shares === undefined) return true;
  const total = [...byZone.values()].reduce((sum, count) => sum + count, 0);
  return [...shares].some(([zone, share]) => (byZone.get(zone) ?? 0) < minimumOf(total * share));
}

const minimumOf = (desired: number) => Math.ceil(desired * (1 / (1 + overloadMax)));

export function withTopologyHints(
  slices: HintedSlices,
  shares: ZoneShares | undefined,
): HintsOutcome {
  const all = [...slices.create, ...slices.update, ...slices.unchanged];
  const allocations = allocationsOf(all.flatMap(readyEndpoints).length, shares);
  if ('problem' in allocations) return allocations;
  const { kept, stale, byZone } = keptHints(slices.unchanged, allocations.zones);
  const drafts = [...slices.create, ...slices.update, ...stale].map((slice) => ({
    slice,
    endpoints: (slice.endpoints ?? []).map(inOwnZone),
  }));
  for (const endpoint of drafts.flatMap(({ endpoints }) => endpoints).filter(isReady)) {
    if ((endpoint.zone ?? '') === '')
      return { problem: 'One or more endpoints do not have a zone specified' };
    add(byZone, endpoint.zone ?? '', 1);
  }
  const moves = movesBetween(allocations.zones, byZone);
  const written = drafts.map(({ slice, endpoints }) => ({
    ...slice,
    endpoints: endpoints.map((endpoint) => moved(endpoint, moves, byZone)),
  }));
  if (byZone.size === 0) return { problem: 'No hints allocated for zones' };
  const count = slices.create.length;
  return {
    slices: { create: written.slice(0, count), update: written.slice(count), unchanged: kept },
    byZone,
  };
}

/** What has hints is written without. */
export function withoutHints({ create, update, unchanged }: HintedSlices): HintedSlices {
  const hasHints = (slice: EndpointSlice) =>
    (slice.endpoints ?? []).some(({ hints }) => hints !== undefined);
  const cleared = (slice: EndpointSlice): EndpointSlice => ({
    ...slice,
    endpoints: (slice.endpoints ?? []).map(({ hints: _, ...endpoint }) => endpoint),
  });
  return {
    create: create.map(cleared),
    update: [...update, ...unchanged.filter(hasHints)].map(cleared),
    unchanged: unchanged.filter((slice) => !hasHints(slice)),
  };
}

interface Allocation {
  readonly minimum: number;
  readonly maximum: number;
  readonly desired: number;
}
type Allocations = ReadonlyMap<string, Allocation>;

function allocationsOf(
  endpoints: number,
  shares: ZoneShares | undefined,
): { readonly zones: Allocations } | { readonly problem: string } {
  if (shares === undefined)
    return {
      problem:
        'Insufficient Node information: allocatable CPU or zone not specified on one or more nodes',
    };
  const counts = `(${endpoints} endpoints, ${shares.size} zones)`;
  if (shares.size > endpoints) return { problem: `Insufficient number of endpoints ${counts}` };
  const wanted = [...shares].map(([zone, share]) => {
    const minimum = minimumOf(share * endpoints);
    return { zone, minimum, desired: Math.max(share * endpoints, minimum) };
  });
  const spare = endpoints - wanted.reduce((sum, { minimum }) => sum + minimum, 0);
  if (spare < 0)
    return {
      problem:
        'Unable to allocate minimum required endpoints to each zone without exceeding overload ' +
        `threshold ${counts}`,
    };
  return {
    zones: new Map(
      wanted.map(({ zone, minimum, desired }) => [
        zone,
        { minimum, desired, maximum: minimum + spare },
      ]),
    ),
  };
}

/** Hints that may stay; slices with others are written anew. */
function keptHints(slices: readonly EndpointSlice[], allocations: Allocations) {
  const byZone = new Map<string, number>();
  const kept: EndpointSlice[] = [];
  const stale: EndpointSlice[] = [];
  for (const slice of slices) {
    const own = new Map<string, number>();
    const zones = readyEndpoints(slice).map(({ hints }) => hints?.forZones ?? []);
    for (const { name } of zones.flat()) add(own, name, 1);
    const fits = [...own].every(
      ([zone, count]) => (byZone.get(zone) ?? 0) + count <= (allocations.get(zone)?.maximum ?? -1),
    );
    if (!fits || zones.some((names) => names.length === 0)) stale.push(slice);
    else {
      kept.push(slice);
      for (const [zone, count] of own) add(byZone, zone, count);
    }
  }
  return { kept, stale, byZone };
}

function inOwnZone(endpoint: Endpoint): Endpoint {
  const { hints: _, ...others } = endpoint;
  const { zone = '' } = endpoint;
  return isReady(endpoint) ? { ...others, hints: { forZones: [{ name: zone }] } } : others;
}

interface Moves {
  readonly giving: Map<string, number>;
  readonly receiving: Map<string, number>;
}

/** Whole endpoints that zones with too many give to zones with too few. */
function movesBetween(allocations: Allocations, byZone: ZoneCounts): Moves {
  const surplus = new Map<string, number>();
  const lack = new Map<string, number>();
  for (const [zone, { desired }] of allocations) {
    const difference = (byZone.get(zone) ?? 0) - desired;
    if (difference > 0) surplus.set(zone, difference);
    if (difference < 0) lack.set(zone, -difference);
  }
  const giving = new Map<string, number>();
  const receiving = new Map<string, number>();
  for (;;) {
    const [from, has] = most(surplus);
    const [to, needs] = most(lack);
    if (has < 0.5 || needs < 0.5 || (has < 1 && needs < 1)) return { giving, receiving };
    add(giving, from, 1);
    add(receiving, to, 1);
    add(surplus, from, -1);
    add(lack, to, -1);
  }
}

/** Gives the endpoint to another zone where its own has to give one; counts it there. */
function moved(
  endpoint: Endpoint,
  { giving, receiving }: Moves,
  byZone: Map<string, number>,
): Endpoint {
  const { zone = '' } = endpoint;
  const [to] = [...receiving].find(([, count]) => count > 0) ?? [];
  if (!isReady(endpoint) || to === undefined || (giving.get(zone) ?? 0) <= 0) return endpoint;
  add(giving, zone, -1);
  add(receiving, to, -1);
  add(byZone, zone, -1);
  add(byZone, to, 1);
  return { ...endpoint, hints: { forZones: [{ name: to }] } };
}

const isReady = ({ conditions }: Endpoint) => conditions?.ready === true;
const readyEndpoints = ({ endpoints }: EndpointSlice) => (endpoints ?? []).filter(isReady);

function most(zones: ReadonlyMap<string, number>): readonly [zone: string, count: number] {
  let top: readonly [string, number] = ['', 0];
  for (const entry of zones) if (entry[1] > top[1]) top = entry;
  return top;
}

function add(counts: Map<string, number>, zone: string, count: number): void {
  counts.set(zone, (counts.get(zone) ?? 0) + count);
}
