// The queues of one priority level and the seats that its requests may occupy. Fair queuing in a virtual
// time: R, the seat-seconds that each active queue has been given so far, grows with the clock, and every
// queue has its own next R at which it may dispatch. The queue whose oldest request would be done first
// goes next, whatever the others hold; a flow that floods its queues waits behind itself.
//
//   a request occupies    max(initialSeats, finalSeats) seats while it runs and, for watchers of what it
//                         wrote, `additionalLatency` longer
//   its work              is guessed when it is dispatched and put right when it has finished
//   dispatch              may not come before arrival in the virtual time either: an idle queue saves
//                         nothing up

import type { Clock } from '@keelson/apimachinery';
import { createDealer, type Dealer } from './dealer.ts';
import {
  addWaiting,
  dumpQueue,
  emptyQueue,
  isActive,
  notBeforeArrival,
  oldest,
  removeWaiting,
  type FairQueue,
  type QueueDump,
} from './fair-queue.ts';
import type { LevelMeter } from './level-meter.ts';
import { createRunningTickets } from './running-tickets.ts';
import {
  createTicket,
  guessedServiceSeconds,
  maxSeats,
  workOf,
  type Seating,
  type SeatRequest,
  type Ticket,
} from './ticket.ts';

export type QueueSetShape =
  /** Waits in one of `queues` queues when there is no seat. */
  | {
      readonly mode: 'queue';
      readonly queues: number;
      readonly handSize: number;
      readonly queueLengthLimit: number;
    }
  /** Refused when there is no seat. */
  | { readonly mode: 'reject' }
  /** Never waits and is never refused. */
  | { readonly mode: 'exempt' };

export type RefusalReason = 'concurrency-limit' | 'queue-full' | 'time-out' | 'cancelled';

export interface QueueSetOptions {
  readonly clock: Clock;
  readonly meter: LevelMeter;
  readonly shape: QueueSetShape;
  readonly limit: number;
}

/** A class, because it lives as long as its level does and changes its shape on the way. */
export class QueueSet<Details> {
  readonly #clock: Clock;
  readonly #meter: LevelMeter;
  #shape: QueueSetShape;
  #dealer: Dealer | undefined;
  #limit: number;
  /** Queues that hold or run something, and some that did; the others have no state. */
  readonly #queues = new Map<number, FairQueue<Details>>();
  readonly #waitingQueues = new Set<FairQueue<Details>>();
  readonly #running = createRunningTickets<Details>();
  #progressR = 0;
  #syncedAtMs: number;
  /** Queues in which something waits or runs. */
  #activeQueues = 0;
  /** Seats that the requests of queues occupy or wait for. */
  #queuedSeats = 0;
  #lastDispatched = -1;
  #arrivals = 0;
  #waiting = 0;
  #executing = 0;
  #seatsInUse = 0;
  #seatsWaiting = 0;

  constructor({ clock, meter, shape, limit }: QueueSetOptions) {
    this.#clock = clock;
    this.#meter = meter;
    this.#syncedAtMs = clock.monotonic();
    this.#limit = limit;
    this.#shape = shape;
    this.configure(shape);
  }

  get waiting(): number {
    return this.#waiting;
  }
  get executing(): number {
    return this.#executing;
  }
  get seatsInUse(): number {
    return this.#seatsInUse;
  }
  get limit(): number {
    return this.#limit;
  }
  get isIdle(): boolean {
    return this.#waiting === 0 && this.#executing === 0;
  }
  get activeQueues(): number {
    return this.#activeQueues;
  }
  /** Reading of the monotonic clock. */
  get nowMs(): number {
    return this.#clock.monotonic();
  }
  /** R now, in seat-seconds. */
  get progressR(): number {
    this.#sync();
    return this.#progressR;
  }

  /** Requests in queues that there are no more run from where they wait. */
  configure(shape: QueueSetShape): void {
    this.#shape = shape;
    this.#dealer = shape.mode === 'queue' ? createDealer(shape.queues, shape.handSize) : undefined;
  }

  setLimit(limit: number): void {
    const now = this.#sync();
    this.#limit = limit;
    this.#dispatchAll(now);
    this.#note(now);
  }

