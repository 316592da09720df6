// The two states of a store: *durable*, which readers and watchers see, and *head*, which also has
// the writes that are still on their way to the log and which writers check against. A write is
// staged on the head at the next revision; it is published when it is durable, or the head falls
// back to the durable state when it could not be.

import type { KubeObject } from '@keelson/apimachinery';
import type { Revision, StorageKey } from '../storage.ts';
import { sortKey, treeDelete, treeGet, treeSet } from './persistent-tree.ts';
import type { EntryTree, HistoryEvent, RevisionHistory } from './revision-history.ts';
import { encodeStored } from './stored-codec.ts';
import { StoredObject, withResourceVersion } from './stored-object.ts';
import type { WatchHub } from './watch-hub.ts';

/** One write with its revision, and the head right after it. */
export interface StagedWrite {
  readonly event: HistoryEvent;
  readonly tree: EntryTree;
  /** What the log is to keep of a put; undefined for a deletion. */
  readonly stored: Uint8Array | undefined;
}

export interface StateOptions {
  /** Freezes stored objects deeply. */
  readonly freeze: boolean;
  /** From the bytes of an object to what the log keeps; without it the log keeps the bytes. */
  readonly seal?: (bytes: Uint8Array, key: StorageKey) => Uint8Array;
}

export interface VersionedState {
  /** The durable state's entry. */
  get(key: StorageKey): StoredObject | undefined;
  /** The head's entry. */
  getHead(key: StorageKey): StoredObject | undefined;
  /** Stages a put. Throws, with nothing staged, when the object cannot be encoded or sealed. */
  stagePut(key: StorageKey, object: KubeObject): StagedWrite;
  /** Stages the deletion of an entry of the head. */
  stageDelete(current: StoredObject): StagedWrite;
  /** Makes staged writes visible and delivers them; they are the oldest staged ones, in order. */
  publish(writes: readonly StagedWrite[]): void;
  /** Takes back every staged write that is not published. */
  rollback(): void;
}

export function createVersionedState(
  history: RevisionHistory,
  hub: WatchHub,
  options: StateOptions,
): VersionedState {
  const { freeze, seal } = options;
  let head: EntryTree = history.tree();
  let headRevision: Revision = history.revision();

  function stage(write: StagedWrite): StagedWrite {
    head = write.tree;
    headRevision = write.event.revision;
    return write;
  }

  return {
    get: (key) => treeGet(history.tree(), sortKey(key)),
    getHead: (key) => treeGet(head, sortKey(key)),
    stagePut(key, given) {
      const revision = headRevision + 1;
      const sorted = sortKey(key);
      const previous = treeGet(head, sorted);
      const object = withResourceVersion(given, revision);
      const bytes = encodeStored(object);
      const entry = new StoredObject({ key, revision, object, bytes, freeze });
      const stored = seal === undefined ? bytes : seal(bytes, key);
      const event: HistoryEvent =
        previous === undefined
          ? { type: 'ADDED', revision, entry }
          : { type: 'MODIFIED', revision, entry, previous };
      return stage({ event, tree: treeSet(head, sorted, entry), stored });
    },
    stageDelete(previous) {
      const revision = headRevision + 1;
      const { key } = previous;
      const object = withResourceVersion(previous.object, revision);
      const entry = new StoredObject({ key, revision, object, freeze });
      const tree = treeDelete(head, sortKey(key));
      const event: HistoryEvent = { type: 'DELETED', revision, entry, previous };
      return stage({ event, tree, stored: undefined });
    },
    publish(writes) {
      for (const { event, tree } of writes) history.append(event, tree);
      hub.publish(writes.map((write) => write.event));
    },
    rollback() {
      head = history.tree();
      headRevision = history.revision();
    },
  };
}
