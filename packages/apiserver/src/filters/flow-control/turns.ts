// Seats bound what runs at once, but one thread runs one thing at a time. Fifty long lists that have seats
// would all take fifty times as long, and keep their seats until then, while those who want one seat wait.
// So requests of several seats go one after the other: the next begins when the one before has finished,
// or has had its moment (its client may read slowly). That costs no throughput, and seats come free all
// the time. And whoever has waited in a queue begins in a later turn of the event loop, after those that
// have come meanwhile were heard.

import { nextTurn, type Clock } from '@keelson/apimachinery';

export interface TurnOfRequest {
  readonly seats: number;
  readonly hasWaited: boolean;
}

export interface Turn {
  /** Resolves when the request may begin. */
  readonly begin: Promise<void>;
  /** To be called when it has finished; twice is no harm. */
  end(): void;
}

/** Undefined when the request may begin at once. */
export type TakeTurn = (request: TurnOfRequest) => Turn | undefined;

/** How long a request of several seats may keep the next one from beginning. */
const momentMs = 50;

export function createTurns(clock: Clock): TakeTurn {
  let last: Promise<void> = Promise.resolve();
  return ({ seats, hasWaited }) => {
    if (seats <= 1) return hasWaited ? { begin: nextTurn(), end: () => {} } : undefined;
    let end = () => {};
    const ended = new Promise<void>((resolve) => (end = resolve));
    const begin = last.then(nextTurn);
    last = begin.then(() => endedOrLate(ended, clock));
    return { begin, end };
  };
}

function endedOrLate(ended: Promise<void>, clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    const cancel = clock.after(momentMs, resolve);
    void ended.then(() => {
      cancel();
      resolve();
    });
  });
}
