// Which parts of an updated object are what they were, so that a schema which became stricter does
// not complain about them (KEP-4008, CRDValidationRatcheting).

import { isJsonObject, type JsonValue } from '@keelson/apimachinery';
import {
  additionalSchema,
  itemSchema,
  listMapKeys,
  listTypeOf,
  propertySchema,
  type JsonSchema,
} from '../schema/json-schema.ts';

export interface OldValue {
  readonly value: JsonValue;
}

/**
 * True when the value is unchanged, as far as the schema lets old and new parts be told to be the same:
 * fields that the schema does not name cannot. Sets and atomic lists are compared as a whole.
 */
export function isUnchanged(schema: JsonSchema, value: JsonValue, old: JsonValue): boolean {
  if (value === null || old === null) return value === old;
  if (Array.isArray(value) || Array.isArray(old)) {
    return Array.isArray(value) && Array.isArray(old) && isListUnchanged(schema, value, old);
  }
  if (!isJsonObject(value) || !isJsonObject(old)) {
    return value === old || (isNumeric(value) && isNumeric(old) && String(value) === String(old));
  }
  const names = Object.keys(value);
  if (names.length !== Object.keys(old).length) return false;
  const additional = additionalSchema(schema);
  return names.every((name) => {
    const inner = propertySchema(schema, name) ?? additional;
    const [now, before] = [value[name], old[name]];
    if (inner === undefined || now === undefined || before === undefined) return false;
    return isUnchanged(inner, now, before);
  });
}

function isListUnchanged(schema: JsonSchema, value: JsonValue[], old: JsonValue[]): boolean {
  if (value.length !== old.length) return false;
  const items = itemSchema(schema);
  const listType = listTypeOf(schema);
  if (!items || listType === 'set' || listType === 'atomic') return isSameJson(value, old);
  const before = oldItems(schema, value, old);
  return value.every((item, i) => {
    const same = before(i);
    return same !== undefined && isUnchanged(items, item, same.value);
  });
}

function isSameJson(a: JsonValue | undefined, b: JsonValue | undefined): boolean {
  if (Array.isArray(a)) {
    if (!Array.isArray(b) || a.length !== b.length) return false;
    return a.every((item, i) => isSameJson(item, b[i]));
  }
  if (!isJsonObject(a) || !isJsonObject(b)) {
    return a === b || (isNumeric(a) && isNumeric(b) && String(a) === String(b));
  }
  const names = Object.keys(a);
  if (names.length !== Object.keys(b).length) return false;
  return names.every((name) => Object.hasOwn(b, name) && isSameJson(a[name], b[name]));
}

function isNumeric(value: unknown): boolean {
  return typeof value === 'number' || typeof value === 'bigint';
}

/** For each item of a list, the old item that it corresponds to: by key in maps, by index in plain lists. */
export function oldItems(
  schema: JsonSchema,
  value: readonly JsonValue[],
  old: JsonValue | undefined,
): (index: number) => OldValue | undefined {
  if (!Array.isArray(old)) return () => undefined;
  switch (listTypeOf(schema)) {
    case 'set':
    case 'atomic':
      return () => undefined;
    case 'map': {
      const keys = listMapKeys(schema);
      const byKey = new Map<string, JsonValue>();
      for (const item of old) byKey.set(itemKey(item, keys), item);
      return (index) => {
        const item = value[index];
        const same = item === undefined ? undefined : byKey.get(itemKey(item, keys));
        return same === undefined ? undefined : { value: same };
      };
    }
    default:
      return (index) => {
        const item = old[index];
        return item === undefined || item === null ? undefined : { value: item };
      };
  }
}

function itemKey(item: JsonValue, keys: readonly string[]): string {
  if (!isJsonObject(item)) return '';
  return keys.map((key) => `${typeof item[key]}:${String(item[key])}`).join('\u0000');
}
