// Plain JSON as values of its schema, adapted when it is read. The schema decides what a text is
// (time, duration, bytes), which fields can be seen and under which names, and when two lists are
// equal: sets and lists with keys ignore order, and `+` merges them.

import { celError } from '../../values/error.ts';
import { isEqual } from '../../values/equality.ts';
import { fromJson, type JsonLike } from '../../values/json.ts';
import { celList, elementsOf, lazyList } from '../../values/list.ts';
import { lazyMap } from '../../values/map.ts';
import { celDuration, celTimestamp } from '../../values/scalars.ts';
import { parseDuration } from '../../values/duration-text.ts';
import { parseTimestamp } from '../../values/timestamp-text.ts';
import type { CelError, CelList, CelMap, CelResult, CelValue } from '../../values/value.ts';
import { escapeProperty, isReservedWord } from './escaping.ts';
import {
  asResource,
  isEmbeddedResource,
  itemsOf,
  valuesOf,
  type StructuralSchema,
} from './schema.ts';

type JsonObject = Readonly<Record<string, JsonLike | undefined>>;

/**
 * The value of JSON under its schema; an error where they do not match. The JSON must not change
 * while the value is in use. `isResource`: apiVersion, kind and names are there besides.
 */
export function schemaValue(
  json: JsonLike,
  schema: StructuralSchema,
  isResource = false,
): CelResult {
  if (json === null) {
    if (schema.nullable === true) return null;
    return celError('invalid data, got null for schema with nullable=false');
  }
  if (schema['x-kubernetes-int-or-string'] === true) {
    if (typeof json === 'string') return json;
    return integerValue(json) ?? mismatch('XIntOrString value to be either a string or integer');
  }
  switch (schema.type) {
    case 'object':
      return isJsonObject(json)
        ? objectValue(json, isResource || isEmbeddedResource(schema) ? asResource(schema) : schema)
        : mismatch('a map');
    case 'array':
      return isJsonList(json) ? listValue(json, schema) : mismatch('an array');
    case 'string':
      return typeof json === 'string' ? textValue(json, schema.format) : mismatch('a string');
    case 'number':
      return typeof json === 'number' || typeof json === 'bigint'
        ? Number(json)
        : mismatch('a double');
    case 'integer':
      return integerValue(json) ?? mismatch('an int64');
    case 'boolean':
      return typeof json === 'boolean' ? json : mismatch('a boolean');
    default:
      return fromJson(json);
  }
}

function mismatch(expected: string): CelError {
  return celError(`invalid data, expected ${expected}`);
}

function isJsonList(json: JsonLike): json is readonly JsonLike[] {
  return Array.isArray(json);
}

function isJsonObject(json: JsonLike): json is JsonObject {
  return typeof json === 'object' && json !== null && !Array.isArray(json);
}

function integerValue(json: JsonLike): bigint | undefined {
  if (typeof json === 'bigint') return json;
  return typeof json === 'number' && Number.isInteger(json) ? BigInt(json) : undefined;
}

function textValue(text: string, format: string | undefined): CelResult {
  switch (format) {
    case 'duration': {
      const nanoseconds = parseDuration(text);
      return nanoseconds === undefined
        ? celError(`Invalid duration ${text}`)
        : celDuration(nanoseconds);
    }
    case 'date':
    case 'date-time': {
      const whole = format === 'date' ? `${text}T00:00:00Z` : text.toUpperCase();
      const nanoseconds = parseTimestamp(whole);
      if (nanoseconds !== undefined) return celTimestamp(nanoseconds);
      return celError(`Invalid ${format} formatted string ${text}`);
    }
    case 'byte':
      return bytesValue(text);
    default:
      return text;
  }
}

function bytesValue(text: string): CelResult {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    return celError(`Invalid byte formatted string ${text}`);
  }
}

/** COMPAT: where data does not match its schema within a list or map, nothing is there. */
function nested(json: JsonLike, schema: StructuralSchema): CelValue {
  const value = schemaValue(json, schema);
  return isFailure(value) ? null : value;
}

function isFailure(value: CelResult): value is CelError {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'error';
}

function objectValue(json: JsonObject, schema: StructuralSchema): CelMap {
  const values = valuesOf(schema);
  if (values === undefined || schema.properties !== undefined) {
    return new ObjectValue(json, schema);
  }
  return lazyMap(json as Readonly<Record<string, JsonLike>>, (value) => nested(value, values));
}

const namesBySchema = new WeakMap<StructuralSchema, ReadonlyMap<string, string>>();

/** Properties by the identifiers that select them. */
function propertiesByIdentifier(schema: StructuralSchema): ReadonlyMap<string, string> {
  let names = namesBySchema.get(schema);
  if (names === undefined) {
    const known = new Map<string, string>();
    for (const name of Object.keys(schema.properties ?? {})) {
      const identifier = escapeProperty(name);
      if (identifier !== undefined) known.set(identifier, name);
      if (isReservedWord(name)) known.set(name, name);
    }
    names = known;
    namesBySchema.set(schema, names);
  }
  return names;
}

