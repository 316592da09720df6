// The seam of encryption at rest. A transformer stands between an object's bytes and what the log
// keeps of them; the storage key is the context that binds a value to its place, so that a value
// copied to another key does not decrypt.

import type { StorageKey } from '../storage.ts';

export interface ValueTransformer {
  /**
   * Called before a write; keys are fetched or renewed here, so that `toStored` need not wait.
   * Undefined means ready. What it rejects with refuses the write.
   */
  ready(key: StorageKey): Promise<void> | undefined;
  /** What it throws refuses the write. */
  toStored(value: Uint8Array, key: StorageKey): Uint8Array;
  /**
   * Called once for each stored value when the store is opened. A failure makes that object
   * unreadable.
   */
  fromStored(stored: Uint8Array, key: StorageKey): TransformedValue | Promise<TransformedValue>;
}

export interface TransformedValue {
  readonly value: Uint8Array;
  /**
   * Not the form in which it would be written now: the next update rewrites it even if it changes
   * nothing.
   */
  readonly isStale: boolean;
}
