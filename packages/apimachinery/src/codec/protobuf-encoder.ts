// Compiles type descriptors to encoders of their protobuf messages.
//
// COMPAT: which fields are written is what gogo does with the Go structs: values always, also when
// they are zero, pointers and bytes when they are there, list items and map entries one by one.

import type { JsonObject, JsonValue } from '../json.ts';
import { isJsonObject } from '../json.ts';
import type { AnyTypeRef, Field, StructType, TypeRef } from '../schema/types.ts';
import { compareGoStrings } from '../go-string.ts';
import { parseGoDuration } from '../go-duration.ts';
import { plainJsonText } from './encode-json.ts';
import type { ProtobufWriter } from './protobuf-writer.ts';

/** Writes the message of a value, without header. */
type MessageEncoder = (writer: ProtobufWriter, value: JsonValue | undefined) => void;
/** Writes one field of a struct, with its header, or nothing. */
type FieldEncoder = (writer: ProtobufWriter, struct: JsonObject) => void;

const compiled = new WeakMap<StructType, MessageEncoder>();

export function structEncoder(type: StructType): MessageEncoder {
  const known = compiled.get(type);
  if (known !== undefined) return known;
  let fields: readonly FieldEncoder[] | undefined;
  const encode: MessageEncoder = (writer, value) => {
    // Fields are compiled at first use: types may contain themselves.
    fields ??= compileFields(type.fields, 0);
    const struct = isJsonObject(value) ? value : {};
    for (const field of fields) field(writer, struct);
  };
  compiled.set(type, encode);
  return encode;
}

/** Encoders in falling order of field numbers; `level` is how many embedded structs we are in. */
function compileFields(fields: readonly Field[], level: number): readonly FieldEncoder[] {
  const encoders: { number: number; encode: FieldEncoder }[] = [];
  const embedded = new Map<number, Field[]>();
  for (const field of fields) {
    const holder = field.within?.[level];
    if (holder === undefined) {
      if (field.protobuf === 0) continue;
      encoders.push({ number: field.protobuf, encode: compileField(field) });
    } else {
      const members = embedded.get(holder.protobuf) ?? [];
      embedded.set(holder.protobuf, members);
      members.push(field);
    }
  }
  for (const [number, members] of embedded) {
    const inner = compileFields(members, level + 1);
    const header = headerOf(number, 2);
    const encode: FieldEncoder = (writer, struct) => {
      const before = writer.written;
      for (const field of inner) field(writer, struct);
      closeMessage(writer, before, header);
    };
    encoders.push({ number, encode });
  }
  return encoders.toSorted((a, b) => b.number - a.number).map(({ encode }) => encode);
}

function headerOf(number: number, wireType: number): number {
  return number * 8 + wireType;
}

function closeMessage(writer: ProtobufWriter, before: number, header: number): void {
  writer.varint(writer.written - before);
  writer.varint(header);
}

function compileField(field: Field): FieldEncoder {
  const { name, type, protobuf } = field;
  if (type.kind === 'list' && !isWrapped(field.goType)) return compileList(field, type.items);
  if (type.kind === 'map') return compileMap(field, type.values);
  const write = compileValue(type, protobuf, field.goType);
  const isPointer =
    field.presence === 'pointer' || field.nullable === true || type.kind === 'bytes';
  if (!isPointer) return (writer, struct) => write(writer, struct[name]);
  return (writer, struct) => {
    const value = struct[name];
    if (value !== undefined && value !== null) write(writer, value);
  };
}

function compileList(field: Field, items: TypeRef): FieldEncoder {
  const write = compileValue(items, field.protobuf, '');
  const { name } = field;
  return (writer, struct) => {
    const list = struct[name];
    if (!Array.isArray(list)) return;
    for (let i = list.length - 1; i >= 0; i--) write(writer, list[i]);
  };
}

function compileMap(field: Field, values: TypeRef): FieldEncoder {
  const valueType = field.goType.slice(field.goType.indexOf(']') + 1);
  const write = compileValue(values, 2, valueType);
  const header = headerOf(field.protobuf, 2);
  const { name } = field;
  return (writer, struct) => {
    const map = struct[name];
    if (!isJsonObject(map)) return;
    const keys = Object.keys(map).toSorted(compareGoStrings);
    for (let i = keys.length - 1; i >= 0; i--) {
      const key = keys[i] ?? '';
      const before = writer.written;
      const value = map[key];
      if (values.kind !== 'bytes' || value !== null) write(writer, value);
      writer.string(key);
      writer.varint(0x0a);
      closeMessage(writer, before, header);
    }
  };
}

