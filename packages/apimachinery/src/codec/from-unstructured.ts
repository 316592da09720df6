// Strategic merge patches and server-side apply work on untyped JSON, which Kubernetes then copies
// into the typed object by its own converter instead of decoding it as text. What does not fit is
// refused in the converter's words, without a path, and integers wrap around instead of being too
// large. Fields are tried in Go's order; the first fault ends the copy. Types that read themselves
// (times, quantities …) are left to the decoder, as the converter leaves them to their own method.

import { goKind } from '../go-value.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../json.ts';
import type { StructType, TypeRef } from '../schema/types.ts';
import { canonicalBase64 } from './base64.ts';
import { DecodeError } from './decode-error.ts';

/**
 * The object with every number in the range of its field. Unknown fields stay, for the decoder to
 * find. Throws `DecodeError`.
 */
export function fromUnstructured(object: JsonObject, type: StructType): JsonObject {
  let copy: JsonObject | undefined;
  for (const field of type.fields) {
    const value = object[field.name];
    if (value === undefined || value === null) continue;
    const converted = convert(value, field.type, field.goType);
    if (converted !== value) (copy ??= { ...object })[field.name] = converted;
  }
  return copy ?? object;
}

function convert(value: JsonValue, type: TypeRef, goType: string): JsonValue {
  if (value === null) return value;
  switch (type.kind) {
    case 'string':
    case 'bool':
    case 'int32':
    case 'int64':
    case 'double':
      return convertScalar(value, type.kind, goType);
    case 'bytes':
      return convertBytes(value);
    case 'struct':
      if (!isJsonObject(value))
        throw new DecodeError(`cannot restore struct from: ${goKind(value)}`);
      return fromUnstructured(value, type.type);
    case 'list': {
      if (!Array.isArray(value))
        throw new DecodeError(`cannot restore slice from ${goKind(value)}`);
      const itemType = goType.replace(/^\[\]/, '');
      return convertItems(value, (item) => convert(item, type.items, itemType));
    }
    case 'map':
      if (!isJsonObject(value)) throw new DecodeError(`cannot restore map from ${goKind(value)}`);
      return convertMembers(value, type.values, goType.replace(/^map\[[^\]]*\]/, ''));
    default:
      return value;
  }
}

type Scalar = 'string' | 'bool' | 'int32' | 'int64' | 'double';

/** Kinds of Go that one scalar may become; between others Go has no conversion at all. */
const convertibleFrom: Readonly<Record<Scalar, readonly string[]>> = {
  string: ['string', 'int64'],
  bool: ['bool'],
  int32: ['int64', 'float64'],
  int64: ['int64', 'float64'],
  double: ['int64', 'float64'],
};

function convertScalar(value: JsonValue, to: Scalar, goType: string): JsonValue {
  const from = goKind(value);
  if (!convertibleFrom[to].includes(from))
    throw new DecodeError(`unrecognized type: ${to === 'double' ? 'float64' : to}`);
  // COMPAT: Go would make a character of a number, and cut fractions off; neither is meant.
  const isText = to === 'string' && from !== 'string';
  const isFraction = (to === 'int32' || to === 'int64') && from === 'float64';
  if (isText || isFraction) throw new DecodeError(`cannot convert ${from} to ${goType}`);
  // Nearly all are in range.
  if (to !== 'int32' || value === (Number(value) | 0)) return value;
  return Number(BigInt.asIntN(32, BigInt(value as number | bigint)));
}

function convertBytes(value: JsonValue): JsonValue {
  if (typeof value !== 'string') {
    if (Array.isArray(value)) return value;
    throw new DecodeError(`cannot restore slice from ${goKind(value)}`);
  }
  try {
    canonicalBase64(value);
    return value;
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw new DecodeError(`error decoding from json: ${error.message}`);
  }
}

function convertItems(
  items: readonly JsonValue[],
  each: (item: JsonValue) => JsonValue,
): JsonValue {
  const converted = items.map(each);
  return converted.every((item, i) => item === items[i]) ? (items as JsonValue) : converted;
}

function convertMembers(map: JsonObject, values: TypeRef, goType: string): JsonValue {
  let copy: JsonObject | undefined;
  for (const key in map) {
    const value = map[key];
    if (value === undefined) continue;
    const converted = convert(value, values, goType);
    if (converted !== value) (copy ??= { ...map })[key] = converted;
  }
  return copy ?? map;
}
