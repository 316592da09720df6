// A queue of keys to reconcile. A key is there at most once, however often it is added; one that is
// added while it is being worked on comes again afterwards, so no change is missed and no key is
// worked on twice at a time. Failed keys come again later and later.

import type { Clock } from '@keelson/apimachinery';

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
  readonly failureDelayMinMs?: number;
  readonly failureDelayMaxMs?: number;
}

/**
 * The delays of client-go's default rate limiter, with a shorter bound: one process has one user.
 */
const defaults = { failureDelayMinMs: 5, failureDelayMaxMs: 60_000 } as const;

export function createWorkQueue<K = string>(options: WorkQueueOptions): WorkQueue<K> {
  const { clock } = options;
  const failureDelayMinMs = options.failureDelayMinMs ?? defaults.failureDelayMinMs;
  const failureDelayMaxMs = options.failureDelayMaxMs ?? defaults.failureDelayMaxMs;
  /** In order of arrival. */
  const ready = new Set<K>();
  const underWay = new Set<K>();
  /** Added while they were under way. */
  const again = new Set<K>();
  const failures = new Map<K, number>();
  const waiting = new Map<K, { readonly at: number; readonly cancel: () => void }>();
  const takers: ((key: K | undefined) => void)[] = [];
  let isShutDown = false;

  const take = (key: K): K => {
    ready.delete(key);
    underWay.add(key);
    return key;
  };
  const add = (key: K) => {
    if (isShutDown) return;
    if (underWay.has(key)) return void again.add(key);
    ready.add(key);
    takers.shift()?.(take(key));
  };
  const addAfter = (key: K, delayMs: number) => {
    if (isShutDown) return;
    if (delayMs <= 0) return add(key);
    const at = clock.monotonic() + delayMs;
    const earlier = waiting.get(key);
    if (earlier !== undefined && earlier.at <= at) return;
    earlier?.cancel();
    const cancel = clock.after(delayMs, () => {
      waiting.delete(key);
      add(key);
    });
    waiting.set(key, { at, cancel });
  };

  return {
    add,
    addAfter,
    addRateLimited(key) {
      const failed = failures.get(key) ?? 0;
      failures.set(key, failed + 1);
      addAfter(key, Math.min(failureDelayMinMs * 2 ** failed, failureDelayMaxMs));
    },
    forget: (key) => void failures.delete(key),
    next() {
      if (isShutDown) return Promise.resolve(undefined);
      const [first] = ready;
      if (ready.size > 0) return Promise.resolve(take(first as K));
      return new Promise((resolve) => takers.push(resolve));
    },
    done(key) {
      underWay.delete(key);
      if (again.delete(key)) add(key);
    },
    get length() {
      return ready.size;
    },
    shutDown() {
      isShutDown = true;
      ready.clear();
      again.clear();
      failures.clear();
      for (const { cancel } of waiting.values()) cancel();
      waiting.clear();
      for (const taker of takers.splice(0)) taker(undefined);
    },
  };
}
