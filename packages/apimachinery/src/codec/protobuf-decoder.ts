// Compiles type descriptors to decoders of their protobuf messages. What comes out is the JSON form
// that Go would write: the same rules of presence as when JSON is decoded (`struct-shape.ts`).
//
// Bounds: nesting of messages; memory is at most a small multiple of the bytes given.

import { formatGoDuration } from '../go-duration.ts';
import type { JsonArray, JsonObject, JsonValue } from '../json.ts';
import { canonicalQuantity, QuantityError } from '../quantity.ts';
import type { AnyTypeRef, Field, StructType, TypeRef } from '../schema/types.ts';
import { DecodeError } from './decode-error.ts';
import { parseJson } from './decode-object.ts';
import { keptDepthMax, setOwn } from './json-reader.ts';
import { ProtobufReader, wireBytes, wireFixed64, wireVarint } from './protobuf-reader.ts';
import { structShape, unset, zeroValue } from './struct-shape.ts';
import type { Slot, StructShape } from './struct-shape.ts';

/** Makes the object of a nested envelope (`RawExtension` may hold one). */
export type NestedObjectDecoder = (envelope: Uint8Array, depth: number) => JsonObject;

export interface ProtobufContext {
  depth: number;
  readonly nested: NestedObjectDecoder;
}

type MessageDecoder = (bytes: Uint8Array, context: ProtobufContext) => JsonValue | undefined;
/** Takes the value of a field from the reader; `before` is what the field already has. */
type ValueReader = (
  reader: ProtobufReader,
  context: ProtobufContext,
  before: Slot,
) => JsonValue | undefined;

interface CompiledField {
  readonly index: number;
  readonly name: string;
  readonly wireType: number;
  readonly read: ValueReader;
  /** Repeated scalars may also come packed into one field. */
  readonly packed: boolean;
}
/** A message by field number: fields, and embedded structs, which are messages in it. */
interface CompiledMessage {
  readonly fields: ReadonlyMap<number, CompiledField>;
  readonly embedded: ReadonlyMap<number, CompiledMessage>;
}
interface CompiledStruct {
  readonly message: CompiledMessage;
  readonly shape: StructShape;
}

const compiled = new WeakMap<StructType, CompiledStruct>();

/** Decodes the message of a struct; throws `DecodeError`. */
export function decodeStructMessage(
  bytes: Uint8Array,
  type: StructType,
  context: ProtobufContext,
): JsonObject {
  let struct = compiled.get(type);
  if (struct === undefined) {
    const members = type.fields.map((field, index) => ({ field, index }));
    struct = { message: compileMessage(members, 0), shape: structShape(type) };
    compiled.set(type, struct);
  }
  const slots = struct.shape.slots.slice();
  readFields({ bytes, slots, name: type.goName }, struct.message, context);
  return struct.shape.assemble(slots);
}

interface MessageSource {
  readonly bytes: Uint8Array;
  readonly slots: Slot[];
  readonly name: string;
}

function readFields(
  { bytes, slots, name }: MessageSource,
  message: CompiledMessage,
  context: ProtobufContext,
): void {
  if (++context.depth > keptDepthMax) throw new DecodeError('exceeded max depth', 'limit');
  const reader = new ProtobufReader(bytes);
  while (!reader.done) {
    const header = reader.header(name);
    const number = Math.floor(header / 8);
    const wireType = header % 8;
    const field = message.fields.get(number);
    const embedded = field === undefined ? message.embedded.get(number) : undefined;
    if (field !== undefined) {
      if (wireType === wireBytes && field.packed) readPacked(reader, field, slots, context);
      else if (wireType !== field.wireType) wrongWireType(wireType, field.name);
      else slots[field.index] = field.read(reader, context, slots[field.index]);
    } else if (embedded === undefined) reader.skip(wireType);
    else if (wireType !== wireBytes) wrongWireType(wireType, name);
    else readFields({ bytes: reader.bytes(), slots, name }, embedded, context);
  }
  context.depth--;
}

function wrongWireType(wireType: number, name: string): never {
  const field = name.slice(0, 1).toUpperCase() + name.slice(1);
  throw new DecodeError(`proto: wrong wireType = ${wireType} for field ${field}`, 'syntax');
}

function readPacked(
  reader: ProtobufReader,
  field: CompiledField,
  slots: Slot[],
  context: ProtobufContext,
): void {
  const items = new ProtobufReader(reader.bytes());
  while (!items.done) slots[field.index] = field.read(items, context, slots[field.index]);
}

interface Member {
  readonly field: Field;
  readonly index: number;
}