/** Lists that are a message of their own because Go names their type. */
function isWrapped(goType: string): boolean {
  return goType === 'v1.ExtraValue' || goType === 'v1.Verbs';
}

/** Writes a value with its header; what is absent counts as zero. */
function compileValue(type: TypeRef, number: number, goType: string): MessageEncoder {
  switch (type.kind) {
    case 'string': {
      const header = headerOf(number, 2);
      return (writer, value) => {
        writer.string(typeof value === 'string' ? value : '');
        writer.varint(header);
      };
    }
    case 'bool': {
      const header = headerOf(number, 0);
      return (writer, value) => {
        writer.varint(value === true ? 1 : 0);
        writer.varint(header);
      };
    }
    case 'int32':
    case 'int64': {
      const header = headerOf(number, 0);
      return (writer, value) => {
        writer.integer(typeof value === 'number' || typeof value === 'bigint' ? value : 0);
        writer.varint(header);
      };
    }
    case 'double': {
      const header = headerOf(number, 1);
      return (writer, value) => {
        writer.double(Number(value ?? 0));
        writer.varint(header);
      };
    }
    case 'bytes': {
      const header = headerOf(number, 2);
      return (writer, value) => {
        const before = writer.written;
        writer.bytes(Buffer.from(typeof value === 'string' ? value : '', 'base64'));
        closeMessage(writer, before, header);
      };
    }
    default: {
      const header = headerOf(number, 2);
      const encode = compileMessage(type, goType);
      return (writer, value) => {
        const before = writer.written;
        encode(writer, value);
        closeMessage(writer, before, header);
      };
    }
  }
}

/** Types that are messages in protobuf. Fields are written from the last to the first. */
function compileMessage(type: TypeRef, goType: string): MessageEncoder {
  switch (type.kind) {
    case 'struct':
      return structEncoder(type.type);
    case 'list': {
      const items = compileValue(type.items, 1, goType);
      return (writer, value) => {
        if (!Array.isArray(value)) return;
        for (let i = value.length - 1; i >= 0; i--) items(writer, value[i]);
      };
    }
    case 'quantity':
      return (writer, value) => {
        writer.string(typeof value === 'string' ? value : '0');
        writer.varint(0x0a);
      };
    case 'time':
    case 'micro-time':
      return encodeTime;
    case 'duration':
      return (writer, value) => {
        writer.integer(typeof value === 'string' ? parseGoDuration(value) : 0);
        writer.varint(0x08);
      };
    case 'int-or-string':
      return encodeIntOrString;
    case 'any':
      return type.union === undefined ? encodeRaw : compileUnion(type.union);
    default:
      return encodeRaw;
  }
}

function encodeRaw(writer: ProtobufWriter, value: JsonValue | undefined): void {
  if (value === undefined || value === null) return;
  writer.string(plainJsonText(value));
  writer.varint(0x0a);
}

/** Seconds and nanoseconds, both always; the zero time is an empty message. */
function encodeTime(writer: ProtobufWriter, value: JsonValue | undefined): void {
  if (typeof value !== 'string') return;
  const fraction = /\.(\d{1,9})Z$/.exec(value)?.[1] ?? '';
  writer.integer(Number(fraction.padEnd(9, '0')));
  writer.varint(0x10);
  writer.integer(Math.floor(Date.parse(value) / 1000));
  writer.varint(0x08);
}

function encodeIntOrString(writer: ProtobufWriter, value: JsonValue | undefined): void {
  const isString = typeof value === 'string';
  writer.string(isString ? value : '');
  writer.varint(0x1a);
  writer.integer(typeof value === 'number' ? value : 0);
  writer.varint(0x10);
  writer.varint(isString ? 1 : 0);
  writer.varint(0x08);
}

/** JSONSchemaPropsOrArray, …OrBool and …OrStringArray. */
function compileUnion({ or, schema }: NonNullable<AnyTypeRef['union']>): MessageEncoder {
  const schemaNumber = or === 'bool' ? 2 : 1;
  const asSchema = compileValue({ kind: 'struct', type: schema }, schemaNumber, '');
  const asItem =
    or === 'schemas'
      ? compileValue({ kind: 'struct', type: schema }, 2, '')
      : compileValue({ kind: 'string' }, 2, '');
  return (writer, value) => {
    if (isJsonObject(value)) asSchema(writer, value);
    if (Array.isArray(value)) {
      for (let i = value.length - 1; i >= 0; i--) asItem(writer, value[i]);
    }
    if (or === 'bool') {
      writer.varint(value === true || isJsonObject(value) ? 1 : 0);
      writer.varint(0x08);
    }
  };
}
