// Storage: the front door of this folder.
//
// A store is an ordered map from keys (`/registry/pods/default/web`) to API objects with one
// revision counter. `storage.ts` is the interface and the law; every backend passes
// `testing/storage-suite.ts`.
//
//   memory/    The store itself: a persistent tree (`persistent-tree.ts`), the recent past
//              (`revision-history.ts`), the watchers (`watch-hub.ts`), what is staged and what is
//              durable (`versioned-state.ts`), and the operations over them
//              (`versioned-writes.ts`, `versioned-storage.ts`). On its own it is the in-memory
//              backend, whose fork is a pointer.
//   embedded/  The same store with a durable log, SQLite in its own thread.
//   testing/   The contract suite, the kill loop, the benchmark.
//
// How to hold it:
// - Objects given to a store have apiVersion and kind, and belong to it afterwards. It sets
//   `metadata.resourceVersion` itself, on a copy.
// - Objects got from a store are shared by all readers: never change them.
// - `entry.encoding('json:' + object.apiVersion, …)` is the stored form: no work, no copy.
// - `guaranteedUpdate` resolves with what is there afterwards: undefined when it deleted.
// - A prefix is made of whole path segments.
//
// What the embedded store promises beyond the interface:
// - State, revision and recent history survive a restart; a watch resumes across it.
// - On a full disk writes are refused with `no-space` and everything else goes on. After any other
//   failed write the disk's content is unknown: every call is refused with `failed`.
// - A directory has one store at a time. The lock is the operating system's and dies with the
//   process.

export { createMemoryStorage } from './memory/memory-storage.ts';
export type { MemoryStorage, MemoryStorageOptions } from './memory/memory-storage.ts';
export { openEmbeddedStorage } from './embedded/open.ts';
export type { EmbeddedStorageOptions } from './embedded/embedded-storage.ts';
export type { TransformedValue, ValueTransformer } from './embedded/value-transformer.ts';
export { StorageError, isStorageError } from './storage.ts';
export type {
  DeletePreconditions,
  ListOptions,
  ListResult,
  Revision,
  Storage,
  StorageErrorCode,
  StorageEvent,
  StorageKey,
  StoredEntry,
  WatchEventType,
  WatchOptions,
} from './storage.ts';