function compileMessage(members: readonly Member[], level: number): CompiledMessage {
  const fields = new Map<number, CompiledField>();
  const groups = new Map<number, Member[]>();
  for (const member of members) {
    const { field } = member;
    const holder = field.within?.[level];
    if (holder !== undefined) {
      const group = groups.get(holder.protobuf) ?? [];
      groups.set(holder.protobuf, group);
      group.push(member);
    } else if (field.protobuf > 0) fields.set(field.protobuf, compileField(member));
  }
  const embedded = new Map<number, CompiledMessage>();
  for (const [number, group] of groups) embedded.set(number, compileMessage(group, level + 1));
  return { fields, embedded };
}

function compileField({ field, index }: Member): CompiledField {
  const { name, type, goType } = field;
  const wrapped = goType === 'v1.ExtraValue' || goType === 'v1.Verbs';
  if (type.kind === 'list' && !wrapped) {
    const wireType = wireTypeOf(type.items);
    const read = listReader(type.items);
    return { index, name, wireType, read, packed: wireType !== wireBytes };
  }
  const read = type.kind === 'map' ? mapReader(type.values) : valueReader(type);
  return { index, name, wireType: wireTypeOf(type), read, packed: false };
}

function wireTypeOf({ kind }: TypeRef): number {
  if (kind === 'bool' || kind === 'int32' || kind === 'int64') return wireVarint;
  return kind === 'double' ? wireFixed64 : wireBytes;
}

function listReader(items: TypeRef): ValueReader {
  const read = valueReader(items);
  return (reader, context, before) => {
    const list: JsonArray = Array.isArray(before) ? before : [];
    list.push(read(reader, context, unset) ?? zeroValue(items));
    return list;
  };
}

function mapReader(values: TypeRef): ValueReader {
  const read = valueReader(values);
  const wireType = wireTypeOf(values);
  return (reader, context, before) => {
    const map = typeof before === 'object' && before !== null ? (before as JsonObject) : {};
    const entry = new ProtobufReader(reader.bytes());
    let key = '';
    let value: JsonValue | undefined;
    while (!entry.done) {
      const header = entry.header('MapEntry');
      if (header === 0x0a) key = entry.string();
      else if (header === 0x10 + wireType) value = read(entry, context, unset);
      else entry.skip(header % 8);
    }
    setOwn(map, key, value ?? zeroValue(values));
    return map;
  };
}

function valueReader(type: TypeRef): ValueReader {
  switch (type.kind) {
    case 'string':
      return (reader) => reader.string();
    case 'bool':
      return (reader) => reader.varint() !== 0;
    case 'int32':
      return (reader) => reader.int32();
    case 'int64':
      return (reader) => reader.int64();
    case 'double':
      return (reader) => reader.double();
    case 'bytes':
      return (reader) => Buffer.from(reader.bytes()).toString('base64');
    case 'struct': {
      const { type: struct } = type;
      const pending = new WeakMap<JsonObject, Uint8Array>();
      return (reader, context, before) => readStruct({ reader, struct, before, pending }, context);
    }
    default: {
      const decode = messageDecoder(type);
      return (reader, context) => decode(reader.bytes(), context);
    }
  }
}

interface StructSource {
  readonly reader: ProtobufReader;
  readonly struct: StructType;
  readonly before: Slot;
  /** The bytes of structs that were read, in case there is more of them. */
  readonly pending: WeakMap<JsonObject, Uint8Array>;
}

/** A message that comes in parts is the message of all bytes together. */
function readStruct(source: StructSource, context: ProtobufContext): JsonObject {
  const { reader, struct, before, pending } = source;
  let bytes = reader.bytes();
  const earlier = typeof before === 'object' ? pending.get(before as JsonObject) : undefined;
  if (earlier !== undefined) bytes = Buffer.concat([earlier, bytes]);
  const object = decodeStructMessage(bytes, struct, context);
  pending.set(object, bytes);
  return object;
}

function messageDecoder(type: TypeRef): MessageDecoder {
  switch (type.kind) {
    case 'list':
      return (bytes, context) => decodeWrapped(bytes, type.items, context);
    case 'quantity':
      return decodeQuantity;
    case 'time':
      return (bytes) => decodeTime(bytes, false);
    case 'micro-time':
      return (bytes) => decodeTime(bytes, true);
    case 'duration':
      return decodeDuration;
    case 'int-or-string':
      return decodeIntOrString;
    case 'any': {
      const { union } = type;
      return union === undefined ? decodeRaw : unionDecoder(union);
    }
    default:
      return decodeRaw;
  }
}

