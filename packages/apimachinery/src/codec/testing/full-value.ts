// Values with every field of a type set to something that is not its zero value, for tests of what
// codecs keep. Types that contain themselves are followed once; apiVersion and kind are left to the
// caller.

import type { JsonObject, JsonValue } from '../../json.ts';
import type { AnyTypeRef, StructType, TypeRef } from '../../schema/types.ts';

/** `seed` makes values differ from each other; the same seed gives the same value. */
export function fullValue(type: StructType, seed = 0): JsonObject {
  let count = seed;
  const next = () => ++count;
  const open: StructType[] = [];
  const struct = (of: StructType): JsonObject => {
    const object: JsonObject = {};
    open.push(of);
    for (const field of of.fields) {
      if (field.name === 'kind' && field.protobuf === 0) continue;
      if (field.name === 'apiVersion' && field.protobuf === 0) continue;
      const value = valueOf(field.type, { next, struct, isOpen });
      if (value !== undefined) object[field.name] = value;
    }
    open.pop();
    return object;
  };
  const isOpen = (of: StructType) => open.filter((outer) => outer === of).length > 1;
  return struct(type);
}

interface Making {
  readonly next: () => number;
  readonly struct: (type: StructType) => JsonObject;
  readonly isOpen: (type: StructType) => boolean;
}

/** `undefined` ends what would never end. */
function valueOf(type: TypeRef, making: Making): JsonValue | undefined {
  const n = making.next();
  switch (type.kind) {
    case 'string':
      return `text ${n} <&> é 😀`;
    case 'bool':
      return true;
    case 'int32':
      return n % 2 === 0 ? n : -2_147_483_648 + n;
    case 'int64':
      return [n, -n, 9_223_372_036_854_775_000n + BigInt(n % 800)][n % 3] ?? n;
    case 'double':
      return n + 0.25;
    case 'bytes':
      return Buffer.from(`bytes ${n}`).toString('base64');
    case 'time':
      return new Date(Date.UTC(2024, 0, 1) + n * 1000).toISOString().replace('.000Z', 'Z');
    case 'micro-time':
      return `2024-02-03T04:05:06.${String(n % 1_000_000).padStart(6, '0')}Z`;
    case 'duration':
      return `${n % 60}m${(n % 59) + 1}.5s`.replace(/^0m/, '');
    case 'quantity':
      return `${n}m`.replace(/000m$/, '').replace(/^(\d+)m$/, '$1m');
    case 'int-or-string':
      return n % 2 === 0 ? n : `${n}%`;
    case 'list': {
      const items = [valueOf(type.items, making), valueOf(type.items, making)];
      const kept = items.filter((item) => item !== undefined);
      return kept.length === 0 ? undefined : kept;
    }
    case 'map': {
      const value = valueOf(type.values, making);
      const other = valueOf(type.values, making);
      return value === undefined || other === undefined ? undefined : { '2': value, 'a/b': other };
    }
    case 'struct':
      return making.isOpen(type.type) ? undefined : making.struct(type.type);
    case 'any':
      return type.union === undefined ? untyped(n) : unionOf(type.union, making, n);
    case 'fields-v1':
      return { 'f:metadata': { 'f:labels': { '.': {}, [`f:${n}`]: {} } } };
  }
}

function untyped(n: number): JsonObject {
  return { list: [n, 'text', null, true, 1.5], empty: {}, text: '<&>' };
}

function unionOf(
  { or, schema }: NonNullable<AnyTypeRef['union']>,
  making: Making,
  n: number,
): JsonValue | undefined {
  if (or === 'strings' && n % 2 === 0) return ['a', 'b'];
  if (or === 'bool' && n % 2 === 0) return true;
  if (making.isOpen(schema)) return or === 'bool' ? false : undefined;
  return or === 'schemas' && n % 2 === 0
    ? [making.struct(schema), making.struct(schema)]
    : making.struct(schema);
}
