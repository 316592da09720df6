// Spreads endpoints over slices with as few writes as possible: what is in a slice stays there, new
// endpoints go where something is written anyway, then into the fullest slice that has room for all
// of them, then into new slices. A slice never holds more than its maximum.

import { jsonEqual, type JsonValue } from '@keelson/apimachinery';
import type {
  Endpoint,
  EndpointPort,
  EndpointSlice,
} from '@keelson/apimachinery/types/discovery.k8s.io.v1';
import { portsKey } from './port-order.ts';

/** Endpoints that have the same ports. */
export interface EndpointGroup {
  readonly ports: readonly EndpointPort[];
  readonly endpoints: readonly Endpoint[];
}
export interface SlicePlan {
  readonly create: readonly EndpointSlice[];
  readonly update: readonly EndpointSlice[];
  readonly delete: readonly EndpointSlice[];
}
export interface SlicePlanOptions {
  /** Of one address type, and of the owner. */
  readonly existing: readonly EndpointSlice[];
  readonly desired: readonly EndpointGroup[];
  /** A new slice without endpoints and ports; existing ones get its labels, and annotations if any. */
  readonly template: EndpointSlice;
  readonly endpointsMax: number;
  /** One empty slice stays where nothing is desired. */
  readonly keepsPlaceholder: boolean;
  /** Hints of endpoints that are there are somebody else's to decide, and no reason to write. */
  readonly keepsHints?: boolean;
}

export function planSlices(options: SlicePlanOptions): SlicePlan {
  const { existing, desired, template, keepsPlaceholder } = options;
  const byPorts = Map.groupBy(existing, (slice) => portsKey(slice.ports ?? []));
  const draft: Draft = { create: [], update: [], delete: [] };
  for (const group of desired) {
    const key = portsKey(group.ports);
    planGroup(options, { ...group, existing: byPorts.get(key) ?? [] }, draft);
    byPorts.delete(key);
  }
  draft.delete.push(...[...byPorts.values()].flat());
  const stays = existing.length > draft.delete.length || draft.create.length > 0;
  if (keepsPlaceholder && !stays) keepPlaceholder(draft, template);
  return reuseDeleted(draft);
}

interface Draft {
  readonly create: EndpointSlice[];
  readonly update: EndpointSlice[];
  delete: EndpointSlice[];
}

interface ExistingGroup extends EndpointGroup {
  readonly existing: readonly EndpointSlice[];
}

function planGroup(options: SlicePlanOptions, group: ExistingGroup, draft: Draft): void {
  const { template, endpointsMax, keepsHints = false } = options;
  const left = new Map(group.endpoints.map((endpoint) => [endpointKey(endpoint), endpoint]));
  const changed: EndpointSlice[] = [];
  const unchanged: EndpointSlice[] = [];
  for (const slice of group.existing) {
    const kept = takeKept(slice, left, { endpointsMax, keepsHints });
    if (kept.length === 0) draft.delete.push(slice);
    else if (!isAsWanted(slice, kept, template)) changed.push(withEndpoints(slice, kept, template));
    else unchanged.push(slice);
  }
  const fill = (slice: EndpointSlice): EndpointSlice => {
    const before = slice.endpoints ?? [];
    const added = [...left].slice(0, endpointsMax - before.length);
    for (const [key] of added) left.delete(key);
    const endpoints = [...before, ...added.map(([, endpoint]) => endpoint)];
    return { ...slice, endpoints };
  };
  const fullestFirst = changed.toSorted((a, b) => sizeOf(b) - sizeOf(a));
  draft.update.push(...fullestFirst.map(fill));
  while (left.size > 0) {
    const roomy = fullestWithRoom(unchanged, left.size, endpointsMax);
    if (roomy === undefined)
      draft.create.push(fill({ ...template, ports: [...group.ports], endpoints: [] }));
    else draft.update.push(fill(withEndpoints(roomy, roomy.endpoints ?? [], template)));
  }
}

const sizeOf = ({ endpoints }: EndpointSlice) => endpoints?.length ?? 0;

/** What the slice has and should have, as it should be. */
function takeKept(
  slice: EndpointSlice,
  left: Map<string, Endpoint>,
  { endpointsMax, keepsHints }: { readonly endpointsMax: number; readonly keepsHints: boolean },
): Endpoint[] {
  const kept: Endpoint[] = [];
  for (const endpoint of slice.endpoints ?? []) {
    if (kept.length === endpointsMax) break;
    const key = endpointKey(endpoint);
    const wanted = left.get(key);
    if (wanted === undefined) continue;
    const { hints } = endpoint;
    kept.push(keepsHints && hints !== undefined ? { ...wanted, hints } : wanted);
    left.delete(key);
  }
  return kept;
}

function isAsWanted(
  { metadata, endpoints }: EndpointSlice,
  kept: Endpoint[],
  template: EndpointSlice,
): boolean {
  const { labels = {}, annotations } = template.metadata;
  return (
    jsonEqual(asJson(endpoints ?? []), asJson(kept)) &&
    jsonEqual(metadata.labels ?? {}, labels) &&
    (annotations === undefined || jsonEqual(metadata.annotations ?? {}, annotations))
  );
}

function withEndpoints(
  slice: EndpointSlice,
  endpoints: Endpoint[],
  { metadata: { labels = {}, annotations } }: EndpointSlice,
): EndpointSlice {
  const metadata = { ...slice.metadata, labels, ...(annotations && { annotations }) };
  return { ...slice, metadata, endpoints };
}

function fullestWithRoom(
  slices: readonly EndpointSlice[],
  count: number,
  endpointsMax: number,
): EndpointSlice | undefined {
  return slices
    .filter((slice) => sizeOf(slice) + count <= endpointsMax)
    .reduce<EndpointSlice | undefined>(
      (best, slice) => (best !== undefined && sizeOf(best) >= sizeOf(slice) ? best : slice),
      undefined,
    );
}

/** An empty slice that is there already stays, in place of a new one. */
function keepPlaceholder(draft: Draft, template: EndpointSlice): void {
  const [only] = draft.delete;
  const isPlaceholder =
    only !== undefined &&
    draft.delete.length === 1 &&
    (only.ports ?? []).length === 0 &&
    isAsWanted(only, [], template);
  if (isPlaceholder) draft.delete = [];
  else draft.create.push({ ...template, endpoints: [], ports: [] });
}

/** A slice that would be deleted takes what would be created: one write less, and no gap. */
function reuseDeleted({ create, update, delete: deleted }: Draft): SlicePlan {
  const count = Math.min(create.length, deleted.length);
  const reused = deleted.slice(0, count).map((old, index) => {
    const { endpoints = [], ports = [], ...fresh } = create[index] as EndpointSlice;
    return { ...withEndpoints(old, endpoints ?? [], fresh), ports };
  });
  return {
    create: create.slice(count),
    update: [...update, ...reused],
    delete: deleted.slice(count),
  };
}

/** The same backend, in whatever state it is. */
export function endpointKey({ addresses, hostname = '', targetRef }: Endpoint): string {
  const { namespace = '', name = '' } = targetRef ?? {};
  return JSON.stringify([[...(addresses ?? [])].sort(), hostname, namespace, name]);
}

const asJson = (endpoints: readonly Endpoint[]) => endpoints as unknown as JsonValue;
