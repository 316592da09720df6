/**
 * Maps: over entries that are there, and over JSON-like records that are adapted when they are
 * read.
 *
 * Keys are bool, int, uint or string. Numbers of different types that are equal are the same key.
 */

import type { CelMap, CelValue } from './value.ts';

/**
 * What JavaScript's `Map` can tell apart: equal numbers become one bigint. Undefined: no key can
 * equal it.
 */
export type MapKey = string | bigint | boolean;

/** The normal form of a key, or undefined when no map can have this key. */
export function toMapKey(key: CelValue): MapKey | undefined {
  switch (typeof key) {
    case 'string':
    case 'bigint':
    case 'boolean':
      return key;
    case 'number':
      return Number.isInteger(key) ? BigInt(key) : undefined;
    default:
      return key !== null && 'kind' in key && key.kind === 'uint' ? key.value : undefined;
  }
}

/**
 * A map of these entries. A key that occurs twice keeps its last value; keys that cannot be are
 * left out.
 */
export function celMap(entries: Iterable<readonly [CelValue, CelValue]>): CelMap {
  const byKey = new Map<MapKey, readonly [CelValue, CelValue]>();
  for (const entry of entries) {
    const key = toMapKey(entry[0]);
    if (key !== undefined) byKey.set(key, entry);
  }
  return new EntryMap(byKey);
}

/**
 * A map with string keys over a record; values are adapted when they are read, each at most once.
 */
export function lazyMap<T>(
  source: Readonly<Record<string, T>>,
  adapt: (value: T, key: string) => CelValue,
): CelMap {
  return new RecordMap(source, adapt);
}

/** The entries, in the map's order. */
export function* entriesOf(map: CelMap): Iterable<readonly [CelValue, CelValue]> {
  for (const key of map.keys()) {
    const value = map.get(key);
    if (value !== undefined) yield [key, value];
  }
}

/**
 * The map with one more entry, whose key is new to it. Adding to the latest of a row of maps, as
 * loops do, takes no copy; the earlier ones stay as they were.
 */
export function withEntry(map: CelMap, key: CelValue, value: CelValue): CelMap {
  const growing = map instanceof GrowingMap ? map : GrowingMap.from(map);
  return growing.with(key, value);
}

interface GrowingEntries {
  readonly byKey: Map<MapKey, { readonly value: CelValue; readonly index: number }>;
  readonly keys: CelValue[];
}

class GrowingMap implements CelMap {
  readonly kind = 'map';
  readonly size: number;
  readonly #entries: GrowingEntries;

  constructor(entries: GrowingEntries, size: number) {
    this.#entries = entries;
    this.size = size;
  }

  static from(map: CelMap): GrowingMap {
    const entries: GrowingEntries = { byKey: new Map(), keys: [] };
    let growing = new GrowingMap(entries, 0);
    for (const [key, value] of entriesOf(map)) growing = growing.with(key, value);
    return growing;
  }

  with(key: CelValue, value: CelValue): GrowingMap {
    const normal = toMapKey(key);
    if (normal === undefined) return this;
    const { keys, byKey } = this.#entries;
    if (keys.length !== this.size) return GrowingMap.from(this).with(key, value);
    byKey.set(normal, { value, index: keys.length });
    keys.push(key);
    return new GrowingMap(this.#entries, keys.length);
  }

  get(key: CelValue): CelValue | undefined {
    const normal = toMapKey(key);
    const entry = normal === undefined ? undefined : this.#entries.byKey.get(normal);
    return entry !== undefined && entry.index < this.size ? entry.value : undefined;
  }

  *keys(): Iterable<CelValue> {
    for (let index = 0; index < this.size; index++) {
      const key = this.#entries.keys[index];
      if (key !== undefined) yield key;
    }
  }
}

class EntryMap implements CelMap {
  readonly kind = 'map';
  readonly size: number;
  readonly #entries: ReadonlyMap<MapKey, readonly [CelValue, CelValue]>;

  constructor(entries: ReadonlyMap<MapKey, readonly [CelValue, CelValue]>) {
    this.size = entries.size;
    this.#entries = entries;
  }

  get(key: CelValue): CelValue | undefined {
    const normal = toMapKey(key);
    return normal === undefined ? undefined : this.#entries.get(normal)?.[1];
  }

  *keys(): Iterable<CelValue> {
    for (const [key] of this.#entries.values()) yield key;
  }
}

class RecordMap<T> implements CelMap {
  readonly kind = 'map';
  readonly #source: Readonly<Record<string, T>>;
  readonly #adapt: (value: T, key: string) => CelValue;
  readonly #adapted = new Map<string, CelValue>();
  #names: readonly string[] | undefined;

  constructor(source: Readonly<Record<string, T>>, adapt: (value: T, key: string) => CelValue) {
    this.#source = source;
    this.#adapt = adapt;
  }

  get size(): number {
    return this.#keyNames().length;
  }

  get(key: CelValue): CelValue | undefined {
    // SECURITY: own properties only, so that `__proto__` and `constructor` are keys like any other.
    if (typeof key !== 'string' || !Object.hasOwn(this.#source, key)) return undefined;
    const known = this.#adapted.get(key);
    if (known !== undefined) return known;
    const source = this.#source[key];
    if (source === undefined) return undefined;
    const value = this.#adapt(source, key);
    this.#adapted.set(key, value);
    return value;
  }

  keys(): Iterable<CelValue> {
    return this.#keyNames();
  }

  #keyNames(): readonly string[] {
    this.#names ??= Object.keys(this.#source).filter((name) => this.#source[name] !== undefined);
    return this.#names;
  }
}
