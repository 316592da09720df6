// A queue of keys to reconcile. A key is there at most once, however often it is added; one that is
// added while it is being worked on comes again afterwards, so no change is missed and no key is
// worked on twice at a time. Failed keys come again later and later. After the work a key rests for
// a multiple of what it took, so that one that changes all the time is looked at now and then, with
// all its changes at once, and leaves the time to others.

import type { Clock } from '@keelson/apimachinery';
import type { WorkQueueMeter } from './work-queue-metrics.ts';

export interface WorkQueue<K = string> {
  add(key: K): void;
  addAfter(key: K, delayMs: number): void;
  /** After a time that doubles with each call, until `forget`. */
  addRateLimited(key: K): void;
  /** The key succeeded: its next failure starts from the shortest wait. */
  forget(key: K): void;
  /**
   * The next key, which the caller must hand back with `done`; undefined once the queue is shut
   * down.
   */
  next(): Promise<K | undefined>;
  done(key: K): void;
  /** Keys that wait to be worked on now. */
  readonly length: number;
  /** Nothing is handed out any more, waiting timers are cancelled, waiting workers return. */
  shutDown(): void;
}

export interface WorkQueueOptions {
  readonly clock: Clock;
  /** Told what happens; from `metrics.workQueue(name)`. */
  readonly meter?: WorkQueueMeter;
  readonly failureDelayMinMs?: number;
  readonly failureDelayMaxMs?: number;
}

/**
 * The delays of client-go's default rate limiter, with a shorter bound: one process has one user.
 */
const defaults = { failureDelayMinMs: 5, failureDelayMaxMs: 60_000 } as const;

/** How many times as long as the work a key rests. */
const restShare = 4;
const restMaxMs = 250;

export function createWorkQueue<K = string>(options: WorkQueueOptions): WorkQueue<K> {
  const { clock, meter } = options;
  const failureDelayMinMs = options.failureDelayMinMs ?? defaults.failureDelayMinMs;
  const failureDelayMaxMs = options.failureDelayMaxMs ?? defaults.failureDelayMaxMs;
  const now = createReadyKeys<K>(clock, meter);
  const later = createLaterKeys<K>(clock, now.add);
  const resting = createLaterKeys<K>(clock, now.done);
  const failures = new Map<K, number>();
  let isShutDown = false;

  const addAfter = (key: K, delayMs: number) => {
    if (isShutDown) return;
    if (delayMs <= 0) now.add(key);
    else {
      meter?.retried();
      later.add(key, delayMs);
    }
  };
  return {
    add: (key) => addAfter(key, 0),
    addAfter,
    addRateLimited(key) {
      const failed = failures.get(key) ?? 0;
      failures.set(key, failed + 1);
      addAfter(key, Math.min(failureDelayMinMs * 2 ** failed, failureDelayMaxMs));
    },
    forget: (key) => void failures.delete(key),
    next: () => (isShutDown ? Promise.resolve(undefined) : now.next()),
    done(key) {
      meter?.done(key);
      const restMs = Math.min(now.tookMs(key) * restShare, restMaxMs);
      // Timers count whole milliseconds.
      if (restMs < 1 || isShutDown) now.done(key);
      else resting.add(key, restMs);
    },
    get length() {
      return now.length();
    },
    shutDown() {
      isShutDown = true;
      failures.clear();
      later.clear();
      resting.clear();
      now.clear();
      meter?.close();
    },
  };
}

interface ReadyKeys<K> {
  add(key: K): void;
  next(): Promise<K | undefined>;
  /** Since it was handed out. */
  tookMs(key: K): number;
  /** It is ready again if it was added meanwhile. */
  done(key: K): void;
  length(): number;
  /** Those who wait for a key get none. */
  clear(): void;
}

function createReadyKeys<K>(clock: Clock, meter: WorkQueueMeter | undefined): ReadyKeys<K> {
  /** In order of arrival. */
  const ready = new Set<K>();
  /** With the time when they were handed out. */
  const underWay = new Map<K, number>();
  /** Added while they were under way. */
  const again = new Set<K>();
  const takers: ((key: K | undefined) => void)[] = [];
  const take = (key: K): K => {
    ready.delete(key);
    underWay.set(key, clock.monotonic());
    meter?.taken(key);
    return key;
  };
  const add = (key: K) => {
    meter?.added(key);
    if (underWay.has(key)) return void again.add(key);
    ready.add(key);
    takers.shift()?.(take(key));
  };
  return {
    add,
    next() {
      const first = ready.values().next();
      if (first.done !== true) return Promise.resolve(take(first.value));
      return new Promise((resolve) => takers.push(resolve));
    },
    tookMs: (key) => clock.monotonic() - (underWay.get(key) ?? clock.monotonic()),
    done(key) {
      underWay.delete(key);
      if (again.delete(key)) add(key);
    },
    length: () => ready.size,
    clear() {
      ready.clear();
      again.clear();
      for (const taker of takers.splice(0)) taker(undefined);
    },
  };
}

interface LaterKeys<K> {
  /** Of two times for a key the earlier one counts. */
  add(key: K, delayMs: number): void;
  clear(): void;
}

function createLaterKeys<K>(clock: Clock, onDue: (key: K) => void): LaterKeys<K> {
  const waiting = new Map<K, { readonly at: number; readonly cancel: () => void }>();
  return {
    add(key, delayMs) {
      const at = clock.monotonic() + delayMs;
      const earlier = waiting.get(key);
      if (earlier !== undefined && earlier.at <= at) return;
      earlier?.cancel();
      const cancel = clock.after(delayMs, () => {
        waiting.delete(key);
        onDue(key);
      });
      waiting.set(key, { at, cancel });
    },
    clear() {
      for (const { cancel } of waiting.values()) cancel();
      waiting.clear();
    },
  };
}
