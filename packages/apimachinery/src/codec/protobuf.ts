// `application/vnd.kubernetes.protobuf`: a prefix, and an envelope (`runtime.Unknown`) that names apiVersion
// and kind of the message inside. Custom resources have no such form.

import type { GroupVersionKind } from '../meta/group-version.ts';
import { formatApiVersion, parseApiVersion } from '../meta/group-version.ts';
import type { KubeObject, ListMeta } from '../meta/object.ts';
import { asJson, asKubeObject } from '../meta/object.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import { builtinType, typeForKind } from '../schema/builtin.ts';
import type { StructType } from '../schema/types.ts';
import { DecodeError } from './decode-error.ts';
import type { TypeMeta } from './decode-object.ts';
import { decodeStructMessage, envelopePrefix, isEnvelope } from './protobuf-decoder.ts';
import type { ProtobufContext } from './protobuf-decoder.ts';
import { structEncoder } from './protobuf-encoder.ts';
import { ProtobufReader } from './protobuf-reader.ts';
import { ProtobufWriter } from './protobuf-writer.ts';

export const protobufMediaType = 'application/vnd.kubernetes.protobuf';

export interface ProtobufEnvelope extends TypeMeta {
  /** The message; a view of the bytes given. */
  readonly message: Uint8Array;
}

export interface DecodedProtobuf {
  readonly gvk: GroupVersionKind;
  readonly object: KubeObject;
}

const writer = new ProtobufWriter();

/** Encodes an object with its prefix and envelope, whose apiVersion and kind are those of the object. */
export function encodeProtobuf(object: KubeObject, type: StructType): Uint8Array {
  const { apiVersion = '', kind = '' } = object;
  return encodeProtobufEnvelope({ apiVersion, kind }, encodeProtobufMessage(object, type));
}

/** Encodes the message alone: what lists and watch events hold. */
export function encodeProtobufMessage(
  object: KubeObject | JsonObject,
  type: StructType,
): Uint8Array {
  return write(() => structEncoder(type)(writer, object as JsonObject));
}

/** Puts a message into its envelope. */
export function encodeProtobufEnvelope(meta: TypeMeta, message: Uint8Array): Uint8Array {
  const { before, after } = envelopeAround(meta, message.length);
  return Buffer.concat([before, message, after]);
}

/** What stands before and after a message of that size. */
function envelopeAround(
  meta: TypeMeta,
  messageSize: number,
): { before: Uint8Array; after: Uint8Array } {
  const before = write(() => {
    writer.varint(messageSize);
    writer.varint(0x12);
    const { written } = writer;
    writer.string(meta.kind);
    writer.varint(0x12);
    writer.string(meta.apiVersion);
    writer.varint(0x0a);
    writer.varint(writer.written - written);
    writer.varint(0x0a);
    writer.bytes(Uint8Array.from(envelopePrefix));
  });
  return { before, after: envelopeEnd };
}

/** The content encoding and type, which are empty, are always there. */
const envelopeEnd = Uint8Array.of(0x1a, 0, 0x22, 0);

/** Bytes in pieces. A piece holds good until the next one is asked for. */
export interface ProtobufParts {
  readonly size: number;
  readonly parts: () => Iterable<Uint8Array>;
}

/**
 * A list in its envelope, from items that are encoded already. All list kinds number their fields
 * alike: metadata is one, items are two.
 */
export function encodeProtobufList(
  meta: TypeMeta,
  metadata: ListMeta,
  items: readonly Uint8Array[],
): ProtobufParts {
  const metadataField = encodeListMetadata(metadata);
  let messageSize = metadataField.length;
  for (const item of items) messageSize += 1 + varintSize(item.length) + item.length;
  const { before, after } = envelopeAround(meta, messageSize);
  const header = Buffer.allocUnsafe(8);
  return {
    size: before.length + messageSize + after.length,
    *parts() {
      yield before;
      yield metadataField;
      for (const item of items) {
        yield itemHeader(header, item.length);
        yield item;
      }
      yield after;
    },
  };
}

function itemHeader(buffer: Buffer, length: number): Uint8Array {
  let at = 0;
  buffer[at++] = 0x12;
  let rest = length;
  for (; rest >= 0x80; rest >>>= 7) buffer[at++] = (rest & 0x7f) | 0x80;
  buffer[at++] = rest;
  return buffer.subarray(0, at);
}

function encodeListMetadata(metadata: ListMeta): Uint8Array {
  const listMeta = builtinType('io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta');
  if (listMeta === undefined) throw new Error('no schema for ListMeta');
  return write(() => {
    structEncoder(listMeta)(writer, { ...metadata });
    writer.varint(writer.written);
    writer.varint(0x0a);
  });
}

