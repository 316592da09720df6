// Puts the fields of an object into the order in which Go writes them. Decoded objects are in order
// already; defaulting and allocation append. What is written, stored and shown in errors then reads
// as it does in Kubernetes.

import type { JsonValue } from '../json.ts';
import { isJsonObject } from '../json.ts';
import type { StructType, TypeRef } from './types.ts';

interface Place {
  readonly rank: number;
  /** Absent where nothing in the field has fields itself. */
  readonly inside: TypeRef | undefined;
}

const placesOfTypes = new WeakMap<StructType, ReadonlyMap<string, Place>>();

/**
 * The same value when it is in order; else a copy of the parts that were not. Never changes its
 * input.
 */
export function orderFields(value: JsonValue, type: StructType): JsonValue {
  return orderStruct(value, type);
}

function placesOf(type: StructType): ReadonlyMap<string, Place> {
  let places = placesOfTypes.get(type);
  if (places === undefined) {
    const placeOf = (of: TypeRef, rank: number) => ({
      rank,
      inside: holdsStructs(of) ? of : undefined,
    });
    places = new Map(type.fields.map((field, rank) => [field.name, placeOf(field.type, rank)]));
    placesOfTypes.set(type, places);
  }
  return places;
}

function orderStruct(value: JsonValue, type: StructType): JsonValue {
  if (!isJsonObject(value)) return value;
  const places = placesOf(type);
  let inOrder = true;
  let last = -1;
  let changed: Map<string, JsonValue> | undefined;
  for (const key in value) {
    const place = places.get(key);
    if (place === undefined) continue;
    if (place.rank < last) inOrder = false;
    last = place.rank;
    const before = value[key];
    if (before === undefined || place.inside === undefined) continue;
    const after = orderValue(before, place.inside);
    if (after !== before) (changed ??= new Map()).set(key, after);
  }
  if (inOrder && changed === undefined) return value;
  const entries = Object.entries(value);
  const rankOf = (key: string) => places.get(key)?.rank ?? Infinity;
  // Fields that the type does not know keep their places at the end.
  if (!inOrder) entries.sort(([a], [b]) => rankOf(a) - rankOf(b));
  return Object.fromEntries(entries.map(([key, v]) => [key, changed?.get(key) ?? v]));
}

function orderValue(value: JsonValue, type: TypeRef): JsonValue {
  switch (type.kind) {
    case 'struct':
      return orderStruct(value, type.type);
    case 'list':
      return Array.isArray(value) ? orderItems(value, type.items) : value;
    case 'map':
      return isJsonObject(value) ? orderMapValues(value, type.values) : value;
    default:
      return value;
  }
}

function holdsStructs(type: TypeRef): boolean {
  if (type.kind === 'list') return holdsStructs(type.items);
  if (type.kind === 'map') return holdsStructs(type.values);
  return type.kind === 'struct';
}

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
