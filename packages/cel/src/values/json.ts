/**
 * Plain JSON as CEL values, without copying: lists and maps are adapted when they are read. Numbers
 * are int where they are whole and within int64, and double otherwise, as untyped data of
 * Kubernetes is.
 */

import { lazyList } from './list.ts';
import { lazyMap } from './map.ts';
import type { CelValue } from './value.ts';

/** A value as `JSON.parse` gives it, with bigint allowed for integers that a double cannot hold. */
export type JsonLike =
  | null
  | boolean
  | string
  | number
  | bigint
  | readonly JsonLike[]
  | { readonly [key: string]: JsonLike | undefined };

/** The CEL value of JSON. The JSON must not change while the value is in use. */
export function fromJson(json: JsonLike | undefined): CelValue {
  switch (typeof json) {
    case 'undefined':
      return null;
    case 'number':
      return isInt64(json) ? BigInt(json) : json;
    case 'object':
      if (json === null) return null;
      if (isJsonArray(json)) return lazyList(json, fromJson);
      return lazyMap(json, fromJson);
    default:
      return json;
  }
}

function isInt64(value: number): boolean {
  return Number.isInteger(value) && value >= -(2 ** 63) && value < 2 ** 63;
}

function isJsonArray(json: object): json is readonly JsonLike[] {
  return Array.isArray(json);
}
