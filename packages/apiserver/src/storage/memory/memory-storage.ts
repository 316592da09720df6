// The in-memory backend: the versioned state with a log that forgets. Because the state is a
// persistent tree, a fork is a pointer: it starts with the same objects, revision and history and
// from then on the two know nothing of each other. Nothing here touches files, threads or SQLite.

import type { Clock } from '@keelson/apimachinery';
import type { Storage } from '../storage.ts';
import { startCompaction } from './compaction-schedule.ts';
import { createRevisionHistory } from './revision-history.ts';
import type { RevisionHistory } from './revision-history.ts';
import { createVersionedState } from './versioned-state.ts';
import type { VersionedState } from './versioned-state.ts';
import { createVersionedStorage } from './versioned-storage.ts';
import type { WriteLog } from './versioned-writes.ts';
import { createWatchHub } from './watch-hub.ts';

export interface MemoryStorageOptions {
  /** Turns periodic compaction on. Without it only the bounds below forget history. */
  readonly clock?: Clock;
  /** History older than one to two intervals is forgotten. */
  readonly compactionIntervalMs?: number;
  /** Writes that can be resumed from. */
  readonly historyEventsMax?: number;
  /** Bytes of stored objects that the history holds. */
  readonly historyBytesMax?: number;
  /** Freezes stored objects deeply, so that a change to one throws: for development and tests. */
  readonly freeze?: boolean;
}

export interface MemoryStorage extends Storage {
  /**
   * An independent store with the present state and history, in constant time. Watches stay behind.
   */
  fork(): MemoryStorage;
}

export const historyDefaults = {
  compactionIntervalMs: 5 * 60_000,
  historyEventsMax: 20_000,
  historyBytesMax: 128 * 1024 * 1024,
} as const;

export function createMemoryStorage(options: MemoryStorageOptions = {}): MemoryStorage {
  const history = createRevisionHistory(
    { revision: 1, tree: undefined },
    {
      eventsMax: options.historyEventsMax ?? historyDefaults.historyEventsMax,
      bytesMax: options.historyBytesMax ?? historyDefaults.historyBytesMax,
    },
  );
  return composeMemoryStorage(history, options);
}

function composeMemoryStorage(
  history: RevisionHistory,
  options: MemoryStorageOptions,
): MemoryStorage {
  const hub = createWatchHub(history);
  const state = createVersionedState(history, hub, { freeze: options.freeze ?? false });
  const storage = createVersionedStorage({ history, hub, state, log: createForgettingLog(state) });
  const { clock, compactionIntervalMs = historyDefaults.compactionIntervalMs } = options;
  const stop = clock && startCompaction(storage, clock, compactionIntervalMs);
  return {
    ...storage,
    fork: () => composeMemoryStorage(history.fork(), options),
    close() {
      stop?.();
      return storage.close();
    },
  };
}

/** Every write is as durable as it will ever be the moment it is staged. */
function createForgettingLog(state: VersionedState): WriteLog {
  return {
    async commit(write) {
      state.publish([write]);
    },
    async settled() {},
    async compacted() {},
    async close() {},
    failure: () => undefined,
  };
}
