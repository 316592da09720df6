// Who is to see a write: watchers by prefix. A write looks up the directories of its key, a handful
// of hash lookups however many watchers there are.

import type { StorageKey, WatchOptions, Revision } from '../storage.ts';
import type { HistoryEvent } from './revision-history.ts';

export interface Watcher {
  /** Ends in `/`. */
  readonly prefix: StorageKey;
  readonly options: WatchOptions;
  /** Revision up to which everything was delivered. */
  seen: Revision;
  /** Everything that is written from now on is delivered at once. */
  isLive: boolean;
  ended: boolean;
  readonly onAbort: () => void;
}

export interface WatcherIndex {
  add(watcher: Watcher): void;
  remove(watcher: Watcher): void;
  /**
   * Calls `visit` for each watcher that sees some of the events, with those, one array per prefix.
   */
  eachConcerned(
    events: readonly HistoryEvent[],
    visit: (watcher: Watcher, events: readonly HistoryEvent[]) => void,
  ): void;
}

interface Group {
  readonly watchers: Set<Watcher>;
  /** Events of the batch that is being sorted out. */
  batch: HistoryEvent[];
}

export function createWatcherIndex(): WatcherIndex {
  const groups = new Map<StorageKey, Group>();
  return {
    add(watcher) {
      const group = groups.get(watcher.prefix);
      if (group !== undefined) group.watchers.add(watcher);
      else groups.set(watcher.prefix, { watchers: new Set([watcher]), batch: [] });
    },
    remove(watcher) {
      const group = groups.get(watcher.prefix);
      group?.watchers.delete(watcher);
      if (group?.watchers.size === 0) groups.delete(watcher.prefix);
    },
    eachConcerned(events, visit) {
      if (groups.size === 0) return;
      for (const group of sortOut(groups, events)) {
        const { batch } = group;
        group.batch = [];
        for (const watcher of group.watchers) visit(watcher, batch);
      }
    },
  };
}

/** Puts each event into the batch of every group whose prefix its key has; returns those groups. */
function sortOut(
  groups: ReadonlyMap<StorageKey, Group>,
  events: readonly HistoryEvent[],
): readonly Group[] {
  const touched: Group[] = [];
  for (const event of events) {
    const { key } = event.entry;
    for (let i = key.indexOf('/'); i >= 0; i = key.indexOf('/', i + 1)) {
      const group = groups.get(key.slice(0, i + 1));
      if (group === undefined) continue;
      if (group.batch.length === 0) touched.push(group);
      group.batch.push(event);
    }
  }
  return touched;
}
