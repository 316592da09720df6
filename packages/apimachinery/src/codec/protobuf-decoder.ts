// Compiles type descriptors to decoders of their protobuf messages. What comes out is the JSON form
// that Go would write: the same rules of presence as when JSON is decoded (`struct-shape.ts`).
//
// Bounds: nesting of messages; memory is at most a small multiple of the bytes given.

import { formatGoDuration } from '../go-duration.ts';
import type { JsonArray, JsonObject, JsonValue } from '../json.ts';
import { isJsonObject, setOwn } from '../json.ts';
import { canonicalQuantity, QuantityError } from '../quantity.ts';
import type { AnyTypeRef, Field, StructType, TypeRef } from '../schema/types.ts';
import { DecodeError } from './decode-error.ts';
import { parseJson } from './decode-object.ts';
import { keptDepthMax } from './json-reader.ts';
import { ProtobufReader, wireBytes, wireFixed64, wireVarint } from './protobuf-reader.ts';
import { structShape, unset, zeroValue } from './struct-shape.ts';
import type { Slot, StructShape } from './struct-shape.ts';

/** Makes the object of a nested envelope (`RawExtension` may hold one). */
export type NestedObjectDecoder = (envelope: Uint8Array, context: ProtobufContext) => JsonObject;

export interface ProtobufContext {
  depth: number;
  /** How many structs may still be made, those that come of nothing included. */
  structsLeft: number;
  readonly nested: NestedObjectDecoder;
}

/** Takes the value of a field from the reader; `before` is what the field already has. */
type ValueReader = (
  reader: ProtobufReader,
  context: ProtobufContext,
  before?: JsonValue,
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
  readonly goName: string;
  readonly fields: ReadonlyMap<number, CompiledField>;
  readonly embedded: ReadonlyMap<number, CompiledMessage>;
}
interface CompiledStruct {
  readonly message: CompiledMessage;
  readonly shape: StructShape;
}
/** The struct that is being filled. */
interface Target {
  readonly slots: Slot[];
  /** What an earlier part of the message gave: parts are merged. */
  readonly previous: JsonObject | undefined;
}

const compiled = new WeakMap<StructType, CompiledStruct>();

/** Decodes the message of a struct; throws `DecodeError`. */
export function decodeStructMessage(
  bytes: Uint8Array,
  type: StructType,
  context: ProtobufContext,
): JsonObject {
  return readStruct(new ProtobufReader(bytes), type, context);
}

function readStruct(
  reader: ProtobufReader,
  type: StructType,
  context: ProtobufContext,
  previous?: JsonObject,
): JsonObject {
  let struct = compiled.get(type);
  if (struct === undefined) {
    const members = type.fields.map((field, index) => ({ field, index }));
    struct = { message: compileMessage(type.goName, members, 0), shape: structShape(type) };
    compiled.set(type, struct);
  }
  if (++context.depth > keptDepthMax) throw new DecodeError('exceeded max depth', 'limit');
  context.structsLeft -= struct.shape.structs();
  if (context.structsLeft < 0) throw new DecodeError('exceeded max number of messages', 'limit');
  const slots = struct.shape.slots.slice();
  readFields(reader, struct.message, { slots, previous }, context);
  context.depth--;
  return struct.shape.assemble(slots, previous);
}

function readFields(
  reader: ProtobufReader,
  message: CompiledMessage,
  target: Target,
  context: ProtobufContext,
): void {
  while (!reader.done) {
    const header = reader.header(message.goName);
    const number = Math.floor(header / 8);
    const wireType = header % 8;
    const field = message.fields.get(number);
    if (field !== undefined) {
      if (wireType === field.wireType) readField(reader, field, target, context);
      else if (wireType === wireBytes && field.packed) {
        const outer = reader.enter();
        while (!reader.done) readField(reader, field, target, context);
        reader.leave(outer);
      } else wrongWireType(wireType, field.name);
      continue;
    }
    const embedded = message.embedded.get(number);
    if (embedded === undefined) {
      reader.skip(wireType);
      continue;
    }
    if (wireType !== wireBytes) wrongWireType(wireType, embedded.goName);
    const outer = reader.enter();
    readFields(reader, embedded, target, context);
    reader.leave(outer);
  }
}

function readField(
  reader: ProtobufReader,
  field: CompiledField,
  { slots, previous }: Target,
  context: ProtobufContext,
): void {
  const slot = slots[field.index];
  const before = slot === unset ? previous?.[field.name] : slot;
  slots[field.index] = field.read(reader, context, before as JsonValue | undefined);
}

function wrongWireType(wireType: number, name: string): never {
  const field = name.slice(0, 1).toUpperCase() + name.slice(1);
  throw new DecodeError(`proto: wrong wireType = ${wireType} for field ${field}`, 'syntax');
}

interface Member {
  readonly field: Field;
  readonly index: number;
}

function compileMessage(
  goName: string,
  members: readonly Member[],
  level: number,
): CompiledMessage {
  const fields = new Map<number, CompiledField>();
  const groups = new Map<number, { goName: string; members: Member[] }>();
  for (const member of members) {
    const { field } = member;
    const holder = field.within?.[level];
    if (holder !== undefined) {
      const group = groups.get(holder.protobuf) ?? { goName: holder.goName, members: [] };
      groups.set(holder.protobuf, group);
      group.members.push(member);
    } else if (field.protobuf > 0) fields.set(field.protobuf, compileField(member));
  }
  const embedded = new Map<number, CompiledMessage>();
  for (const [number, group] of groups) {
    embedded.set(number, compileMessage(group.goName, group.members, level + 1));
  }
  return { goName, fields, embedded };
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
    list.push(read(reader, context) ?? zeroValue(items));
    return list;
  };
}

