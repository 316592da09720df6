// One queue of a priority level: what waits in it, how much work that is, and the virtual time at which
// it may dispatch next.

import { maxSeats, workOf, type Seating, type Ticket } from './ticket.ts';

export interface FairQueue<Details> {
  readonly index: number;
  /** Oldest first. */
  readonly waiting: Set<Seating<Details>>;
  running: number;
  seatsInUse: number;
  nextDispatchR: number;
  initialSeatsWaiting: number;
  seatsWaiting: number;
  workWaiting: number;
}

export interface QueueDump<Details> {
  readonly index: number;
  readonly waiting: readonly Ticket<Details>[];
  readonly executing: readonly Ticket<Details>[];
  readonly seatsInUse: number;
  readonly nextDispatchR: number;
  readonly initialSeatsSum: number;
  readonly maxSeatsSum: number;
  readonly totalWorkSum: number;
}

export function emptyQueue<Details>(index: number): FairQueue<Details> {
  return {
    index,
    waiting: new Set(),
    running: 0,
    seatsInUse: 0,
    nextDispatchR: 0,
    initialSeatsWaiting: 0,
    seatsWaiting: 0,
    workWaiting: 0,
  };
}

export const isActive = (queue: FairQueue<unknown>) => queue.waiting.size > 0 || queue.running > 0;

export function oldest<Details>(queue: FairQueue<Details>): Seating<Details> | undefined {
  return queue.waiting.values().next().value;
}

export function addWaiting<Details>(queue: FairQueue<Details>, ticket: Seating<Details>): void {
  queue.waiting.add(ticket);
  queue.initialSeatsWaiting += ticket.initialSeats;
  queue.seatsWaiting += maxSeats(ticket);
  queue.workWaiting += workOf(ticket);
  notBeforeArrival(queue);
}

export function removeWaiting<Details>(queue: FairQueue<Details>, ticket: Seating<Details>): void {
  queue.waiting.delete(ticket);
  queue.initialSeatsWaiting -= ticket.initialSeats;
  queue.seatsWaiting -= maxSeats(ticket);
  queue.workWaiting -= workOf(ticket);
  // Sums of fractions do not come back to nothing by themselves.
  if (queue.waiting.size === 0) queue.workWaiting = 0;
}

/** Nothing is dispatched before it arrived. */
export function notBeforeArrival(queue: FairQueue<unknown>): void {
  const arrival = oldest(queue)?.arrivalR;
  if (arrival !== undefined && queue.nextDispatchR < arrival) queue.nextDispatchR = arrival;
}

export function dumpQueue<Details>(
  queue: FairQueue<Details>,
  running: readonly Seating<Details>[],
): QueueDump<Details> {
  return {
    index: queue.index,
    waiting: [...queue.waiting],
    executing: running.filter((ticket) => ticket.queue === queue),
    seatsInUse: queue.seatsInUse,
    nextDispatchR: queue.nextDispatchR,
    initialSeatsSum: queue.initialSeatsWaiting,
    maxSeatsSum: queue.seatsWaiting,
    totalWorkSum: queue.workWaiting,
  };
}
