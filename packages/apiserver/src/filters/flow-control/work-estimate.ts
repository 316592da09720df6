// How many seats a request occupies, guessed before it runs.
//
//   get and others      one
//   list                by the bytes that it holds in memory at once, 100 kB a seat; before that was
//                       known (1.33), by the objects that it looks at, 100 a seat
//   watch               one; as a list when it asks for the objects that are there already
//   write               one, and at its end one for ten watchers, five milliseconds long
//
// A level may bound the seats of one request further, so that a single one cannot fill it.

import { asJson, encodeJsonText, type Clock } from '@keelson/apimachinery';
import type { Features } from '../../features/features.ts';
import type { ResourceEndpoint, ResourceIndex } from '../../registry/resource-endpoint.ts';
import { storagePrefix, type StoreScope } from '../../registry/store-types.ts';
import type { RequestInfo } from '../../request-context.ts';
import type { FlowCounts } from './flow-counts.ts';
import type { WatchCounts } from './watch-counts.ts';

export interface WorkEstimate {
  readonly initialSeats: number;
  readonly finalSeats: number;
  /** How long the final seats are occupied after the answer. */
  readonly additionalLatencyMs: number;
}

export interface WorkEstimatorOptions {
  readonly features: Features;
  readonly index: Pick<ResourceIndex, 'find'>;
  readonly watches: WatchCounts;
  readonly clock: Clock;
}

/** Bounds of the level that the request goes to; 0 is no bound of its own. */
export interface SeatBounds {
  readonly maxSeats: number;
}

export type EstimateWork = (
  info: RequestInfo,
  level: SeatBounds,
  counts: FlowCounts,
) => WorkEstimate | Promise<WorkEstimate>;

const oneSeat: WorkEstimate = { initialSeats: 1, finalSeats: 0, additionalLatencyMs: 0 };

const bytesPerSeat = 100_000;
const objectsPerSeat = 100;
/** What a list from memory holds of its answer at once. */
const streamedBytesMax = 1_000_000;
/** Objects whose size is looked at to know the average, and for how long that is believed. */
const sampledObjects = 10;
const sampleAgeMaxMs = 10_000;

const mutatingSeatsMax = 10;
const watchesPerSeat = 10;
const eventMs = 5;

export function createWorkEstimator(options: WorkEstimatorOptions): EstimateWork {
  const { features, index, watches } = options;
  const bySize = features.enabled('SizeBasedListCostEstimate');
  const consistentFromMemory = features.enabled('ConsistentListFromCache');
  const listSeatsMax = bySize ? 100 : 10;
  const averageBytes = createSizeSampler(options.clock);
  const estimateList = (info: RequestInfo, level: SeatBounds) => {
    const most = boundedBy(level, listSeatsMax);
    const list = readListQuery(info, consistentFromMemory);
    if (list === undefined) return { ...oneSeat, initialSeats: most };
    if (info.verb === 'watch' && !list.sendsInitialEvents) return oneSeat;
    const endpoint = index.find(info);
    const scope = endpoint?.scope;
    if (endpoint === undefined || scope === undefined) return oneSeat;
    const stored = scope.storage.count(storagePrefix(scope, ''));
    const within = (seats: number) => ({
      ...oneSeat,
      initialSeats: Math.min(most, Math.max(1, Math.ceil(seats))),
    });
    if (!bySize) return within(objectsLookedAt(stored, list) / objectsPerSeat);
    const bytes = averageBytes(endpoint, scope);
    const seats = (average: number) => within(bytesHeld(stored, average, list) / bytesPerSeat);
    return typeof bytes === 'number' ? seats(bytes) : bytes.then(seats);
  };
  return (info, level, counts) => {
    if (!info.isResourceRequest) return oneSeat;
    switch (info.verb) {
      case 'list':
      case 'watch':
        return estimateList(info, level);
      case 'create':
      case 'update':
      case 'patch':
      case 'delete':
        return estimateWrite(info, boundedBy(level, mutatingSeatsMax), watches, counts);
      default:
        return oneSeat;
    }
  };
}

