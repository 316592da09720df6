// `Storage` composed from its parts: reads from the history, writes over the log, watches from the
// hub. What durable means is the log's business: the memory store has a log that forgets, the
// embedded store one that flushes.

import { StorageError } from '../storage.ts';
import type { ListOptions, ListResult, Storage, StorageKey } from '../storage.ts';
import { sortKey, treeRange, treeRank } from './persistent-tree.ts';
import type { RevisionHistory } from './revision-history.ts';
import type { VersionedState } from './versioned-state.ts';
import { createVersionedWrites } from './versioned-writes.ts';
import type { WriteLog } from './versioned-writes.ts';
import type { WatchHub } from './watch-hub.ts';

export interface VersionedParts {
  readonly history: RevisionHistory;
  readonly hub: WatchHub;
  readonly state: VersionedState;
  readonly log: WriteLog;
}

export function createVersionedStorage(parts: VersionedParts): Storage {
  const { history, hub, state, log } = parts;
  let closing: Promise<void> | undefined;

  function assertOpen(): void {
    if (closing !== undefined) throw new StorageError('closed', 'the storage is closed');
    const failure = log.failure();
    if (failure !== undefined) throw failure;
  }
  return {
    revision: () => history.revision(),
    compactedRevision: () => history.compacted(),
    async get(key) {
      assertOpen();
      return state.get(key);
    },
    ...createVersionedWrites(state, log, assertOpen),
    async list(prefix, options = {}) {
      assertOpen();
      return listEntries(history, directory(prefix), options);
    },
    count(prefix) {
      assertOpen();
      const { from, to } = prefixRange(directory(prefix));
      return treeRank(history.tree(), to) - treeRank(history.tree(), from);
    },
    watch(prefix, options) {
      assertOpen();
      return hub.watch(directory(prefix), options);
    },
    async compact(revision) {
      assertOpen();
      history.compact(revision);
      await log.compacted();
    },
    close() {
      closing ??= log.close().finally(() => {
        hub.end(new StorageError('closed', 'the storage was closed'));
      });
      return closing;
    },
  };
}

function listEntries(
  history: RevisionHistory,
  prefix: StorageKey,
  options: ListOptions,
): ListResult {
  const revision = options.revision ?? history.revision();
  const tree = history.treeAt(revision);
  const { from, to } = prefixRange(prefix);
  // The smallest key after a key is the key with the lowest character added.
  const after = options.after === undefined ? from : `${sortKey(options.after)}\0`;
  const first = after > from ? after : from;
  const limit = options.limit !== undefined && options.limit > 0 ? options.limit : Infinity;
  const entries = treeRange(tree, first, to, limit);
  if (entries.length < limit) return { entries, revision, remaining: 0 };
  const matching = Math.max(0, treeRank(tree, to) - treeRank(tree, first));
  return { entries, revision, remaining: matching - entries.length };
}

/**
 * Prefixes are whole path segments: `/registry/pods` means `/registry/pods/`, never `…/podsets`.
 */
function directory(prefix: StorageKey): StorageKey {
  return prefix.endsWith('/') ? prefix : `${prefix}/`;
}

/** Sort keys under a prefix: `0` is the character after `/`. */
function prefixRange(prefix: StorageKey): { from: string; to: string } {
  const from = sortKey(prefix);
  return { from, to: `${from.slice(0, -1)}0` };
}