/** An object with declared properties. A null property counts as absent. */
class ObjectValue implements CelMap {
  readonly kind = 'map';
  readonly #json: JsonObject;
  readonly #schema: StructuralSchema;
  readonly #read = new Map<string, CelValue>();

  constructor(json: JsonObject, schema: StructuralSchema) {
    this.#json = json;
    this.#schema = schema;
  }

  // COMPAT: fields that the schema does not know count too.
  get size(): number {
    return Object.keys(this.#json).length;
  }

  get(key: CelValue): CelValue | undefined {
    if (typeof key !== 'string') return undefined;
    const name = propertiesByIdentifier(this.#schema).get(key);
    return name === undefined ? undefined : this.#property(name);
  }

  #property(name: string): CelValue | undefined {
    const known = this.#read.get(name);
    if (known !== undefined) return known;
    const schema = this.#schema.properties?.[name];
    const json = Object.hasOwn(this.#json, name) ? this.#json[name] : undefined;
    if (schema === undefined || json === undefined || json === null) return undefined;
    const value = nested(json, schema);
    this.#read.set(name, value);
    return value;
  }

  *keys(): Iterable<CelValue> {
    for (const [identifier, name] of propertiesByIdentifier(this.#schema)) {
      if (identifier === escapeProperty(name) && this.#property(name) !== undefined) {
        yield identifier;
      }
    }
  }

  equals(other: CelMap): boolean {
    if (!(other instanceof ObjectValue)) return false;
    const names = Object.keys(this.#json);
    if (names.length !== Object.keys(other.#json).length) return false;
    return names.every((name) => {
      if (!Object.hasOwn(other.#json, name)) return false;
      const [mine, its] = [this.#property(name), other.#property(name)];
      if (mine !== undefined && its !== undefined) return isEqual(mine, its);
      return isEqual(fromJson(this.#json[name]), fromJson(other.#json[name]));
    });
  }
}

function listValue(json: readonly JsonLike[], schema: StructuralSchema): CelResult {
  const items = itemsOf(schema);
  if (items === undefined) {
    return celError('invalid array type, expected Items with a non-empty Schema');
  }
  const list = lazyList(json, (item) => nested(item, items));
  switch (schema['x-kubernetes-list-type']) {
    case 'set':
      return withIdentity(list, identityOfItem);
    case 'map': {
      const keys = schema['x-kubernetes-list-map-keys'] ?? [];
      const identifiers = keys.map((key) => escapeProperty(key) ?? key);
      return withIdentity(list, (item) => identityByKeys(item, identifiers));
    }
    default:
      return list;
  }
}

type Identity = (item: CelValue) => string;

/** A text that equal items share; unequal ones may share it too. */
function identityOfItem(item: CelValue): string {
  if (typeof item === 'number' || typeof item === 'bigint') return `n${Number(item)}`;
  if (typeof item === 'object' && item !== null) return 'o';
  return `${typeof item}${String(item)}`;
}

function identityByKeys(item: CelValue, keys: readonly string[]): string {
  if (typeof item !== 'object' || item === null || !('kind' in item) || item.kind !== 'map') {
    return '';
  }
  return keys.map((key) => identityOfItem(item.get(key) ?? null)).join('\u0000');
}

/** A list whose order does not count. Items are the same by identity; equal they are besides. */
function withIdentity(list: CelList, identity: Identity): CelList {
  const isSet = identity === identityOfItem;
  const same = (a: CelValue, b: CelValue) =>
    identity(a) === identity(b) && (!isSet || isEqual(a, b));
  return {
    kind: 'list',
    size: list.size,
    get: (index) => list.get(index),
    equals(other) {
      if (list.size !== other.size) return false;
      const byIdentity = groupBy(other, identity);
      for (const item of elementsOf(list)) {
        if (!(byIdentity.get(identity(item)) ?? []).some((its) => isEqual(item, its))) return false;
      }
      return true;
    },
    concat(other) {
      const merged = [...elementsOf(list)];
      const places = new Map<string, number[]>();
      merged.forEach((item, i) => {
        const key = identity(item);
        const known = places.get(key);
        if (known === undefined) places.set(key, [i]);
        else known.push(i);
      });
      for (const item of elementsOf(other)) {
        const candidates = places.get(identity(item)) ?? [];
        const place = candidates.find((i) => same(merged[i] ?? null, item));
        if (place === undefined) {
          places.set(identity(item), [...candidates, merged.length]);
          merged.push(item);
        } else if (!isSet) merged[place] = item;
      }
      return withIdentity(celList(merged), identity);
    },
  };
}

function groupBy(list: CelList, identity: Identity): ReadonlyMap<string, readonly CelValue[]> {
  const groups = new Map<string, CelValue[]>();
  for (const item of elementsOf(list)) {
    const key = identity(item);
    const known = groups.get(key);
    if (known === undefined) groups.set(key, [item]);
    else known.push(item);
  }
  return groups;
}
