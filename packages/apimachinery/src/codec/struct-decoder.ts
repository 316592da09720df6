// Compiles type descriptors to decoders that read JSON text in one pass and leave the value as Go
// would write it back: fields in Go's order, zero values dropped or materialised as each field's
// presence says, map keys sorted.
//
// Compiled decoders are kept for as long as their descriptor lives.

import type { JsonArray, JsonObject, JsonValue } from '../json.ts';
import type { AnyTypeRef, Field, StructType, TypeRef } from '../schema/types.ts';
import type { DecodeContext, FieldFrame } from './decode-context.ts';
import { DecodeError } from './decode-error.ts';
import { setOwn } from './json-reader.ts';
import { scalarDecoder } from './scalar-decoders.ts';
import type { Decoder } from './scalar-decoders.ts';

export interface StructDecoder {
  /** Stands at the `{`; fields of `previous` stay unless the text has them, as for duplicate keys. */
  decode(context: DecodeContext, previous?: JsonObject): JsonObject;
  /** What Go writes for the zero struct. */
  zero(): JsonObject;
}

interface CompiledField {
  readonly index: number;
  readonly name: string;
  readonly frame: FieldFrame;
  readonly decode: Decoder;
  /** The value of an absent field; undefined when it stays absent. */
  readonly zero: () => JsonValue | undefined;
  /** Whether zero values are dropped. */
  readonly dropsZero: boolean;
  /** Whether a second occurrence is merged into the first instead of replacing it. */
  readonly merges: boolean;
  readonly keepsPrevious: boolean;
}

const compiled = new WeakMap<StructType, StructDecoder>();

export function structDecoder(type: StructType): StructDecoder {
  const known = compiled.get(type);
  if (known !== undefined) return known;
  const decoder = createStructDecoder(type);
  compiled.set(type, decoder);
  return decoder;
}

/** Marks a slot that no key has filled. */
const unset = Symbol('unset');
type Slot = JsonValue | undefined | typeof unset;

interface CompiledStruct {
  readonly fields: readonly CompiledField[];
  readonly byName: ReadonlyMap<string, CompiledField>;
  /** One empty slot per field, to be copied. */
  readonly slots: readonly Slot[];
}

function createStructDecoder(type: StructType): StructDecoder {
  // Fields are compiled at first use: types may contain themselves.
  let struct: CompiledStruct | undefined;
  return {
    decode(context, previous) {
      struct ??= compileStruct(type);
      const { reader, frames } = context;
      const slots = struct.slots.slice();
      let unknown: JsonObject | undefined;
      reader.enter();
      for (let first = true; reader.nextKey(first); first = false) {
        const key = reader.readKey();
        reader.colon();
        const field = struct.byName.get(key);
        if (field === undefined) {
          if (type.preserveUnknown) setOwn((unknown ??= {}), key, reader.readAny());
          else skipUnknown(context, key);
          continue;
        }
        let before = slots[field.index];
        if (before === unset) before = previous?.[field.name];
        else context.strictError('duplicate', key);
        frames.push(field.frame);
        slots[field.index] = decodeField(context, field, before as JsonValue | undefined);
        frames.pop();
      }
      const object = assemble(struct.fields, slots, previous);
      return unknown === undefined ? object : { ...object, ...unknown };
    },
    zero() {
      struct ??= compileStruct(type);
      return assemble(struct.fields, struct.slots);
    },
  };
}

function compileStruct(type: StructType): CompiledStruct {
  const fields = type.fields.map((field, index) => compileField(type, field, index));
  return {
    fields,
    byName: new Map(fields.map((field) => [field.name, field])),
    slots: fields.map(() => unset),
  };
}

function skipUnknown(context: DecodeContext, key: string): void {
  context.strictError('unknown', key);
  context.reader.skipValue();
}

function decodeField(
  context: DecodeContext,
  field: CompiledField,
  previous: JsonValue | undefined,
): JsonValue | undefined {
  if (context.reader.peek() === 0x6e) {
    context.reader.readLiteral();
    return field.keepsPrevious ? previous : undefined;
  }
  if (previous === undefined || !field.merges) return field.decode(context);
  return field.decode(context, previous);
}

