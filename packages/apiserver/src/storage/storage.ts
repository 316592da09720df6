// The one interface to stored state. A store is an ordered map from keys to objects with one
// revision counter: every write gets the next revision, watches deliver writes in that order.
// Backends: memory (a persistent tree, so a fork is a pointer), embedded (the same tree with a
// durable log) and, later, etcd. All pass `testing/storage-suite.ts`.
//
// INVARIANT: a write's promise resolves only when the write is durable, and only durable writes
// are visible to get, list and watch.

import type { KubeObject } from '@keelson/apimachinery';

/** Storage path, `/registry/pods/default/web`. */
export type StorageKey = string;
/** The store's counter; the API shows it as the opaque `resourceVersion`. */
export type Revision = number;

/**
 * One stored object at one revision. Immutable: `object` is frozen and carries its resourceVersion.
 */
export interface StoredEntry {
  readonly key: StorageKey;
  /** Revision of the last write to this key. */
  readonly revision: Revision;
  /** Decoded lazily and once; deeply frozen in development and tests. */
  readonly object: KubeObject;
  /**
   * Bytes of the object for one encoding, made at most once. The id names media type and API
   * version (`json:v1`). The id of the stored form itself (`json:` + storage version) is free of
   * cost.
   */
  encoding(id: string, make: (object: KubeObject) => Uint8Array): Uint8Array;
}

export type WatchEventType = 'ADDED' | 'MODIFIED' | 'DELETED';
export interface StorageEvent {
  readonly type: WatchEventType;
  readonly revision: Revision;
  /** The object after the write; for DELETED the last state, with the deletion's revision. */
  readonly entry: StoredEntry;
  /** The object before the write; absent for ADDED. Selectors need it. */
  readonly previous?: StoredEntry;
}

export interface ListOptions {
  /**
   * Read the state at this revision; absent means now. Older than compaction: `compacted`. Ahead of
   * now: `future-revision`.
   */
  readonly revision?: Revision;
  /** Start after this key (exclusive). */
  readonly after?: StorageKey;
  readonly limit?: number;
}
export interface ListResult {
  readonly entries: readonly StoredEntry[];
  readonly revision: Revision;
  /** Entries under the prefix beyond `limit`. */
  readonly remaining: number;
}

export interface WatchOptions {
  /** Deliver writes after this revision; absent means from now. */
  readonly revision?: Revision;
  readonly signal: AbortSignal;
  /**
   * Called in revision order, never concurrently, synchronously after the write became durable.
   * `revision` is the revision up to which the watcher has now seen everything.
   */
  readonly onEvents: (events: readonly StorageEvent[], revision: Revision) => void;
  /**
   * Called once when the watch ends other than by the signal: `closed`, `compacted` while
   * catching up, `failed` with the storage or because `onEvents` threw.
   */
  readonly onEnd: (error: StorageError) => void;
}

export interface WatchHandle {
  /**
   * Revision up to which the watcher has seen everything by now, also when nothing of that concerned
   * it. Not meant for the middle of a delivery.
   */
  seen(): Revision;
}

export interface DeletePreconditions {
  readonly uid?: string;
  readonly revision?: Revision;
}

export interface Storage {
  /** Revision of the last durable write; at least 1. */
  revision(): Revision;
  /** Rejects with `key-exists`. */
  create(key: StorageKey, object: KubeObject): Promise<StoredEntry>;
  /** The current durable state, or undefined. */
  get(key: StorageKey): Promise<StoredEntry | undefined>;
  /**
   * Optimistic read–modify–write. `update` gets the current entry (undefined: absent) and returns
   * the new object, the same object (no write happens, the current entry is returned), or undefined
   * (delete). It may be called again when another write came between. What it throws is passed on.
   * Writes nothing when the bytes would be equal. Resolves with what is there afterwards:
   * undefined when it deleted.
   */
  guaranteedUpdate(
    key: StorageKey,
    update: (
      current: StoredEntry | undefined,
    ) => KubeObject | undefined | Promise<KubeObject | undefined>,
  ): Promise<StoredEntry | undefined>;
  /**
   * Rejects with `key-not-found`, `uid-conflict` or `revision-conflict`. Resolves with the last
   * state, at the deletion's revision.
   */
  delete(key: StorageKey, preconditions?: DeletePreconditions): Promise<StoredEntry>;
  /** Everything under a prefix that ends in `/`, ordered by key (bytewise), at one revision. */
  list(prefix: StorageKey, options?: ListOptions): Promise<ListResult>;
  /** How many keys there are under the prefix now. */
  count(prefix: StorageKey): number;
  /**
   * Throws `compacted` when events after the revision are gone, `future-revision` when it is ahead
   * of now.
   */
  watch(prefix: StorageKey, options: WatchOptions): WatchHandle;
  /**
   * Forgets history up to and including the revision; watches and lists older than it end with
   * `compacted`.
   */
  compact(revision: Revision): Promise<void>;
  /** Oldest revision that can still be listed. */
  compactedRevision(): Revision;
  /**
   * Flushes, ends all watches with `closed`, releases files. Further calls reject with `closed`.
   */
  close(): Promise<void>;
}

export type StorageErrorCode =
  | 'key-not-found'
  | 'key-exists'
  | 'revision-conflict'
  | 'uid-conflict'
  | 'compacted'
  | 'future-revision'
  | 'corrupt'
  | 'no-space'
  | 'failed'
  | 'closed';

export class StorageError extends Error {
  readonly code: StorageErrorCode;
  readonly key: StorageKey | undefined;
  constructor(
    code: StorageErrorCode,
    message: string,
    options: { key?: StorageKey; cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.name = 'StorageError';
    this.code = code;
    this.key = options.key;
  }
}

export function isStorageError(e: unknown, code?: StorageErrorCode): e is StorageError {
  return e instanceof StorageError && (code === undefined || e.code === code);
}
