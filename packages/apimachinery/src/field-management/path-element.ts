// Path elements: the keys of FieldsV1. One step from a value to a part of it is written as
//   f:<name>     a field of a struct or a key of a map
//   k:<object>   the item of a list with these key fields, sorted: k:{"name":"web"}
//   v:<value>    the item of a set
//   i:<index>    the item of a list at an index (only in data of others)
// In this canonical form equal elements are equal strings, so the strings serve as keys.

import { formatGoFloat } from '../go-value.ts';
import { compareGoStrings } from '../go-string.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../json.ts';
import { quoteGo } from '../status/field-error.ts';

/** Text that is no path element, or FieldsV1 that is no set. */
export class FieldSetError extends Error {}

export function fieldElement(name: string): string {
  return `f:${name}`;
}
/** `keys` are names of fields, sorted; `read` gives the value of one. */
export function keyElement(keys: readonly string[], read: (key: string) => JsonValue): string {
  let text = 'k:{';
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i] ?? '';
    text += `${i > 0 ? ',' : ''}${JSON.stringify(key)}:${toJson(read(key))}`;
  }
  return `${text}}`;
}
export function valueElement(value: JsonValue): string {
  return `v:${toJson(value)}`;
}

/** The name of a field element; undefined for items. */
export function fieldName(element: string): string | undefined {
  return element.startsWith('f:') ? element.slice(2) : undefined;
}
export function isKeyElement(element: string): boolean {
  return element.startsWith('k:');
}

/**
 * The canonical form of an element from elsewhere; undefined for kinds that are not known, which
 * are dropped. Throws `FieldSetError` for what is no element at all.
 */
export function canonicalElement(text: string): string | undefined {
  if (text[0] === 'f' && text[1] === ':') return text;
  if (text.length < 2) throw new FieldSetError('key must be 2 characters long:');
  if (text[1] !== ':') throw new FieldSetError(`missing colon: ${text}`);
  const rest = text.slice(2);
  switch (text[0]) {
    case 'k': {
      const fields = parseJson(rest);
      if (!isJsonObject(fields)) throw new FieldSetError(`not an object: ${rest}`);
      const keys = Object.keys(fields).sort(compareGoStrings);
      return keyElement(keys, (key) => fields[key] ?? null);
    }
    case 'v':
      return valueElement(parseJson(rest));
    case 'i': {
      if (!/^[+-]?[0-9]{1,15}$/.test(rest)) throw new FieldSetError(`not an index: ${rest}`);
      return `i:${Number(rest)}`;
    }
    default:
      return undefined;
  }
}

function parseJson(text: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue;
  } catch (e) {
    throw new FieldSetError(`not JSON: ${text}`, { cause: e });
  }
}

/** `.name`, `[name="web"]`, `[="value"]`, `[3]`: one step of a path in messages. */
export function formatElement(element: string): string {
  const rest = element.slice(2);
  switch (element[0]) {
    case 'f':
      return `.${rest}`;
    case 'k': {
      const fields = JSON.parse(rest) as JsonObject;
      const parts = Object.keys(fields).map((key) => `${key}=${formatKeyValue(fields[key])}`);
      return `[${parts.join(',')}]`;
    }
    case 'v':
      return `[=${formatKeyValue(JSON.parse(rest) as JsonValue)}]`;
    default:
      return `[${rest}]`;
  }
}

function formatKeyValue(value: JsonValue | undefined): string {
  if (value === undefined || value === null) return 'null';
  if (typeof value === 'string') return quoteGo(value);
  if (Array.isArray(value)) return `[${value.map(formatKeyValue).join(',')}]`;
  if (typeof value === 'object') {
    const keys = Object.keys(value).sort(compareGoStrings);
    return `{${keys.map((key) => `${key}=${formatKeyValue(value[key])}`).join(';')}}`;
  }
  if (typeof value === 'number' && !Number.isInteger(value)) return formatGoFloat(value);
  return String(value);
}

/** The order of elements in FieldsV1: `.`, fields, keyed items, values, indices. */
export function compareElements(a: string, b: string): number {
  if (a === b) return 0;
  const kind = a.charCodeAt(0);
  if (kind !== b.charCodeAt(0)) return kindRank(a) - kindRank(b);
  if (kind === fieldKind) return compareGoStrings(a, b);
  return compareValues(itemValue(a), itemValue(b));
}

/** Sorts entries by their elements. */
export function sortEntries<T>(entries: [string, T][]): [string, T][] {
  if (entries.length < 2) return entries;
  if (entries.some(([element]) => element.charCodeAt(0) !== entries[0]?.[0].charCodeAt(0))) {
    return entries.sort((a, b) => compareElements(a[0], b[0]));
  }
  if (entries[0]?.[0].charCodeAt(0) === fieldKind) {
    return entries.sort((a, b) => compareGoStrings(a[0], b[0]));
  }
  // Items compare by value: read each value once.
  return entries
    .map((entry) => ({ entry, value: itemValue(entry[0]) }))
    .sort((a, b) => compareValues(a.value, b.value))
    .map(({ entry }) => entry);
}

const fieldKind = 'f'.charCodeAt(0);

function kindRank(element: string): number {
  return '.fkvi'.indexOf(element[0] ?? '');
}

/** What `k:`, `v:` and `i:` elements hold; objects compare by their fields. */
function itemValue(element: string): JsonValue {
  return element === '.' ? null : (JSON.parse(element.slice(2)) as JsonValue);
}

/** Field by field: first the name, then the value. */
function compareKeys(a: JsonObject, b: JsonObject): number {
  const keysA = Object.keys(a);
  const keysB = Object.keys(b);
  for (let i = 0; i < keysA.length && i < keysB.length; i++) {
    const key = keysA[i] ?? '';
    const names = compareGoStrings(key, keysB[i] ?? '');
    if (names !== 0) return names;
    const values = compareValues(a[key] ?? null, b[key] ?? null);
    if (values !== 0) return values;
  }
  return keysA.length - keysB.length;
}

/** Numbers, strings, booleans, lists, objects, null; each kind in its own order. */
function compareValues(a: JsonValue, b: JsonValue): number {
  const kind = valueRank(a) - valueRank(b);
  if (kind !== 0) return kind;
  if (typeof a === 'string' && typeof b === 'string') return compareGoStrings(a, b);
  if (Array.isArray(a) && Array.isArray(b)) {
    for (let i = 0; i < a.length && i < b.length; i++) {
      const items = compareValues(a[i] ?? null, b[i] ?? null);
      if (items !== 0) return items;
    }
    return a.length - b.length;
  }
  if (isJsonObject(a) && isJsonObject(b)) return compareKeys(a, b);
  if (typeof a === 'object' || typeof b === 'object') return 0;
  return a < b ? -1 : a > b ? 1 : 0;
}

function valueRank(value: JsonValue): number {
  if (value === null) return 5;
  if (Array.isArray(value)) return 3;
  if (typeof value === 'object') return 4;
  return typeof value === 'string' ? 1 : typeof value === 'boolean' ? 2 : 0;
}

function toJson(value: JsonValue): string {
  if (typeof value === 'bigint') return value.toString();
  if (Array.isArray(value)) return `[${value.map(toJson).join(',')}]`;
  if (!isJsonObject(value)) return JSON.stringify(value);
  const keys = Object.keys(value).sort(compareGoStrings);
  return `{${keys.map((key) => `${JSON.stringify(key)}:${toJson(value[key] ?? null)}`).join(',')}}`;
}