/** Puts decoded fields in Go's order. */
function assemble(
  fields: readonly CompiledField[],
  slots: readonly Slot[],
  previous?: JsonObject,
): JsonObject {
  const object: JsonObject = {};
  for (const field of fields) {
    let value = slots[field.index];
    if (value === unset) value = previous?.[field.name];
    if (value === undefined) {
      const zero = field.zero();
      if (zero !== undefined) object[field.name] = zero;
    } else if (!field.dropsZero || !isZero(value as JsonValue)) {
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

function compileField(owner: StructType, field: Field, index: number): CompiledField {
  const { kind } = field.type;
  const container = kind === 'struct' || kind === 'map';
  const nullable = field.nullable === true || field.presence === 'pointer';
  const nullClears = nullable || kind === 'list' || kind === 'map' || kind === 'any';
  return {
    index,
    name: field.name,
    frame: { struct: owner.goName, field },
    decode: compileType(field.type, field.goType),
    zero: field.presence === 'always' ? zeroOf(field.type, field.nullable === true) : absent,
    dropsZero: field.presence === 'omitzero',
    merges: container,
    keepsPrevious: !nullClears,
  };
}

function absent(): undefined {
  return undefined;
}

function zeroOf(type: TypeRef, nullable: boolean): () => JsonValue {
  if (nullable) return () => null;
  switch (type.kind) {
    case 'string':
      return () => '';
    case 'bool':
      return () => false;
    case 'int32':
    case 'int64':
    case 'double':
    case 'int-or-string':
      return () => 0;
    case 'quantity':
      return () => '0';
    case 'duration':
      return () => '0s';
    case 'struct': {
      const { type: struct } = type;
      return () => structDecoder(struct).zero();
    }
    default:
      return () => null;
  }
}

function compileType(type: TypeRef, goType: string): Decoder {
  switch (type.kind) {
    case 'struct': {
      const decoder = structDecoder(type.type);
      return (context, previous) =>
        context.reader.peek() === 0x7b
          ? decoder.decode(context, previous as JsonObject | undefined)
          : context.wrongType(goType);
    }
    case 'list':
      return listDecoder(type.items, goType);
    case 'map':
      return mapDecoder(type.values, goType);
    case 'any':
      return type.union === undefined ? (context) => context.reader.readAny() : unionDecoder(type);
    default:
      return scalarDecoder(type.kind, goType);
  }
}

function listDecoder(items: TypeRef, goType: string): Decoder {
  const itemType = goType.startsWith('[]') ? goType.slice(2) : goTypeOf(items);
  const decodeItem = compileType(items, itemType);
  const zero = zeroOf(items, false);
  return (context) => {
    const { reader, frames } = context;
    if (reader.peek() !== 0x5b) return context.wrongType(goType);
    const list: JsonArray = [];
    const depth = frames.length;
    frames.push(0);
    reader.enter();
    for (let first = true; reader.nextItem(first); first = false) {
      frames[depth] = list.length;
      list.push(decodeElement(context, decodeItem) ?? zero());
    }
    frames.pop();
    return list;
  };
}

function mapDecoder(values: TypeRef, goType: string): Decoder {
  const valueType = goType.startsWith('map[')
    ? goType.slice(goType.indexOf(']') + 1)
    : goTypeOf(values);
  const decodeValue = compileType(values, valueType);
  const zero = zeroOf(values, false);
  return (context, previous) => {
    const { reader, frames } = context;
    if (reader.peek() !== 0x7b) return context.wrongType(goType);
    const entries =
      previous === undefined ? new Map() : new Map(Object.entries(previous as object));
    const seen = context.strict ? new Set<string>() : undefined;
    let last = '';
    let sorted = true;
    reader.enter();
    for (let first = true; reader.nextKey(first); first = false) {
      const key = reader.readString();
      reader.colon();
      if (seen?.has(key) === true) context.strictError('duplicate', key);
      seen?.add(key);
      sorted &&= key >= last;
      last = key;
      frames.push(key);
      entries.set(key, decodeElement(context, decodeValue) ?? zero());
      frames.pop();
    }
    return objectOf(sorted && previous === undefined ? entries : sortedEntries(entries));
  };
}

function decodeElement(context: DecodeContext, decode: Decoder): JsonValue | undefined {
  if (context.reader.peek() !== 0x6e) return decode(context);
  context.reader.readLiteral();
  return undefined;
}

type Entries = Iterable<readonly [string, JsonValue]>;

function sortedEntries(entries: Entries): Entries {
  return [...entries].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}

function objectOf(entries: Entries): JsonObject {
  const object: JsonObject = {};
  for (const [key, value] of entries) setOwn(object, key, value);
  return object;
}

/** Go types of the items of lists and maps whose own type has a name (`v1.ExtraValue`). */
function goTypeOf(type: TypeRef): string {
  switch (type.kind) {
    case 'struct':
      return type.type.name.split('.').slice(-2).join('.');
    case 'double':
      return 'float64';
    case 'bytes':
      return '[]uint8';
    case 'list':
      return `[]${goTypeOf(type.items)}`;
    default:
      return type.kind;
  }
}

/** The places of JSONSchemaProps that are a schema or something else; Go reads each on its own. */
function unionDecoder(type: AnyTypeRef): Decoder {
  const { union } = type;
  if (union === undefined) return (context) => context.reader.readAny();
  const asSchema: Decoder = (context) => structDecoder(union.schema).decode(context);
  const asSchemas = listDecoder({ kind: 'struct', type: union.schema }, '[]v1.JSONSchemaProps');
  const asStrings = listDecoder({ kind: 'string' }, '[]string');
  const decode: Decoder = (context) => {
    const code = context.reader.peek();
    if (code === 0x7b) return asSchema(context);
    if (union.or === 'bool') return decodeUnionBool(context, code);
    if (code === 0x5b) return union.or === 'schemas' ? asSchemas(context) : asStrings(context);
    context.reader.skipValue();
    return null;
  };
  return (context) => {
    const { strict } = context;
    context.strict = false;
    const value = decode(context);
    context.strict = strict;
    return value;
  };
}

function decodeUnionBool(context: DecodeContext, code: number): boolean {
  if (code !== 0x74 && code !== 0x66) throw new DecodeError('boolean or JSON schema expected');
  return context.reader.readLiteral() === true;
}
