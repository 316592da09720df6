// The default durable backend: the store of `memory/` over a log in SQLite. Reads come from memory,
// writes are answered once they are on disk. On opening, the log gives back state, recent history
// and revision, so that watches may resume across a restart.

import type { Clock } from '@keelson/apimachinery';
import type { Storage } from '../storage.ts';
import { startCompaction } from '../memory/compaction-schedule.ts';
import { historyDefaults } from '../memory/memory-storage.ts';
import { createVersionedState } from '../memory/versioned-state.ts';
import { createVersionedStorage } from '../memory/versioned-storage.ts';
import { createWatchHub } from '../memory/watch-hub.ts';
import { createGroupCommit } from './group-commit.ts';
import type { DurableLog, LogContents } from './log-records.ts';
import { openLogThread } from './log-thread.ts';
import { restoreHistory } from './restore-history.ts';
import type { ValueTransformer } from './value-transformer.ts';

export interface EmbeddedStorageOptions {
  /** Directory of the database; made, for its owner only, when it is not there. */
  readonly dir: string;
  readonly clock: Clock;
  /** Encryption at rest; absent stores the bytes as they are. */
  readonly transformer?: ValueTransformer;
  /** History older than one to two intervals is forgotten. */
  readonly compactionIntervalMs?: number;
  /** Writes that can be resumed from. */
  readonly historyEventsMax?: number;
  /** Bytes of stored objects that the history holds. */
  readonly historyBytesMax?: number;
  /** Bound on the database file; writes beyond it are refused with `no-space`. */
  readonly diskBytesMax?: number;
  /** Size at which SQLite's write-ahead log is moved into the file. */
  readonly walBytesMax?: number;
  /** False gives up the promise that an acknowledged write survives the machine, for tests. */
  readonly fsync?: boolean;
  /** Freezes stored objects deeply: for development and tests. */
  readonly freeze?: boolean;
  /** The log worker's entry point, for a bundle that keeps it elsewhere. */
  readonly workerUrl?: URL;
}

/**
 * Opens the store in a directory. Rejects with one sentence in a StorageError: `failed` when the
 * directory is in use, not accessible, of another program or of a newer version; `corrupt` when it
 * is damaged.
 */
export async function openEmbeddedStorage(options: EmbeddedStorageOptions): Promise<Storage> {
  const { dir, diskBytesMax, walBytesMax, fsync, workerUrl } = options;
  const { log, contents } = await openLogThread({
    dir,
    diskBytesMax,
    walBytesMax,
    fsync,
    workerUrl,
  });
  try {
    return await createEmbeddedStorage(log, contents, options);
  } catch (error) {
    await log.close();
    throw error;
  }
}

/** The store over any log; the seam for logs that fail. */
export async function createEmbeddedStorage(
  log: DurableLog,
  contents: LogContents,
  options: Omit<EmbeddedStorageOptions, 'dir'>,
): Promise<Storage> {
  const { transformer, freeze = false } = options;
  const limits = {
    eventsMax: options.historyEventsMax ?? historyDefaults.historyEventsMax,
    bytesMax: options.historyBytesMax ?? historyDefaults.historyBytesMax,
  };
  const history = await restoreHistory(contents, { limits, freeze, transformer });
  const hub = createWatchHub(history);
  const seal = transformer && transformer.toStored.bind(transformer);
  const state = createVersionedState(history, hub, { freeze, seal });
  const { compacted } = contents;
  const commit = createGroupCommit({ state, history, hub, log, compacted, transformer });
  const storage = createVersionedStorage({ history, hub, state, log: commit });
  const { compactionIntervalMs = historyDefaults.compactionIntervalMs } = options;
  const stop = startCompaction(storage, options.clock, compactionIntervalMs);
  return {
    ...storage,
    close() {
      stop();
      return storage.close();
    },
  };
}