const boundedBy = ({ maxSeats }: SeatBounds, most: number) =>
  maxSeats === 0 ? most : Math.min(most, maxSeats);

interface ListQuery {
  readonly limit: number;
  readonly isSelective: boolean;
  readonly isSingle: boolean;
  readonly fromMemory: boolean;
  readonly sendsInitialEvents: boolean;
}

/** Undefined when the request will be refused for its options anyway. */
function readListQuery(info: RequestInfo, consistentFromMemory: boolean): ListQuery | undefined {
  const { query } = info;
  const text = (name: string) => query.get(name) ?? '';
  if (!/^-?\d*$/.test(text('limit'))) return undefined;
  const limit = Number(text('limit'));
  const initial = text('sendInitialEvents');
  return {
    limit: limit > 0 ? limit : Number.POSITIVE_INFINITY,
    isSelective: text('labelSelector') !== '' || text('fieldSelector') !== '',
    isSingle: info.name !== '',
    fromMemory: info.verb === 'watch' || isFromMemory(text, limit, consistentFromMemory),
    sendsInitialEvents: initial === 'true' || initial === '1',
  };
}

/** COMPAT: which lists kube-apiserver answers from its watch cache rather than from etcd. */
function isFromMemory(
  text: (name: string) => string,
  limit: number,
  consistentFromMemory: boolean,
): boolean {
  switch (text('resourceVersionMatch')) {
    case 'NotOlderThan':
      return true;
    case '':
      break;
    default:
      return false;
  }
  const resourceVersion = text('resourceVersion');
  if (text('continue') !== '') return false;
  if (resourceVersion === '') return consistentFromMemory;
  return limit <= 0 || resourceVersion === '0';
}

function objectsLookedAt(stored: number, list: ListQuery): number {
  const limit = Math.min(stored, list.limit);
  if (list.isSingle) return 1;
  if (list.fromMemory) return stored;
  return list.isSelective ? stored + limit : 2 * limit;
}

function bytesHeld(stored: number, averageBytes: number, list: ListQuery): number {
  const limit = Math.min(stored, list.limit);
  let objects = limit;
  if (list.isSingle) objects = 1;
  else if (!list.fromMemory && list.isSelective) objects = Math.max(limit, Math.floor(stored / 2));
  const bytes = objects * averageBytes;
  return list.fromMemory ? Math.min(bytes, streamedBytesMax) : bytes;
}

/** The size of objects of a resource, from a few of them. */
function createSizeSampler(
  clock: Clock,
): (endpoint: ResourceEndpoint, scope: StoreScope) => number | Promise<number> {
  const known = new WeakMap<ResourceEndpoint, { readonly bytes: number; readonly atMs: number }>();
  const sample = async (endpoint: ResourceEndpoint, scope: StoreScope) => {
    const prefix = storagePrefix(scope, '');
    const { entries } = await scope.storage.list(prefix, { limit: sampledObjects });
    const total = entries.reduce(
      (sum, entry) => sum + Buffer.byteLength(encodeJsonText(asJson(entry.object))),
      0,
    );
    const bytes = entries.length === 0 ? 0 : Math.ceil(total / entries.length);
    known.set(endpoint, { bytes, atMs: clock.monotonic() });
    return bytes;
  };
  return (endpoint, scope) => {
    const last = known.get(endpoint);
    const isFresh = last !== undefined && clock.monotonic() - last.atMs < sampleAgeMaxMs;
    return isFresh ? last.bytes : sample(endpoint, scope);
  };
}

function estimateWrite(
  info: RequestInfo,
  most: number,
  watches: WatchCounts,
  counts: FlowCounts,
): WorkEstimate {
  // A token is made for a service account, and nothing of that is written.
  if (info.resource === 'serviceaccounts' && info.subresource === 'token') return oneSeat;
  const watchers = watches.interestedIn(info);
  counts.watchCount.observe(watchers);
  if (watchers < watchesPerSeat) return oneSeat;
  const seats = Math.ceil(watchers / watchesPerSeat);
  const finalSeats = Math.min(seats, most);
  return { initialSeats: 1, finalSeats, additionalLatencyMs: (eventMs * seats) / finalSeats };
}
