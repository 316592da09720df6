// Puts the fields of an object into the order in which Go writes them. Decoded objects are in order
// already; defaulting and allocation append. What is written, stored and shown in errors then reads
// as it does in Kubernetes.

import type { JsonValue } from '../json.ts';
import { isJsonObject } from '../json.ts';
import type { StructType, TypeRef } from './types.ts';

const ranks = new WeakMap<StructType, ReadonlyMap<string, number>>();

/**
 * The same value when it is in order; else a copy of the parts that were not. Never changes its
 * input.
 */
export function orderFields(value: JsonValue, type: StructType): JsonValue {
  return orderStruct(value, type);
}

function rankOf(type: StructType): ReadonlyMap<string, number> {
  let rank = ranks.get(type);
  if (rank === undefined) ranks.set(type, (rank = new Map(type.fields.map((f, i) => [f.name, i]))));
  return rank;
}

function orderStruct(value: JsonValue, type: StructType): JsonValue {
  if (!isJsonObject(value)) return value;
  const rank = rankOf(type);
  let inOrder = true;
  let last = -1;
  let changed: Map<string, JsonValue> | undefined;
  for (const key in value) {
    const at = rank.get(key);
    if (at === undefined) continue;
    if (at < last) inOrder = false;
    last = at;
    const before = value[key];
    const field = type.fields[at];
    if (before === undefined || field === undefined) continue;
    const after = orderValue(before, field.type);
    if (after !== before) (changed ??= new Map()).set(key, after);
  }
  if (inOrder && changed === undefined) return value;
  const entries = Object.entries(value);
  // Fields that the type does not know keep their places at the end.
  if (!inOrder) entries.sort(([a], [b]) => (rank.get(a) ?? Infinity) - (rank.get(b) ?? Infinity));
  return Object.fromEntries(entries.map(([key, v]) => [key, changed?.get(key) ?? v]));
}

function orderValue(value: JsonValue, type: TypeRef): JsonValue {
  switch (type.kind) {
    case 'struct':
      return orderStruct(value, type.type);
    case 'list':
      return Array.isArray(value) && hasStructs(type.items) ? orderItems(value, type.items) : value;
    case 'map':
      return isJsonObject(value) && hasStructs(type.values)
        ? orderMapValues(value, type.values)
        : value;
    default:
      return value;
  }
}

const hasStructs = (type: TypeRef): boolean =>
  type.kind === 'struct' || type.kind === 'list' || type.kind === 'map';

function orderItems(items: JsonValue[], type: TypeRef): JsonValue[] {
  let copy: JsonValue[] | undefined;
  items.forEach((item, i) => {
    const ordered = orderValue(item, type);
    if (ordered !== item) (copy ??= [...items])[i] = ordered;
  });
  return copy ?? items;
}

function orderMapValues(map: { [key: string]: JsonValue | undefined }, type: TypeRef): JsonValue {
  let copy: { [key: string]: JsonValue | undefined } | undefined;
  for (const key in map) {
    const before = map[key];
    if (before === undefined) continue;
    const ordered = orderValue(before, type);
    if (ordered !== before) (copy ??= { ...map })[key] = ordered;
  }
  return copy ?? map;
}
