// Group commit: one batch of writes is on its way to the disk, all writes that arrive meanwhile
// form the next. A batch becomes visible, and its writers are answered, when it is durable.
//
// When the disk is full the batch and everything staged on top of it are taken back and refused,
// and the store goes on. After any other failure it is unknown what the disk holds: the store
// refuses everything from then on.

import { StorageError, isStorageError } from '../storage.ts';
import type { Revision } from '../storage.ts';
import type { RevisionHistory } from '../memory/revision-history.ts';
import type { StagedWrite, VersionedState } from '../memory/versioned-state.ts';
import type { WriteLog } from '../memory/versioned-writes.ts';
import type { WatchHub } from '../memory/watch-hub.ts';
import { packRecords } from './log-records.ts';
import type { DurableLog, LogRecord } from './log-records.ts';
import type { ValueTransformer } from './value-transformer.ts';

export interface GroupCommitParts {
  readonly state: VersionedState;
  readonly history: RevisionHistory;
  readonly hub: WatchHub;
  readonly log: DurableLog;
  /** Where the log was compacted to when it was opened. */
  readonly compacted: Revision;
  readonly transformer?: ValueTransformer;
}

interface PendingWrite {
  readonly write: StagedWrite;
  resolve(): void;
  reject(error: StorageError): void;
}

// Bounds on one transaction, so that no write waits long for others.
const batchWritesMax = 2048;
const batchBytesMax = 16 * 1024 * 1024;
// With this many writes waiting for the disk, further ones wait before they are staged.
const pendingWritesMax = 10_000;
// The log is compacted in steps, between which writes have their turn, and lags behind by one step.
const compactionStep = 2000;

export function createGroupCommit(parts: GroupCommitParts): WriteLog {
  const { state, history, hub, log, transformer } = parts;
  let pending: PendingWrite[] = [];
  let isRunning = false;
  let tail: Promise<void> = Promise.resolve();
  let failure: StorageError | undefined;

  function commit(write: StagedWrite): Promise<void> {
    tail = new Promise((resolve, reject) => pending.push({ write, resolve, reject }));
    if (!isRunning) {
      isRunning = true;
      void run();
    }
    return tail;
  }

  async function run(): Promise<void> {
    while (pending.length > 0) {
      await nextTurn();
      const batch = takeBatch(pending);
      pending = pending.slice(batch.length);
      try {
        await log.append(packRecords(batch.map(({ write }) => recordOf(write))));
        state.publish(batch.map(({ write }) => write));
      } catch (cause) {
        abandon([...batch, ...pending], toFailure(cause));
        continue;
      }
      for (const { resolve } of batch) resolve();
      if (history.compacted() - compaction.reached() >= compactionStep) void compaction.follow();
    }
    isRunning = false;
  }

  function abandon(writes: readonly PendingWrite[], error: StorageError): void {
    pending = [];
    if (error.code === 'no-space') state.rollback();
    else fail(error);
    for (const { reject } of writes) reject(error);
  }

  function fail(error: StorageError): void {
    failure ??= new StorageError('failed', `the storage has failed: ${error.message}`, {
      cause: error,
    });
    hub.end(failure);
  }

  const compaction = createCompaction({ ...parts, fail });

  return {
    commit,
    prepare(key) {
      if (pending.length < pendingWritesMax) return transformer?.ready(key);
      return tail.then(() => transformer?.ready(key));
    },
    settled: () => tail,
    compacted: () => compaction.follow(),
    async close() {
      await tail.catch(() => undefined);
      await compaction.idle();
      if (failure === undefined) return log.close();
      // Every caller has been told of the failure; what is left is to let go of the files.
      return log.close().catch(() => undefined);
    },
    failure: () => failure,
  };
}

interface Compaction {
  /** Brings the log's compaction up to the history's; several calls share one run. */
  follow(): Promise<void>;
  /** Revision that the log is compacted to. */
  reached(): Revision;
  idle(): Promise<void>;
}

function createCompaction(
  parts: GroupCommitParts & { readonly fail: (error: StorageError) => void },
): Compaction {
  let reached = parts.compacted;
  let running: Promise<void> | undefined;

  async function run(): Promise<void> {
    while (reached < parts.history.compacted()) {
      const next = Math.min(reached + compactionStep, parts.history.compacted());
      await parts.log.compact(next);
      reached = next;
    }
  }
  function follow(): Promise<void> {
    running ??= run()
      .catch((cause: unknown) => {
        // With a full disk compaction is tried again at the next occasion.
        const error = toFailure(cause);
        if (error.code !== 'no-space') parts.fail(error);
      })
      .finally(() => {
        running = undefined;
      });
    return running;
  }
  return { follow, reached: () => reached, idle: async () => running };
}

function takeBatch(pending: readonly PendingWrite[]): PendingWrite[] {
  let bytes = 0;
  const end = pending.findIndex(({ write }, i) => {
    bytes += write.stored?.length ?? 0;
    return i >= batchWritesMax || (i > 0 && bytes > batchBytesMax);
  });
  return pending.slice(0, end < 0 ? pending.length : end);
}

function recordOf({ event, stored }: StagedWrite): LogRecord {
  const previous = event.previous?.revision ?? 0;
  return { key: event.entry.key, revision: event.revision, previous, value: stored };
}

/** Lets every request that has already arrived stage its write. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function toFailure(cause: unknown): StorageError {
  return isStorageError(cause)
    ? cause
    : new StorageError('failed', 'the log could not be written', { cause });
}