/** Calls back for every field of a small message. */
function eachField(
  bytes: Uint8Array,
  name: string,
  take: (reader: ProtobufReader, header: number) => boolean,
): void {
  const reader = new ProtobufReader(bytes);
  while (!reader.done) {
    const header = reader.header(name);
    if (!take(reader, header)) reader.skip(header % 8);
  }
}

function decodeWrapped(bytes: Uint8Array, items: TypeRef, context: ProtobufContext): JsonArray {
  const read = valueReader(items);
  const list: JsonArray = [];
  eachField(bytes, 'List', (reader, header) => {
    if (header !== 8 + wireTypeOf(items)) return false;
    list.push(read(reader, context, unset) ?? zeroValue(items));
    return true;
  });
  return list;
}

function decodeQuantity(bytes: Uint8Array): string {
  let text = '';
  eachField(bytes, 'Quantity', (reader, header) => {
    if (header !== 0x0a) return false;
    text = reader.string();
    return true;
  });
  if (text === '') return '0';
  try {
    return canonicalQuantity(text);
  } catch (error) {
    if (error instanceof QuantityError) throw new DecodeError(error.message);
    throw error;
  }
}

/** Seconds that four digits of a year can show. */
const secondsMin = -62_135_596_800;
const secondsMax = 253_402_300_799;

function decodeTime(bytes: Uint8Array, micro: boolean): string | undefined {
  if (bytes.length === 0) return undefined;
  let seconds = 0;
  let nanos = 0;
  eachField(bytes, 'Timestamp', (reader, header) => {
    if (header === 0x08) seconds = Number(reader.int64());
    else if (header === 0x10) nanos = reader.int32();
    else return false;
    return true;
  });
  const outside = seconds < secondsMin || seconds > secondsMax || nanos < 0 || nanos > 999_999_999;
  if (outside) throw new DecodeError('proto: timestamp out of range');
  const iso = new Date(seconds * 1000).toISOString();
  const whole = iso.slice(0, iso.length - 5);
  if (!micro) return `${whole}Z`;
  return `${whole}.${String(Math.floor(nanos / 1000)).padStart(6, '0')}Z`;
}

function decodeDuration(bytes: Uint8Array): string {
  let nanos: number | bigint = 0;
  eachField(bytes, 'Duration', (reader, header) => {
    if (header !== 0x08) return false;
    nanos = reader.int64();
    return true;
  });
  return formatGoDuration(BigInt(nanos));
}

function decodeIntOrString(bytes: Uint8Array): number | string {
  let isString = false;
  let number = 0;
  let text = '';
  eachField(bytes, 'IntOrString', (reader, header) => {
    if (header === 0x08) isString = reader.varint() === 1;
    else if (header === 0x10) number = reader.int32();
    else if (header === 0x1a) text = reader.string();
    else return false;
    return true;
  });
  return isString ? text : number;
}

/** JSON text, or an object in an envelope of its own. */
function decodeRaw(bytes: Uint8Array, context: ProtobufContext): JsonValue {
  let raw: Uint8Array | undefined;
  eachField(bytes, 'RawExtension', (reader, header) => {
    if (header !== 0x0a) return false;
    raw = reader.bytes();
    return true;
  });
  if (raw === undefined || raw.length === 0) return null;
  if (!isEnvelope(raw)) return parseJson(raw);
  if (++context.depth > keptDepthMax) throw new DecodeError('exceeded max depth', 'limit');
  const object = context.nested(raw, context.depth);
  context.depth--;
  return object;
}

/** `k8s` and a zero byte, before every object. */
export const envelopePrefix: readonly number[] = [0x6b, 0x38, 0x73, 0x00];

export function isEnvelope(bytes: Uint8Array): boolean {
  return envelopePrefix.every((byte, i) => bytes[i] === byte);
}

function unionDecoder({ or, schema }: NonNullable<AnyTypeRef['union']>): MessageDecoder {
  return (bytes, context) => {
    let object: JsonObject | undefined;
    let allows = false;
    const list: JsonArray = [];
    eachField(bytes, schema.goName, (reader, header) => {
      if (header === (or === 'bool' ? 0x12 : 0x0a)) {
        object = decodeStructMessage(reader.bytes(), schema, context);
      } else if (header === 0x08 && or === 'bool') allows = reader.varint() !== 0;
      else if (header === 0x12 && or === 'strings') list.push(reader.string());
      else if (header === 0x12) list.push(decodeStructMessage(reader.bytes(), schema, context));
      else return false;
      return true;
    });
    if (or === 'bool') return object ?? allows;
    if (or === 'strings' && list.length > 0) return list;
    return object ?? (list.length > 0 ? list : null);
  };
}
