// Compiles type descriptors to decoders that read JSON text in one pass and leave the value as Go
// would write it back: fields in Go's order, zero values dropped or materialised as each field's
// presence says, map keys sorted.
//
// Compiled decoders are kept for as long as their descriptor lives.

import type { JsonArray, JsonObject, JsonValue } from '../json.ts';
import { isJsonObject, setOwn } from '../json.ts';
import type { AnyTypeRef, Field, StructType, TypeRef } from '../schema/types.ts';
import type { DecodeContext, FieldFrame } from './decode-context.ts';
import { DecodeError } from './decode-error.ts';
import { scalarDecoder } from './scalar-decoders.ts';
import type { Decoder } from './scalar-decoders.ts';
import { structShape, unset, zeroValue } from './struct-shape.ts';
import type { StructShape } from './struct-shape.ts';

export interface StructDecoder {
  /** Stands at the `{`; fields of `previous` stay unless the text has them, as for duplicate keys. */
  decode(context: DecodeContext, previous?: JsonObject): JsonObject;
}

interface CompiledField {
  readonly index: number;
  readonly name: string;
  readonly frame: FieldFrame;
  readonly decode: Decoder;
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

interface CompiledStruct {
  readonly byName: ReadonlyMap<string, CompiledField>;
  readonly shape: StructShape;
}

function createStructDecoder(type: StructType): StructDecoder {
  // Fields are compiled at first use: types may contain themselves.
  let struct: CompiledStruct | undefined;
  return {
    decode(context, previous) {
      struct ??= compileStruct(type);
      const { reader, frames } = context;
      const slots = struct.shape.slots.slice();
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
      const object = struct.shape.assemble(slots, previous);
      return unknown === undefined ? object : { ...object, ...unknown };
    },
  };
}

function compileStruct(type: StructType): CompiledStruct {
  const fields = type.fields.map((field, index) => compileField(type, field, index));
  return { byName: new Map(fields.map((field) => [field.name, field])), shape: structShape(type) };
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
    merges: container,
    keepsPrevious: !nullClears,
  };
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
  return (context) => {
    const { reader, frames } = context;
    if (reader.peek() !== 0x5b) return context.wrongType(goType);
    const list: JsonArray = [];
    const depth = frames.length;
    frames.push(0);
    reader.enter();
    for (let first = true; reader.nextItem(first); first = false) {
      frames[depth] = list.length;
      list.push(decodeElement(context, decodeItem) ?? zeroValue(items));
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
  return (context, previous) => {
    const { reader, frames } = context;
    if (reader.peek() !== 0x7b) return context.wrongType(goType);
    const entries = new Map<string, JsonValue>();
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
      entries.set(key, decodeElement(context, decodeValue) ?? zeroValue(values));
      frames.pop();
    }
    const object = objectOf(sorted ? entries : sortedEntries(entries), previous);
    if (object === previous) context.mergedMaps.add(object);
    return object;
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

/** A second occurrence of a map adds to the first, which is nobody else's. */
function objectOf(entries: Entries, previous: JsonValue | undefined): JsonObject {
  const object = isJsonObject(previous) ? previous : {};
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