function varintSize(value: number): number {
  let size = 1;
  for (let rest = value; rest >= 0x80; rest >>>= 7) size++;
  return size;
}

/** The message of a watch event; `object` is the encoded object with its envelope. */
export function encodeProtobufWatchEvent(type: string, object: Uint8Array): Uint8Array {
  return write(() => {
    const before = writer.written;
    writeBytesField(0x0a, object);
    writer.varint(writer.written - before);
    writer.varint(0x12);
    writer.string(type);
    writer.varint(0x0a);
  });
}

function writeBytesField(header: number, bytes: Uint8Array): void {
  writer.bytes(bytes);
  writer.varint(bytes.length);
  writer.varint(header);
}

function write(content: () => void): Uint8Array {
  try {
    content();
    return writer.take();
  } finally {
    writer.reset();
  }
}

/** Opens the envelope; throws `DecodeError` when there is none. */
export function readProtobufEnvelope(bytes: Uint8Array): ProtobufEnvelope {
  if (bytes.length === 0) throw new DecodeError('empty data', 'syntax');
  if (!isEnvelope(bytes)) {
    const prefix = envelopePrefix.join(' ');
    const message = `provided data does not appear to be a protobuf message, expected prefix [${prefix}]`;
    throw new DecodeError(message, 'syntax');
  }
  if (bytes.length === envelopePrefix.length) throw new DecodeError('empty body', 'syntax');
  const reader = new ProtobufReader(bytes, envelopePrefix.length);
  let meta: TypeMeta = { apiVersion: '', kind: '' };
  let message: Uint8Array = new Uint8Array();
  while (!reader.done) {
    const header = reader.header('Unknown');
    if (header === 0x0a) meta = readTypeMeta(reader.bytes());
    else if (header === 0x12) message = reader.bytes();
    else reader.skip(header % 8);
  }
  return { ...meta, message };
}

function readTypeMeta(bytes: Uint8Array): TypeMeta {
  const reader = new ProtobufReader(bytes);
  const meta = { apiVersion: '', kind: '' };
  while (!reader.done) {
    const header = reader.header('TypeMeta');
    if (header === 0x0a) meta.apiVersion = reader.string();
    else if (header === 0x12) meta.kind = reader.string();
    else reader.skip(header % 8);
  }
  return meta;
}

/** Decodes the message of a known type; throws `DecodeError`. */
export function decodeProtobufMessage(message: Uint8Array, type: StructType): JsonObject {
  return decodeStructMessage(message, type, rootContext(message));
}

/** Decodes an object of a built-in kind with its envelope; throws `DecodeError`. */
export function decodeProtobuf(bytes: Uint8Array): DecodedProtobuf {
  return decodeEnvelope(bytes, rootContext(bytes));
}

/**
 * Go writes every struct that is not behind a pointer, in two bytes at least. What is much sparser
 * is no message that anybody wrote, but one that should fill the memory.
 */
function rootContext(bytes: Uint8Array): ProtobufContext {
  return { depth: 0, structsLeft: sparseStructsMax + bytes.length, nested: decodeNested };
}

/** So many structs may come of a message of any size. */
const sparseStructsMax = 1000;

function decodeEnvelope(bytes: Uint8Array, context: ProtobufContext): DecodedProtobuf {
  const { apiVersion, kind, message } = readProtobufEnvelope(bytes);
  const gv = parseApiVersion(apiVersion);
  const gvk = { group: gv?.group ?? '', version: gv?.version ?? '', kind };
  const type = gv === undefined ? undefined : typeForKind(gvk);
  if (type === undefined) throw unknownKind(apiVersion, kind);
  const value = decodeStructMessage(message, type, context);
  return { gvk, object: withTypeMeta(value, type, { apiVersion: formatApiVersion(gvk), kind }) };
}

function decodeNested(envelope: Uint8Array, context: ProtobufContext): JsonObject {
  return asJson(decodeEnvelope(envelope, context).object);
}

function unknownKind(apiVersion: string, kind: string): DecodeError {
  const scheme = 'scheme "pkg/api/legacyscheme/scheme.go:30"';
  const what = JSON.stringify(kind);
  return new DecodeError(`no kind ${what} is registered for version "${apiVersion}" in ${scheme}`);
}

function withTypeMeta(value: JsonObject, type: StructType, meta: TypeMeta): KubeObject {
  if (!type.byName.has('kind')) return asKubeObject(value);
  const object: Record<string, JsonValue | undefined> = {
    kind: meta.kind,
    apiVersion: meta.apiVersion,
  };
  return asKubeObject(Object.assign(object, value));
}