  /** The ticket is executing, or it waits; or the request is refused. */
  start(request: SeatRequest<Details>): Ticket<Details> | 'concurrency-limit' | 'queue-full' {
    const now = this.#sync();
    const shape = this.#shape;
    if (shape.mode !== 'queue' || this.#dealer === undefined) {
      const ticket = this.#arrive(request, undefined, now);
      if (shape.mode === 'reject' && !this.#fits(ticket)) return 'concurrency-limit';
      this.#occupy(ticket, now);
      this.#note(now);
      return ticket;
    }
    const queue = this.#choose(this.#dealer(request.hash(request.distinguisher)));
    if (this.#waiting === 0) {
      const ticket = this.#arrive(request, queue, now);
      if (this.#seatsInUse < this.#limit && this.#fits(ticket)) {
        this.#startAtOnce(ticket, queue, now);
        return ticket;
      }
    }
    if (this.#seatsInUse >= this.#limit && queue.waiting.size >= shape.queueLengthLimit) {
      return 'queue-full';
    }
    const ticket = this.#arrive(request, queue, now);
    this.#enqueue(ticket, queue);
    this.#dispatchAll(now);
    this.#note(now);
    return ticket;
  }

  /** Takes a request that waits out of its queue; false when it does not wait any more. */
  leave(ticket: Ticket<Details>): boolean {
    const seating = ticket as Seating<Details>;
    const { queue } = seating;
    if (seating.state !== 'waiting' || queue === undefined) return false;
    const now = this.#sync();
    this.#unqueue(seating, queue);
    this.#queuedSeats -= maxSeats(seating);
    if (!isActive(queue)) this.#activeQueues--;
    notBeforeArrival(queue);
    this.#forgetIfEmpty(queue);
    seating.state = 'done';
    this.#dispatchAll(now);
    this.#note(now);
    return true;
  }

  /** The request has finished; its seats are free now, or after its additional latency. */
  finish(ticket: Ticket<Details>): void {
    const seating = ticket as Seating<Details>;
    if (seating.state !== 'executing') return;
    const now = this.#sync();
    const { queue, counts } = seating;
    this.#executing--;
    counts.executing--;
    this.#running.remove(seating);
    if (queue !== undefined) {
      queue.running--;
      const served = (now - (seating.startedAtMs ?? now)) / 1000;
      queue.nextDispatchR += seating.initialSeats * (served - guessedServiceSeconds);
      notBeforeArrival(queue);
      if (!isActive(queue)) this.#activeQueues--;
    }
    if (seating.additionalLatencyMs <= 0) this.#release(seating, now);
    else {
      seating.state = 'lingering';
      this.#clock.after(seating.additionalLatencyMs, () => this.#release(seating, this.#sync()));
      this.#note(now);
    }
  }

  queues(): QueueDump<Details>[] {
    const shape = this.#shape;
    const running = this.#running.list();
    const dump = (index: number) =>
      dumpQueue(this.#queues.get(index) ?? emptyQueue<Details>(index), running);
    const count = shape.mode === 'queue' ? Math.min(shape.queues, dumpedQueuesMax) : 0;
    const indexes = new Set([...Array(count).keys(), ...this.#queues.keys()]);
    return [...indexes].toSorted((a, b) => a - b).map(dump);
  }

  /** Requests that run without having been in a queue. */
  queueless(): Ticket<Details>[] {
    return this.#running.list().filter(({ queue }) => queue === undefined);
  }

  /** Brings R up to date: so far the state of the queues was what it is now. */
  #sync(): number {
    const now = this.#clock.monotonic();
    if (this.#activeQueues > 0) {
      const rate = Math.min(this.#queuedSeats, this.#limit) / this.#activeQueues;
      this.#progressR += (rate * (now - this.#syncedAtMs)) / 1000;
    }
    this.#syncedAtMs = now;
    return now;
  }

  #note(now: number): void {
    this.#meter.note(now, {
      executing: this.#executing,
      waiting: this.#waiting,
      seatsInUse: this.#seatsInUse,
      seatsWaiting: this.#seatsWaiting,
    });
  }

  #arrive(request: SeatRequest<Details>, queue: FairQueue<Details> | undefined, nowMs: number) {
    return createTicket(request, { queue, nowMs, progressR: this.#progressR });
  }

  /**
   * The queue of the hand with the least work waiting. The hand is looked at from another card each
   * time, so that of equal queues each gets its turn.
   */
  #choose(hand: readonly number[]): FairQueue<Details> {
    const offset = this.#arrivals++ % hand.length;
    let chosen: FairQueue<Details> | undefined;
    for (let i = 0; i < hand.length; i++) {
      const index = hand[(offset + i) % hand.length] ?? 0;
      const queue = this.#queues.get(index);
      if (queue === undefined) return emptyQueue(index);
      if (chosen === undefined || queue.workWaiting < chosen.workWaiting) chosen = queue;
      if (chosen.workWaiting === 0) return chosen;
    }
    return chosen ?? emptyQueue(0);
  }

  /** What `#enqueue` and `#dispatchNext` come to when nothing waits and there are seats. */
  #startAtOnce(ticket: Seating<Details>, queue: FairQueue<Details>, now: number): void {
    this.#activate(queue);
    if (queue.nextDispatchR < this.#progressR) queue.nextDispatchR = this.#progressR;
    ticket.counts.queueLength.observe(1);
    this.#meter.startScan();
    const working = queue.seatsInUse * guessedServiceSeconds;
    this.#meter.scanned(queue.nextDispatchR, queue.nextDispatchR - working);
    this.#serve(ticket, queue, now);
    this.#note(now);
  }

  #activate(queue: FairQueue<Details>): void {
    if (isActive(queue)) return;
    queue.nextDispatchR = this.#progressR;
    this.#activeQueues++;
    this.#queues.set(queue.index, queue);
  }

