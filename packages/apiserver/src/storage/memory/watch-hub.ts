// Delivers writes to watchers. A write touches only the watchers that see it, and all watchers of
// one prefix get the same array. A watcher that starts in the past first reads pages of the history
// and joins the live ones in the same turn in which it has reached the present: nothing is skipped
// and nothing comes twice.

import { StorageError } from '../storage.ts';
import type { Revision, StorageKey, WatchHandle, WatchOptions } from '../storage.ts';
import type { HistoryEvent, RevisionHistory } from './revision-history.ts';
import { createWatcherIndex } from './watcher-index.ts';
import type { Watcher, WatcherIndex } from './watcher-index.ts';

export interface WatchHub {
  /** Throws `compacted` or `future-revision`. Never calls the watcher before it returns. */
  watch(prefix: StorageKey, options: WatchOptions): WatchHandle;
  /**
   * Delivers writes that have just become visible, in order; called within a delivery, after it.
   */
  publish(events: readonly HistoryEvent[]): void;
  /** Ends every watch. */
  end(error: StorageError): void;
}

// A catching-up watcher gets this many events before others have their turn.
const catchUpEventsMax = 500;

export function createWatchHub(history: RevisionHistory): WatchHub {
  const watchers = new Set<Watcher>();
  const live = createWatcherIndex();
  const publish = createDelivery((events) => {
    const revision = events.at(-1)?.revision ?? 0;
    live.eachConcerned(events, (watcher, seen) => deliver(watcher, seen, revision));
  });

  function watch(prefix: StorageKey, options: WatchOptions): WatchHandle {
    const seen = options.revision ?? history.revision();
    history.assertReadable(seen);
    if (options.signal.aborted) return { seen: () => seen };
    const onAbort = () => forget(watcher);
    const watcher: Watcher = { prefix, options, seen, isLive: false, ended: false, onAbort };
    watchers.add(watcher);
    options.signal.addEventListener('abort', onAbort, { once: true });
    if (seen === history.revision()) join(live, watcher);
    else queueMicrotask(() => catchUp(watcher));
    return { seen: () => (watcher.isLive ? history.revision() : watcher.seen) };
  }

  function catchUp(watcher: Watcher): void {
    if (watcher.ended) return;
    try {
      const page = history.eventsAfter(watcher.seen, watcher.prefix, catchUpEventsMax);
      deliver(watcher, page.events, page.revision);
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      return finish(watcher, error);
    }
    if (watcher.ended) return;
    if (watcher.seen === history.revision()) join(live, watcher);
    else setImmediate(() => catchUp(watcher));
  }

  /** A watcher that throws ends alone: neither the writer nor other watchers are to suffer. */
  function deliver(watcher: Watcher, events: readonly HistoryEvent[], revision: Revision): void {
    const first = events[0]?.revision ?? revision + 1;
    const fresh = first > watcher.seen ? events : events.filter((e) => e.revision > watcher.seen);
    watcher.seen = Math.max(watcher.seen, revision);
    if (fresh.length === 0 || watcher.ended) return;
    try {
      watcher.options.onEvents(fresh, revision);
    } catch (cause) {
      finish(watcher, new StorageError('failed', 'the watcher failed', { cause }));
    }
  }

  function finish(watcher: Watcher, error: StorageError): void {
    if (watcher.ended) return;
    forget(watcher);
    watcher.options.onEnd(error);
  }

  function forget(watcher: Watcher): void {
    watcher.ended = true;
    watcher.isLive = false;
    watcher.options.signal.removeEventListener('abort', watcher.onAbort);
    watchers.delete(watcher);
    live.remove(watcher);
  }

  return {
    watch,
    publish,
    end(error) {
      for (const watcher of watchers) finish(watcher, error);
    },
  };
}

function join(live: WatcherIndex, watcher: Watcher): void {
  watcher.isLive = true;
  live.add(watcher);
}

/** Runs deliveries one after the other: one that begins within another waits for its end. */
function createDelivery(
  deliver: (events: readonly HistoryEvent[]) => void,
): (events: readonly HistoryEvent[]) => void {
  const batches: (readonly HistoryEvent[])[] = [];
  let isDelivering = false;
  return (events) => {
    batches.push(events);
    if (isDelivering) return;
    isDelivering = true;
    try {
      for (let next = batches.shift(); next !== undefined; next = batches.shift()) deliver(next);
    } finally {
      isDelivering = false;
    }
  };
}
