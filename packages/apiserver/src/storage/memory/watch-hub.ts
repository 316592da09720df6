// Delivers writes to watchers. Watchers are indexed by prefix, so a write touches only those that
// see it, and all watchers of one prefix get the same array. A watcher that starts in the past
// first reads pages of the history and joins the live ones in the same turn in which it has
// reached the present: nothing is skipped and nothing comes twice.

import { StorageError } from '../storage.ts';
import type { Revision, StorageKey, WatchOptions } from '../storage.ts';
import type { HistoryEvent, RevisionHistory } from './revision-history.ts';

export interface WatchHub {
  /** Throws `compacted` or `future-revision`. Never calls the watcher before it returns. */
  watch(prefix: StorageKey, options: WatchOptions): void;
  /** Delivers writes that have just become visible, in order; called within a delivery, after it. */
  publish(events: readonly HistoryEvent[]): void;
  /** Ends every watch. */
  end(error: StorageError): void;
}

interface Watcher {
  readonly prefix: StorageKey;
  readonly options: WatchOptions;
  /** Revision up to which everything was delivered. */
  seen: Revision;
  ended: boolean;
  readonly onAbort: () => void;
}
interface WatcherGroup {
  readonly watchers: Set<Watcher>;
  /** Events of the batch being delivered. */
  batch: HistoryEvent[];
}

// A catching-up watcher gets this many events before others have their turn.
const catchUpEventsMax = 500;

export function createWatchHub(history: RevisionHistory): WatchHub {
  const groups = new Map<StorageKey, WatcherGroup>();
  const watchers = new Set<Watcher>();
  const batches: (readonly HistoryEvent[])[] = [];
  let isDelivering = false;

  function watch(prefix: StorageKey, options: WatchOptions): void {
    const seen = options.revision ?? history.revision();
    history.assertReadable(seen);
    if (options.signal.aborted) return;
    const onAbort = () => forget(watcher);
    const watcher: Watcher = { prefix, options, seen, ended: false, onAbort };
    watchers.add(watcher);
    options.signal.addEventListener('abort', onAbort, { once: true });
    if (seen === history.revision()) join(watcher);
    else queueMicrotask(() => catchUp(watcher));
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
    if (watcher.seen === history.revision()) join(watcher);
    else setImmediate(() => catchUp(watcher));
  }

  function join(watcher: Watcher): void {
    const group = groups.get(watcher.prefix);
    if (group !== undefined) group.watchers.add(watcher);
    else groups.set(watcher.prefix, { watchers: new Set([watcher]), batch: [] });
  }

  function forget(watcher: Watcher): void {
    watcher.ended = true;
    watcher.options.signal.removeEventListener('abort', watcher.onAbort);
    watchers.delete(watcher);
    const group = groups.get(watcher.prefix);
    group?.watchers.delete(watcher);
    if (group?.watchers.size === 0) groups.delete(watcher.prefix);
  }

  function finish(watcher: Watcher, error: StorageError): void {
    if (watcher.ended) return;
    forget(watcher);
    watcher.options.onEnd(error);
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

  function deliverBatch(events: readonly HistoryEvent[]): void {
    const last = events.at(-1);
    if (last === undefined || groups.size === 0) return;
    const touched: WatcherGroup[] = [];
    for (const event of events) {
      const { key } = event.entry;
      for (let i = key.indexOf('/'); i >= 0; i = key.indexOf('/', i + 1)) {
        const group = groups.get(key.slice(0, i + 1));
        if (group === undefined) continue;
        if (group.batch.length === 0) touched.push(group);
        group.batch.push(event);
      }
    }
    for (const group of touched) {
      const { batch } = group;
      group.batch = [];
      for (const watcher of group.watchers) deliver(watcher, batch, last.revision);
    }
  }

  return {
    watch,
    publish(events) {
      batches.push(events);
      if (isDelivering) return;
      isDelivering = true;
      try {
        for (let next = batches.shift(); next !== undefined; next = batches.shift()) {
          deliverBatch(next);
        }
      } finally {
        isDelivering = false;
      }
    },
    end(error) {
      for (const watcher of watchers) finish(watcher, error);
    },
  };
}