  #enqueue(ticket: Seating<Details>, queue: FairQueue<Details>): void {
    this.#activate(queue);
    addWaiting(queue, ticket);
    this.#waitingQueues.add(queue);
    const seats = maxSeats(ticket);
    this.#waiting++;
    this.#seatsWaiting += seats;
    this.#queuedSeats += seats;
    ticket.counts.waiting++;
    ticket.counts.seatsWaiting += seats;
    ticket.counts.queueLength.observe(queue.waiting.size);
  }

  #unqueue(ticket: Seating<Details>, queue: FairQueue<Details>): void {
    removeWaiting(queue, ticket);
    if (queue.waiting.size === 0) this.#waitingQueues.delete(queue);
    const seats = maxSeats(ticket);
    this.#waiting--;
    this.#seatsWaiting -= seats;
    ticket.counts.waiting--;
    ticket.counts.seatsWaiting -= seats;
  }

  #dispatchAll(now: number): void {
    while (this.#waiting > 0 && this.#seatsInUse < this.#limit && this.#dispatchNext(now));
  }

  #dispatchNext(now: number): boolean {
    const next = this.#nextInVirtualTime();
    if (next === undefined) return false;
    const { queue, ticket } = next;
    if (!this.#fits(ticket)) {
      ticket.counts.withoutAccommodation++;
      return false;
    }
    this.#unqueue(ticket, queue);
    this.#queuedSeats -= maxSeats(ticket);
    this.#serve(ticket, queue, now);
    notBeforeArrival(queue);
    ticket.onDispatch?.();
    return true;
  }

  /** From its queue into its seats. */
  #serve(ticket: Seating<Details>, queue: FairQueue<Details>, now: number): void {
    this.#lastDispatched = queue.index;
    this.#meter.dispatched(this.#progressR, queue.nextDispatchR);
    queue.nextDispatchR += workOf(ticket);
    this.#fitFinalSeats(ticket);
    const seats = maxSeats(ticket);
    this.#queuedSeats += seats;
    queue.running++;
    queue.seatsInUse += seats;
    this.#occupy(ticket, now);
  }

  /** The oldest of the queue that would finish its oldest first; of equals, the next in the round. */
  #nextInVirtualTime(): { queue: FairQueue<Details>; ticket: Seating<Details> } | undefined {
    const count = this.#shape.mode === 'queue' ? this.#shape.queues : this.#queues.size;
    const turn = (queue: FairQueue<Details>) =>
      (((queue.index - this.#lastDispatched - 1) % count) + count) % count;
    let found: { queue: FairQueue<Details>; ticket: Seating<Details> } | undefined;
    let finish = Number.POSITIVE_INFINITY;
    this.#meter.startScan();
    for (const queue of this.#waitingQueues) {
      const ticket = oldest(queue);
      if (ticket === undefined) continue;
      const working = queue.seatsInUse * guessedServiceSeconds;
      this.#meter.scanned(queue.nextDispatchR, queue.nextDispatchR - working);
      const end = queue.nextDispatchR + workOf(ticket);
      if (
        found === undefined ||
        end < finish ||
        (end === finish && turn(queue) < turn(found.queue))
      ) {
        found = { queue, ticket };
        finish = end;
      }
    }
    return found;
  }

  /** A request that is wider than the level runs alone. */
  #fits(ticket: Seating<Details>): boolean {
    const seats = maxSeats(ticket);
    if (seats > this.#limit) return this.#executing === 0;
    return this.#seatsInUse + seats <= this.#limit;
  }

  /** Wider than the level at the end: as wide as it is, and so much longer. */
  #fitFinalSeats(ticket: Seating<Details>): void {
    if (ticket.finalSeats <= this.#limit || this.#limit === 0) return;
    ticket.additionalLatencyMs *= ticket.finalSeats / this.#limit;
    ticket.finalSeats = this.#limit;
  }

  #occupy(ticket: Seating<Details>, now: number): void {
    ticket.state = 'executing';
    ticket.startedAtMs = now;
    const seats = maxSeats(ticket);
    this.#executing++;
    this.#running.add(ticket);
    this.#seatsInUse += seats;
    ticket.counts.executing++;
    ticket.counts.seatsInUse += seats;
  }

  #release(ticket: Seating<Details>, now: number): void {
    const { queue, counts } = ticket;
    const seats = maxSeats(ticket);
    ticket.state = 'done';
    this.#seatsInUse -= seats;
    counts.seatsInUse -= seats;
    if (queue !== undefined) {
      queue.seatsInUse -= seats;
      this.#queuedSeats -= seats;
      this.#forgetIfEmpty(queue);
    }
    this.#dispatchAll(now);
    this.#note(now);
  }

  #forgetIfEmpty(queue: FairQueue<Details>): void {
    if (this.#queues.size <= keptQueuesMax || isActive(queue) || queue.seatsInUse > 0) return;
    this.#queues.delete(queue.index);
  }
}

/** Empty queues are kept for the next request up to this many, and made anew beyond. */
const keptQueuesMax = 1024;
/** Queues of one level that a dump shows, beyond those that hold something. */
const dumpedQueuesMax = 1024;
