// How a struct looks when Go writes it: which fields appear although nothing set them, which disappear
// although something did. Shared by the decoders of JSON and protobuf.

import type { JsonObject, JsonValue } from '../json.ts';
import type { Field, StructType, TypeRef } from '../schema/types.ts';
import { rememberEmpty } from './given-empties.ts';

/** Marks a slot that nothing has filled. */
export const unset = Symbol('unset');
export type Slot = JsonValue | undefined | typeof unset;

interface FieldShape {
  readonly name: string;
  /** The value of an absent field; undefined when it stays absent. */
  readonly zero: () => JsonValue | undefined;
  /** Whether zero values are dropped. */
  readonly dropsZero: boolean;
  readonly isContainer: boolean;
  /**
   * COMPAT: an empty list or map that is always written is written as null, for the conversion between
   * versions makes nothing of emptiness. The items of a list of objects stay a list, and so does what
   * definitions of custom resources hold, which are never written as protobuf.
   */
  readonly emptyIsNull: boolean;
}

export interface StructShape {
  /** One empty slot per field, in the order of the type, to be copied. */
  readonly slots: readonly Slot[];
  /** Puts slots in Go's order; slots that are unset fall back to `previous`. */
  assemble(slots: readonly Slot[], previous?: JsonObject): JsonObject;
  /** How many structs the zero value is made of, itself included. */
  structs(): number;
}

const shapes = new WeakMap<StructType, StructShape>();

export function structShape(type: StructType): StructShape {
  const known = shapes.get(type);
  if (known !== undefined) return known;
  const fields = type.fields.map((field) => fieldShape(type, field));
  let structs: number | undefined;
  const shape: StructShape = {
    slots: fields.map(() => unset),
    assemble: (slots, previous) => assemble(fields, slots, previous),
    structs: () => (structs ??= countStructs(type)),
  };
  shapes.set(type, shape);
  return shape;
}

/** What Go writes for a struct that nothing has touched. */
export function zeroStruct(type: StructType): JsonObject {
  const shape = structShape(type);
  return shape.assemble(shape.slots);
}

function countStructs(type: StructType): number {
  let count = 1;
  for (const { type: of, presence, nullable } of type.fields) {
    const isWritten = presence === 'always' && nullable !== true;
    if (isWritten && of.kind === 'struct') count += structShape(of.type).structs();
  }
  return count;
}

/** The zero value of a type in JSON; `nullable` says that Go holds a pointer. */
export function zeroValue(type: TypeRef, nullable = false): JsonValue {
  if (nullable) return null;
  switch (type.kind) {
    case 'string':
      return '';
    case 'bool':
      return false;
    case 'int32':
    case 'int64':
    case 'double':
    case 'int-or-string':
      return 0;
    case 'quantity':
      return '0';
    case 'duration':
      return '0s';
    case 'struct':
      return zeroStruct(type.type);
    default:
      return null;
  }
}

function fieldShape(owner: StructType, field: Field): FieldShape {
  const { name, type, presence } = field;
  const nullable = field.nullable === true;
  const zero = presence === 'always' ? () => zeroValue(type, nullable) : () => undefined;
  const isContainer = type.kind === 'list' || type.kind === 'map';
  const keepsEmpty =
    owner.goName.endsWith('List') || owner.name.startsWith('io.k8s.apiextensions-apiserver.');
  const emptyIsNull = presence === 'always' && isContainer && !keepsEmpty;
  return { name, zero, dropsZero: presence === 'omitzero', isContainer, emptyIsNull };
}

function assemble(
  fields: readonly FieldShape[],
  slots: readonly Slot[],
  previous: JsonObject | undefined,
): JsonObject {
  const object: JsonObject = {};
  for (let i = 0; i < fields.length; i++) {
    const field = fields[i];
    if (field === undefined) continue;
    const slot = slots[i];
    const value = slot === unset ? previous?.[field.name] : slot;
    if (value === undefined) {
      const zero = field.zero();
      if (zero !== undefined) object[field.name] = zero;
    } else if ((field.dropsZero || field.emptyIsNull) && isZero(value as JsonValue)) {
      if (field.emptyIsNull) object[field.name] = null;
      if (field.isContainer) rememberEmpty(object, field.name);
    } else {
      object[field.name] = value as JsonValue;
    }
  }
  return object;
}

function isZero(value: JsonValue): boolean {
  if (value === '' || value === 0 || value === false) return true;
  if (typeof value !== 'object' || value === null) return false;
  if (Array.isArray(value)) return value.length === 0;
  for (const _ in value) return false;
  return true;
}
