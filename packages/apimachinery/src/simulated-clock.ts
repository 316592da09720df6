// A clock that moves only when it is told to, so that hours of a cluster's life pass in
// milliseconds and always in the same way.

import type { Clock } from './clock.ts';
import { nextTurn } from './next-turn.ts';

export interface SimulatedClock extends Clock {
  /**
   * Moves time forward and runs the timers that come due, in their order. Before each, and at the
   * end, everything that is ready to run has run: what a timer sets going may set the next timer.
   */
  advance(ms: number): Promise<void>;
  /** Timers that wait. */
  readonly pending: number;
}

interface Timer {
  readonly at: number;
  readonly fn: () => void;
}

export function createSimulatedClock(startMs = Date.UTC(2026, 0, 1)): SimulatedClock {
  let now = startMs;
  const timers = new Set<Timer>();
  const earliest = (end: number): Timer | undefined => {
    let found: Timer | undefined;
    for (const timer of timers)
      if (timer.at <= end && (found === undefined || timer.at < found.at)) found = timer;
    return found;
  };
  return {
    now: () => now,
    monotonic: () => now - startMs,
    after(delayMs, fn) {
      const timer = { at: now + Math.max(delayMs, 0), fn };
      timers.add(timer);
      return () => void timers.delete(timer);
    },
    async advance(ms) {
      const end = now + ms;
      for (;;) {
        await settle();
        const due = earliest(end);
        if (due === undefined) break;
        timers.delete(due);
        now = Math.max(now, due.at);
        due.fn();
      }
      now = end;
      await settle();
    },
    get pending() {
      return timers.size;
    },
  };
}

/** Long chains of work give way to others now and then, each time for one turn. */
const settlingTurns = 10;

async function settle(): Promise<void> {
  for (let turn = 0; turn < settlingTurns; turn++) await nextTurn();
}
