/**
 * Plain JSON as CEL values, without copying: lists and maps are adapted when they are read. Numbers
 * are int where they are whole and within int64, and double otherwise, as untyped data of
 * Kubernetes is.
 */

import type { CelList, CelMap, CelResult, CelValue } from './value.ts';

/** A value as `JSON.parse` gives it, with bigint allowed for integers that a double cannot hold. */
export type JsonLike =
  | null
  | boolean
  | string
  | number
  | bigint
  | readonly JsonLike[]
  | { readonly [key: string]: JsonLike | undefined };

type JsonObject = { readonly [key: string]: JsonLike | undefined };

/** The CEL value of JSON. The JSON must not change while the value is in use. */
export function fromJson(json: JsonLike | undefined): CelValue {
  switch (typeof json) {
    case 'undefined':
      return null;
    case 'number':
      return isInt64(json) ? BigInt(json) : json;
    case 'object':
      if (json === null) return null;
      return isJsonArray(json) ? new JsonList(json) : new JsonMap(json);
    default:
      return json;
  }
}

/**
 * What is behind a row of fields, read from the JSON at once; undefined when the value is no JSON,
 * or something is missing on the way.
 */
export function followJson(value: CelResult, fields: readonly string[]): CelValue | undefined {
  return value instanceof JsonMap ? value.follow(fields) : undefined;
}

/**
 * The same where it is an int that a double holds exactly, as that double: for the comparisons that
 * need no bigint.
 */
export function followJsonInteger(value: CelResult, fields: readonly string[]): number | undefined {
  const found = value instanceof JsonMap ? value.followRaw(fields) : undefined;
  return typeof found === 'number' && Number.isSafeInteger(found) ? found : undefined;
}

/** Whether JSON has a field; undefined when the value is no JSON. */
export function hasJsonField(value: CelResult, field: string): boolean | undefined {
  return value instanceof JsonMap ? value.has(field) : undefined;
}

function isInt64(value: number): boolean {
  return Number.isInteger(value) && value >= -(2 ** 63) && value < 2 ** 63;
}

function isJsonArray(json: object): json is readonly JsonLike[] {
  return Array.isArray(json);
}

// Adapting costs as little as remembering what was adapted, so nothing is remembered.
class JsonList implements CelList {
  readonly kind = 'list';
  readonly size: number;
  readonly #json: readonly JsonLike[];

  constructor(json: readonly JsonLike[]) {
    this.size = json.length;
    this.#json = json;
  }

  get(index: number): CelValue {
    if (index < 0 || index >= this.size) {
      throw new RangeError(`index ${index} of ${this.size} elements`);
    }
    return fromJson(this.#json[index]);
  }
}

class JsonMap implements CelMap {
  readonly kind = 'map';
  readonly #json: JsonObject;
  #names: readonly string[] | undefined;

  constructor(json: JsonObject) {
    this.#json = json;
  }

  get size(): number {
    return this.#keyNames().length;
  }

  get(key: CelValue): CelValue | undefined {
    // SECURITY: own properties only, so that `__proto__` and `constructor` are keys like any other.
    if (typeof key !== 'string' || !Object.hasOwn(this.#json, key)) return undefined;
    const json = this.#json[key];
    return json === undefined ? undefined : fromJson(json);
  }

  has(field: string): boolean {
    return Object.hasOwn(this.#json, field) && this.#json[field] !== undefined;
  }

  keys(): Iterable<CelValue> {
    return this.#keyNames();
  }

  follow(fields: readonly string[]): CelValue | undefined {
    const json = this.followRaw(fields);
    return json === undefined ? undefined : fromJson(json);
  }

  followRaw(fields: readonly string[]): JsonLike | undefined {
    let json: JsonLike | undefined = this.#json;
    for (const field of fields) {
      if (typeof json !== 'object' || json === null || isJsonArray(json)) return undefined;
      // SECURITY: own properties only, as above.
      if (!Object.hasOwn(json, field)) return undefined;
      json = json[field];
    }
    return json;
  }

  #keyNames(): readonly string[] {
    this.#names ??= Object.keys(this.#json).filter((name) => this.#json[name] !== undefined);
    return this.#names;
  }
}
