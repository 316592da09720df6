// One stored object at one revision: bytes, the decoded object, or both, each made at most once
// from the other. A class, for a store holds hundreds of thousands of them.

import type { KubeObject } from '@keelson/apimachinery';
import { StorageError } from '../storage.ts';
import type { Revision, StorageKey, StoredEntry } from '../storage.ts';
import { decodeStored, encodeStored, peekApiVersion } from './stored-codec.ts';

// Media types times API versions that one object is served in; more are made but not kept.
const encodingsMax = 16;

export interface StoredObjectParts {
  readonly key: StorageKey;
  readonly revision: Revision;
  /** Already carries the revision as its resourceVersion. */
  readonly object?: KubeObject;
  /** The stored form. */
  readonly bytes?: Uint8Array;
  /** Makes the object when neither of the two is given; may throw a StorageError. */
  readonly load?: () => KubeObject;
  /** Written under an old encryption key: the next update is written even when nothing changes. */
  readonly stale?: boolean;
  readonly freeze: boolean;
}

export class StoredObject implements StoredEntry {
  readonly key: StorageKey;
  readonly revision: Revision;
  readonly stale: boolean;
  readonly #freeze: boolean;
  readonly #load: (() => KubeObject) | undefined;
  #object: KubeObject | undefined;
  #bytes: Uint8Array | undefined;
  #encodings: Map<string, Uint8Array> | undefined;

  constructor(parts: StoredObjectParts) {
    this.key = parts.key;
    this.revision = parts.revision;
    this.stale = parts.stale ?? false;
    this.#freeze = parts.freeze;
    this.#load = parts.load;
    this.#object = parts.freeze && parts.object ? deepFreeze(parts.object) : parts.object;
    this.#bytes = parts.bytes;
  }

  /** Throws `corrupt` when the stored bytes cannot be decrypted or decoded. */
  get object(): KubeObject {
    this.#object ??= this.#decode();
    return this.#object;
  }

  /** The stored form. */
  get bytes(): Uint8Array {
    if (this.#bytes === undefined) this.#bytes = encodeStored(this.object);
    return this.#bytes;
  }

  /** Length of the stored form, 0 while it was never needed. */
  get bytesLength(): number {
    return this.#bytes?.length ?? 0;
  }

  encoding(id: string, make: (object: KubeObject) => Uint8Array): Uint8Array {
    if (id.startsWith('json:') && id.slice('json:'.length) === this.#apiVersion()) {
      return this.bytes;
    }
    const made = this.#encodings?.get(id);
    if (made !== undefined) return made;
    const bytes = make(this.object);
    this.#encodings ??= new Map();
    if (this.#encodings.size < encodingsMax) this.#encodings.set(id, bytes);
    return bytes;
  }

  #apiVersion(): string | undefined {
    if (this.#object !== undefined) return this.#object.apiVersion;
    const peeked = this.#bytes && peekApiVersion(this.#bytes);
    return peeked ?? this.object.apiVersion;
  }

  #decode(): KubeObject {
    const object = this.#load === undefined ? this.#decodeBytes() : this.#load();
    return this.#freeze ? deepFreeze(object) : object;
  }

  #decodeBytes(): KubeObject {
    try {
      return decodeStored(this.bytes);
    } catch (cause) {
      const message = `the stored value of ${this.key} cannot be decoded`;
      throw new StorageError('corrupt', message, { key: this.key, cause });
    }
  }
}

/** The object with `metadata.resourceVersion` set; the given one is not changed. */
export function withResourceVersion(object: KubeObject, revision: Revision): KubeObject {
  return { ...object, metadata: { ...object.metadata, resourceVersion: String(revision) } };
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const child of Object.values(value)) deepFreeze(child);
  return value;
}
