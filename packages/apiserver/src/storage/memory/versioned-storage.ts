// The operations of `Storage` over a versioned state and a log. What is durable is the log's
// business: the memory store has a log that forgets, the embedded store one that flushes.

import type { KubeObject } from '@keelson/apimachinery';
import { StorageError } from '../storage.ts';
import type { DeletePreconditions, ListOptions, ListResult, Storage } from '../storage.ts';
import type { StorageKey, StoredEntry } from '../storage.ts';
import { equalJson } from './equal-json.ts';
import { sortKey, treeRange, treeRank } from './persistent-tree.ts';
import type { RevisionHistory } from './revision-history.ts';
import { withResourceVersion } from './stored-object.ts';
import type { StoredObject } from './stored-object.ts';
import type { StagedWrite, VersionedState } from './versioned-state.ts';
import type { WatchHub } from './watch-hub.ts';

/** Where staged writes become durable. */
export interface WriteLog {
  /** Called before a write to the key is staged; what it rejects with refuses the write. */
  readonly prepare?: (key: StorageKey) => Promise<void> | undefined;
  /** Takes the next staged write; resolves once it is durable and published. */
  commit(write: StagedWrite): Promise<void>;
  /** Resolves when everything staged until now is durable; rejects when some of it could not be. */
  settled(): Promise<void>;
  /** Called after the history forgot everything up to its compacted revision. */
  compacted(): Promise<void>;
  /** Waits for staged writes and releases files. */
  close(): Promise<void>;
  /** Why the store cannot go on; undefined while it can. */
  failure(): StorageError | undefined;
}

export interface VersionedParts {
  readonly history: RevisionHistory;
  readonly hub: WatchHub;
  readonly state: VersionedState;
  readonly log: WriteLog;
}

// Each failed attempt means that another write succeeded; this many for one update is a livelock.
const updateAttemptsMax = 10_000;

export function createVersionedStorage(parts: VersionedParts): Storage {
  const { history, hub, state, log } = parts;
  let closing: Promise<void> | undefined;

  function assertOpen(): void {
    if (closing !== undefined) throw new StorageError('closed', 'the storage is closed');
    const failure = log.failure();
    if (failure !== undefined) throw failure;
  }
  async function ready(key: StorageKey): Promise<void> {
    assertOpen();
    const prepared = log.prepare?.(key);
    if (prepared === undefined) return;
    await prepared;
    assertOpen();
  }
  /** What was decided from the head may be answered only once the head's entry is durable. */
  async function settle(key: StorageKey): Promise<void> {
    if (state.getHead(key) !== state.get(key)) await log.settled();
  }
  async function put(key: StorageKey, object: KubeObject): Promise<StoredEntry> {
    const write = state.stagePut(key, object);
    await log.commit(write);
    return write.event.entry;
  }

  return {
    revision: () => history.revision(),
    compactedRevision: () => history.compacted(),
    async get(key) {
      assertOpen();
      return state.get(key);
    },
    async create(key, object) {
      await ready(key);
      if (state.getHead(key) === undefined) return put(key, object);
      await settle(key);
      throw new StorageError('key-exists', `${key} exists already`, { key });
    },
    async guaranteedUpdate(key, update) {
      await ready(key);
      for (let attempt = 0; attempt < updateAttemptsMax; attempt++) {
        const current = state.getHead(key);
        const next = await callUpdate(
          () => update(current),
          () => settle(key),
        );
        assertOpen();
        if (state.getHead(key) !== current) continue;
        if (isUnchanged(current, next)) {
          await settle(key);
          return current;
        }
        if (next !== undefined) return put(key, next);
        if (current !== undefined) await log.commit(state.stageDelete(current));
        return undefined;
      }
      throw new StorageError('revision-conflict', `${key} is written too often`, { key });
    },
    async delete(key, preconditions = {}) {
      await ready(key);
      const current = state.getHead(key);
      const refusal = deleteRefusal(key, current, preconditions);
      if (refusal !== undefined || current === undefined) {
        await settle(key);
        throw refusal;
      }
      const write = state.stageDelete(current);
      await log.commit(write);
      return write.event.entry;
    },
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
      hub.watch(directory(prefix), options);
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

/** Runs an update. What it throws may rest on an entry that is not durable yet, so that is awaited. */
async function callUpdate(
  update: () => KubeObject | undefined | Promise<KubeObject | undefined>,
  settle: () => Promise<void>,
): Promise<KubeObject | undefined> {
  try {
    const result = update();
    return result instanceof Promise ? await result : result;
  } catch (error) {
    await settle();
    throw error;
  }
}

/** Whether an update needs no write. A stale entry is written again under the current key. */
function isUnchanged(current: StoredObject | undefined, next: KubeObject | undefined): boolean {
  if (current === undefined) return next === undefined;
  if (next === undefined) return false;
  if (next === current.object) return true;
  if (current.stale) return false;
  return equalJson(withResourceVersion(next, current.revision), current.object);
}

/** Why a delete is refused, if it is. */
function deleteRefusal(
  key: StorageKey,
  current: StoredObject | undefined,
  preconditions: DeletePreconditions,
): StorageError | undefined {
  if (current === undefined)
    return new StorageError('key-not-found', `${key} is not there`, { key });
  const { uid, revision } = preconditions;
  const currentUid = current.object.metadata.uid ?? '';
  if (uid !== undefined && uid !== currentUid) {
    const message = `the uid in the precondition is ${uid}, the object's is ${currentUid}`;
    return new StorageError('uid-conflict', message, { key });
  }
  if (revision !== undefined && revision !== current.revision) {
    const message = `the revision in the precondition is ${revision}, the object's is ${current.revision}`;
    return new StorageError('revision-conflict', message, { key });
  }
  return undefined;
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

/** Prefixes are whole path segments: `/registry/pods` means `/registry/pods/`, never `…/podsets`. */
function directory(prefix: StorageKey): StorageKey {
  return prefix.endsWith('/') ? prefix : `${prefix}/`;
}

/** Sort keys under a prefix: `0` is the character after `/`. */
function prefixRange(prefix: StorageKey): { from: string; to: string } {
  const from = sortKey(prefix);
  return { from, to: `${from.slice(0, -1)}0` };
}
