// The writes of `Storage`. A writer checks against the head and stages on it in one turn, so two
// writers cannot both win; what it decides from an entry that is not durable yet is answered only
// once that entry is.

import type { KubeObject } from '@keelson/apimachinery';
import { StorageError } from '../storage.ts';
import type { DeletePreconditions, Storage, StorageKey, StoredEntry } from '../storage.ts';
import { equalJson } from './equal-json.ts';
import { withResourceVersion } from './stored-object.ts';
import type { StoredObject } from './stored-object.ts';
import type { StagedWrite, VersionedState } from './versioned-state.ts';

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

type Update = Parameters<Storage['guaranteedUpdate']>[1];

// Each failed attempt means that another write succeeded; this many for one update is a livelock.
const updateAttemptsMax = 10_000;

/** `assertOpen` throws when the store is closed or has failed. */
export function createVersionedWrites(
  state: VersionedState,
  log: WriteLog,
  assertOpen: () => void,
): Pick<Storage, 'create' | 'guaranteedUpdate' | 'delete'> {
  /** Begins a write. Nothing comes between the last check and the body's first step. */
  async function write<T>(key: StorageKey, body: () => Promise<T>): Promise<T> {
    assertOpen();
    const prepared = log.prepare?.(key);
    if (prepared !== undefined) {
      await prepared;
      assertOpen();
    }
    return body();
  }
  async function settle(key: StorageKey): Promise<void> {
    if (state.getHead(key) !== state.get(key)) await log.settled();
  }
  async function put(key: StorageKey, object: KubeObject): Promise<StoredEntry> {
    const staged = state.stagePut(key, object);
    await log.commit(staged);
    return staged.event.entry;
  }
  async function create(key: StorageKey, object: KubeObject): Promise<StoredEntry> {
    if (state.getHead(key) === undefined) return put(key, object);
    await settle(key);
    throw new StorageError('key-exists', `${key} exists already`, { key });
  }
  async function guaranteedUpdate(key: StorageKey, update: Update) {
    for (let attempt = 0; attempt < updateAttemptsMax; attempt++) {
      const current = state.getHead(key);
      let next: KubeObject | undefined;
      try {
        // Awaiting only promises lets concurrent synchronous updates follow without a conflict.
        const result = update(current);
        next = result instanceof Promise ? await result : result;
      } catch (error) {
        await settle(key);
        throw error;
      }
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
  }
  async function remove(key: StorageKey, preconditions: DeletePreconditions) {
    const current = state.getHead(key);
    const refusal = deleteRefusal(key, current, preconditions);
    if (refusal !== undefined || current === undefined) {
      await settle(key);
      throw refusal;
    }
    const staged = state.stageDelete(current);
    await log.commit(staged);
    return staged.event.entry;
  }
  return {
    create: (key, object) => write(key, () => create(key, object)),
    guaranteedUpdate: (key, update) => write(key, () => guaranteedUpdate(key, update)),
    delete: (key, preconditions = {}) => write(key, () => remove(key, preconditions)),
  };
}

/** Whether an update needs no write. A stale entry is written again in its present form. */
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
  if (current === undefined) {
    return new StorageError('key-not-found', `${key} is not there`, { key });
  }
  const { uid, revision } = preconditions;
  if (uid !== undefined && uid !== current.object.metadata.uid) {
    const actual = current.object.metadata.uid;
    const message = `the uid in the precondition is ${uid}, the object's is ${actual}`;
    return new StorageError('uid-conflict', message, { key });
  }
  if (revision !== undefined && revision !== current.revision) {
    const actual = current.revision;
    const message = `the revision in the precondition is ${revision}, the object's is ${actual}`;
    return new StorageError('revision-conflict', message, { key });
  }
  return undefined;
}