function mapReader(values: TypeRef): ValueReader {
  const read = valueReader(values);
  const valueHeader = 0x10 + wireTypeOf(values);
  return (reader, context, before) => {
    const map: JsonObject = isJsonObject(before) ? before : {};
    let key = '';
    let value: JsonValue | undefined;
    eachField(reader, 'MapEntry', (header) => {
      if (header === 0x0a) key = reader.string();
      else if (header === valueHeader) value = read(reader, context);
      else return false;
      return true;
    });
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
      return (reader, context, before) => readMessage(reader, struct, context, before);
    }
    case 'list':
      return wrappedReader(type.items);
    case 'quantity':
      return readQuantity;
    case 'time':
      return (reader) => readTime(reader, false);
    case 'micro-time':
      return (reader) => readTime(reader, true);
    case 'duration':
      return readDuration;
    case 'int-or-string':
      return readIntOrString;
    case 'any':
      return type.union === undefined ? readRaw : unionReader(type.union);
    default:
      return readRaw;
  }
}

function readMessage(
  reader: ProtobufReader,
  type: StructType,
  context: ProtobufContext,
  before?: JsonValue,
): JsonObject {
  const outer = reader.enter();
  const object = readStruct(reader, type, context, isJsonObject(before) ? before : undefined);
  reader.leave(outer);
  return object;
}

/** Reads a small message: `take` gets the header of each field, and says whether it took the value. */
function eachField(reader: ProtobufReader, name: string, take: (header: number) => boolean): void {
  const outer = reader.enter();
  while (!reader.done) {
    const header = reader.header(name);
    if (!take(header)) reader.skip(header % 8);
  }
  reader.leave(outer);
}

/** A list whose Go type has a name is a message that holds the items. */
function wrappedReader(items: TypeRef): ValueReader {
  const read = valueReader(items);
  const itemHeader = 8 + wireTypeOf(items);
  return (reader, context) => {
    const list: JsonArray = [];
    eachField(reader, 'List', (header) => {
      if (header !== itemHeader) return false;
      list.push(read(reader, context) ?? zeroValue(items));
      return true;
    });
    return list;
  };
}

function readQuantity(reader: ProtobufReader): string {
  let text = '';
  eachField(reader, 'Quantity', (header) => {
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

function readTime(reader: ProtobufReader, micro: boolean): string | undefined {
  let seconds: number | undefined;
  let nanos = 0;
  eachField(reader, 'Timestamp', (header) => {
    if (header === 0x08) seconds = Number(reader.int64());
    else if (header === 0x10) nanos = reader.int32();
    else return false;
    return true;
  });
  if (seconds === undefined) return undefined;
  const outside = seconds < secondsMin || seconds > secondsMax || nanos < 0 || nanos > 999_999_999;
  if (outside) throw new DecodeError('proto: timestamp out of range');
  const iso = new Date(seconds * 1000).toISOString();
  const whole = iso.slice(0, iso.length - 5);
  if (!micro) return `${whole}Z`;
  return `${whole}.${String(Math.floor(nanos / 1000)).padStart(6, '0')}Z`;
}

function readDuration(reader: ProtobufReader): string {
  let nanos: number | bigint = 0;
  eachField(reader, 'Duration', (header) => {
    if (header !== 0x08) return false;
    nanos = reader.int64();
    return true;
  });
  return formatGoDuration(BigInt(nanos));
}

function readIntOrString(reader: ProtobufReader): number | string {
  let isString = false;
  let number = 0;
  let text = '';
  eachField(reader, 'IntOrString', (header) => {
    if (header === 0x08) isString = reader.varint() === 1;
    else if (header === 0x10) number = reader.int32();
    else if (header === 0x1a) text = reader.string();
    else return false;
    return true;
  });
  return isString ? text : number;
}

/** JSON text, or an object in an envelope of its own. */
function readRaw(reader: ProtobufReader, context: ProtobufContext): JsonValue {
  let raw: Uint8Array | undefined;
  eachField(reader, 'RawExtension', (header) => {
    if (header !== 0x0a) return false;
    raw = reader.bytes();
    return true;
  });
  if (raw === undefined || raw.length === 0) return null;
  if (!isEnvelope(raw)) return parseJson(raw);
  if (++context.depth > keptDepthMax) throw new DecodeError('exceeded max depth', 'limit');
  const object = context.nested(raw, context);
  context.depth--;
  return object;
}

/** `k8s` and a zero byte, before every object. */
export const envelopePrefix: readonly number[] = [0x6b, 0x38, 0x73, 0x00];

export function isEnvelope(bytes: Uint8Array): boolean {
  return envelopePrefix.every((byte, i) => bytes[i] === byte);
}

function unionReader({ or, schema }: NonNullable<AnyTypeRef['union']>): ValueReader {
  return (reader, context) => {
    let object: JsonObject | undefined;
    let allows = false;
    const list: JsonArray = [];
    eachField(reader, schema.goName, (header) => {
      if (header === (or === 'bool' ? 0x12 : 0x0a)) object = readMessage(reader, schema, context);
      else if (header === 0x08 && or === 'bool') allows = reader.varint() !== 0;
      else if (header === 0x12 && or === 'strings') list.push(reader.string());
      else if (header === 0x12) list.push(readMessage(reader, schema, context));
      else return false;
      return true;
    });
    if (or === 'bool') return object ?? allows;
    if (or === 'strings' && list.length > 0) return list;
    return object ?? (list.length > 0 ? list : null);
  };
}
