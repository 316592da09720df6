// One request at a priority level, from its arrival until its seats are free again: how many seats it
// takes, for how long, and how much work that is thought to be.

import type { FairQueue } from './fair-queue.ts';
import type { FlowCounts } from './flow-counts.ts';
import type { FlowHash } from './flow-hash.ts';
import type { WorkEstimate } from './work-estimate.ts';

export interface SeatRequest<Details> {
  readonly counts: FlowCounts;
  readonly estimate: WorkEstimate;
  /** What tells its flow from the others of its schema. */
  readonly distinguisher: string;
  /** Of the flow; asked for when the level has queues. */
  readonly hash: (distinguisher: string) => FlowHash;
  /** Whose request it is, for the dump of requests. */
  readonly details: Details;
}

/** A request that waits or occupies seats. */
export interface Ticket<Details = unknown> {
  readonly counts: FlowCounts;
  readonly details: Details;
  readonly distinguisher: string;
  readonly initialSeats: number;
  /** Less than asked for when the level has fewer. */
  readonly finalSeats: number;
  readonly additionalLatencyMs: number;
  /** Readings of the monotonic clock. */
  readonly arrivedAtMs: number;
  readonly startedAtMs: number | undefined;
  readonly state: 'waiting' | 'executing' | 'lingering' | 'done';
  /** Called when a waiting request is dispatched; the waiter sets it. */
  onDispatch: (() => void) | undefined;
}

/** A ticket as its queue and its level see it. */
export type Seating<Details> = {
  -readonly [K in keyof Ticket<Details>]: Ticket<Details>[K];
} & {
  readonly queue: FairQueue<Details> | undefined;
  readonly arrivalR: number;
  /** Its neighbours among those that run, for as long as it does. */
  newer: Seating<Details> | undefined;
  older: Seating<Details> | undefined;
};

export interface Arrival<Details> {
  /** Undefined where nothing queues. */
  readonly queue: FairQueue<Details> | undefined;
  readonly nowMs: number;
  /** The virtual time of the level. */
  readonly progressR: number;
}

export function createTicket<Details>(
  { counts, details, distinguisher, estimate }: SeatRequest<Details>,
  { queue, nowMs, progressR }: Arrival<Details>,
): Seating<Details> {
  return {
    counts,
    details,
    distinguisher,
    initialSeats: estimate.initialSeats,
    finalSeats: estimate.finalSeats,
    additionalLatencyMs: estimate.additionalLatencyMs,
    arrivedAtMs: nowMs,
    arrivalR: progressR,
    startedAtMs: undefined,
    state: 'waiting',
    queue,
    onDispatch: undefined,
    newer: undefined,
    older: undefined,
  };
}

/** What a request is thought to take until it is known, in seconds. */
export const guessedServiceSeconds = 0.003;

export const maxSeats = ({ initialSeats, finalSeats }: Ticket) =>
  Math.max(initialSeats, finalSeats);

/** In seat-seconds, as far as it can be known before it is done. */
export const workOf = ({ initialSeats, finalSeats, additionalLatencyMs }: Ticket) =>
  initialSeats * guessedServiceSeconds + (finalSeats * additionalLatencyMs) / 1000;
