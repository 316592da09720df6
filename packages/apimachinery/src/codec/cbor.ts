// `application/cbor` (KEP-4222): JSON values in CBOR (RFC 8949), without a schema. Objects then go
// through the decoders of JSON, so both forms mean the same.
//
// COMPAT: strings are written as byte strings, which Kubernetes reads as strings; bytes are base64
// text in both forms. Documents begin with the tag that says "this is CBOR". Readers take text and
// byte strings, bytes that are tagged as expecting base64 or hexadecimal, and times as text.

import type { JsonArray, JsonObject, JsonValue } from '../json.ts';
import { isJsonObject, setOwn } from '../json.ts';
import { DecodeError } from './decode-error.ts';

export const cborMediaType = 'application/cbor';

const majorUnsigned = 0;
const majorNegative = 1;
const majorBytes = 2;
const majorText = 3;
const majorList = 4;
const majorMap = 5;
const majorTag = 6;
const indefinite = 31;
const breakByte = 0xff;
const selfDescribed = [0xd9, 0xd9, 0xf7];

/** Encodes a JSON value; members that are undefined are left out. */
export function encodeCbor(value: unknown): Uint8Array {
  const writer = createCborWriter();
  writer.raw(selfDescribed);
  writeValue(writer, value as JsonValue);
  return writer.take();
}

interface CborWriter {
  raw(bytes: readonly number[]): void;
  head(major: number, argument: number | bigint): void;
  text(value: string): void;
  double(value: number): void;
  take(): Uint8Array;
}

function createCborWriter(): CborWriter {
  let buffer = Buffer.allocUnsafe(4096);
  let at = 0;
  const reserve = (size: number): void => {
    if (at + size <= buffer.length) return;
    const grown = Buffer.allocUnsafe(Math.max(buffer.length * 2, at + size));
    buffer.copy(grown, 0, 0, at);
    buffer = grown;
  };
  const head = (major: number, argument: number | bigint): void => {
    reserve(9);
    const first = major << 5;
    if (argument < 24) buffer[at++] = first | Number(argument);
    else if (argument < 0x100)
      at = buffer.writeUInt16BE(((first | 24) << 8) | Number(argument), at);
    else if (argument < 0x1_0000) {
      buffer[at++] = first | 25;
      at = buffer.writeUInt16BE(Number(argument), at);
    } else if (argument < 0x1_0000_0000) {
      buffer[at++] = first | 26;
      at = buffer.writeUInt32BE(Number(argument), at);
    } else {
      buffer[at++] = first | 27;
      at = buffer.writeBigUInt64BE(BigInt(argument), at);
    }
  };
  return {
    head,
    raw(bytes) {
      reserve(bytes.length);
      for (const byte of bytes) buffer[at++] = byte;
    },
    text(value) {
      const size = Buffer.byteLength(value);
      head(majorBytes, size);
      reserve(size);
      at += buffer.write(value, at);
    },
    double(value) {
      reserve(9);
      const isSingle = Math.fround(value) === value;
      buffer[at++] = isSingle ? 0xfa : 0xfb;
      at = isSingle ? buffer.writeFloatBE(value, at) : buffer.writeDoubleBE(value, at);
    },
    take: () => Buffer.from(buffer.subarray(0, at)),
  };
}

function writeValue(writer: CborWriter, value: JsonValue | undefined): void {
  if (value === null || value === undefined) writer.raw([0xf6]);
  else if (typeof value === 'boolean') writer.raw([value ? 0xf5 : 0xf4]);
  else if (typeof value === 'string') writer.text(value);
  else if (typeof value === 'bigint' || Number.isSafeInteger(value)) writeInteger(writer, value);
  else if (typeof value === 'number') writer.double(value);
  else if (Array.isArray(value)) {
    writer.head(majorList, value.length);
    for (const item of value) writeValue(writer, item);
  } else if (isJsonObject(value)) writeMap(writer, value);
}

function writeInteger(writer: CborWriter, value: JsonValue): void {
  const integer = value as number | bigint;
  if (integer >= 0) writer.head(majorUnsigned, integer);
  else writer.head(majorNegative, typeof integer === 'bigint' ? -1n - integer : -1 - integer);
}

function writeMap(writer: CborWriter, value: JsonObject): void {
  const keys = Object.keys(value).filter((key) => value[key] !== undefined);
  writer.head(majorMap, keys.length);
  for (const key of keys) {
    writer.text(key);
    writeValue(writer, value[key]);
  }
}

/** Decodes one value, which must be all there is; throws `DecodeError`. */
export function decodeCbor(bytes: Uint8Array): JsonValue {
  const reader = createCborReader(bytes);
  const value = readValue(reader, 0);
  if (reader.left() > 0) {
    throw wrong(`cbor: ${reader.left()} bytes of extraneous data starting at index ${reader.at()}`);
  }
  return value;
}

/** Kubernetes' own bound on nesting. */
const nestingMax = 64;
const int64Max = 2n ** 63n - 1n;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

interface Head {
  readonly major: number;
  /** The low bits: a small argument, its size, or a simple value. */
  readonly info: number;
  readonly argument: number | bigint;
}

interface CborReader {
  at(): number;
  left(): number;
  /** Takes the end of something of indefinite length, if it is next. */
  takeBreak(): boolean;
  head(): Head;
  bytes(length: number | bigint): Buffer;
}

function createCborReader(source: Uint8Array): CborReader {
  const buffer = Buffer.from(source.buffer, source.byteOffset, source.length);
  let at = 0;
  const advance = (length: number): number => {
    if (length > buffer.length - at) throw wrong('unexpected EOF');
    at += length;
    return at - length;
  };
  const argumentOf = (info: number): number | bigint => {
    if (info < 24) return info;
    if (info === 24) return buffer.readUInt8(advance(1));
    if (info === 25) return buffer.readUInt16BE(advance(2));
    if (info === 26) return buffer.readUInt32BE(advance(4));
    if (info === 27) return buffer.readBigUInt64BE(advance(8));
    if (info === indefinite) return 0;
    throw wrong(`cbor: invalid additional information ${info}`);
  };
  return {
    at: () => at,
    left: () => buffer.length - at,
    takeBreak() {
      if (buffer[at] !== breakByte) return false;
      at++;
      return true;
    },
    head() {
      const first = buffer.readUInt8(advance(1));
      const info = first & 0x1f;
      return { major: first >> 5, info, argument: argumentOf(info) };
    },
    bytes(length) {
      const from = advance(Number(length));
      return buffer.subarray(from, at);
    },
  };
}

function readValue(reader: CborReader, depth: number): JsonValue {
  if (depth > nestingMax) {
    throw new DecodeError(`cbor: exceeded max nested level ${nestingMax}`, 'limit');
  }
  const head = reader.head();
  switch (head.major) {
    case majorUnsigned:
      return integerOf(BigInt(wholeArgument(head)));
    case majorNegative:
      return integerOf(-1n - BigInt(wholeArgument(head)));
    case majorBytes:
    case majorText:
      return textOf(readString(reader, head));
    case majorList:
      return readList(reader, head, depth);
    case majorMap:
      return readMap(reader, head, depth);
    case majorTag:
      return readTagged(reader, wholeArgument(head), depth);
    default:
      return simpleOf(head);
  }
}

function wholeArgument({ info, argument }: Head): number | bigint {
  if (info === indefinite) throw wrong('cbor: invalid additional information 31');
  return argument;
}

function integerOf(value: bigint): number | bigint {
  if (value > int64Max || value < -int64Max - 1n) {
    throw new DecodeError(`cbor: cannot unmarshal ${value} into Go value of type int64`);
  }
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

function readString(reader: CborReader, { major, info, argument }: Head): Buffer {
  if (info !== indefinite) return reader.bytes(argument);
  const parts: Buffer[] = [];
  while (!reader.takeBreak()) {
    const part = reader.head();
    if (part.major !== major) throw wrong('cbor: wrong element type in indefinite-length string');
    parts.push(reader.bytes(wholeArgument(part)));
  }
  return Buffer.concat(parts);
}

function textOf(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw wrong('cbor: invalid UTF-8 string');
  }
}

/** Whether there is another item; lengths that only are claimed allocate nothing. */
function hasMore(reader: CborReader, { info, argument }: Head, count: number): boolean {
  return info === indefinite ? !reader.takeBreak() : count < argument;
}

function readList(reader: CborReader, head: Head, depth: number): JsonArray {
  const list: JsonArray = [];
  while (hasMore(reader, head, list.length)) list.push(readValue(reader, depth + 1));
  return list;
}

function readMap(reader: CborReader, head: Head, depth: number): JsonObject {
  const map: JsonObject = {};
  for (let count = 0; hasMore(reader, head, count); count++) {
    const keyHead = reader.head();
    if (keyHead.major !== majorBytes && keyHead.major !== majorText) {
      throw new DecodeError('cbor: map keys must be strings');
    }
    const key = textOf(readString(reader, keyHead));
    if (Object.hasOwn(map, key)) {
      throw wrong(`cbor: found duplicate map key "${key}" at map element index ${count}`);
    }
    setOwn(map, key, readValue(reader, depth + 1));
  }
  return map;
}

/** Bytes that are meant to become text in JSON, times since 1970; other tags say nothing. */
function readTagged(reader: CborReader, tag: number | bigint, depth: number): JsonValue {
  const encoding = textEncodings.get(Number(tag));
  if (encoding !== undefined) {
    const head = reader.head();
    if (head.major === majorBytes) return readString(reader, head).toString(encoding);
    throw wrong(`cbor: tag ${tag} must be on a byte string`);
  }
  if (tag === 2 || tag === 3)
    throw new DecodeError('cbor: integers beyond 64 bits are not allowed');
  const content = readValue(reader, depth + 1);
  return tag === 1 && typeof content === 'number' ? epochTime(content) : content;
}

const textEncodings: ReadonlyMap<number, BufferEncoding> = new Map([
  [21, 'base64url'],
  [22, 'base64'],
  [23, 'hex'],
]);

function epochTime(seconds: number): string {
  const time = new Date(seconds * 1000);
  if (Number.isNaN(time.getTime())) throw new DecodeError('cbor: time out of range');
  return time.toISOString().replace('.000Z', 'Z');
}

function simpleOf({ info, argument }: Head): JsonValue {
  if (info === 20 || info === 21) return info === 21;
  if (info === 22) return null;
  if (info < 25 || info > 27) throw wrong(`cbor: simple value ${info} is not allowed`);
  const value = floatOf(info, argument);
  if (Number.isFinite(value)) return value;
  throw new DecodeError('cbor: NaN and infinity are not allowed');
}

function floatOf(info: number, argument: number | bigint): number {
  const bits = Buffer.alloc(8);
  if (info === 27) {
    bits.writeBigUInt64BE(BigInt(argument));
    return bits.readDoubleBE(0);
  }
  const whole = Number(argument);
  if (info === 26) {
    bits.writeUInt32BE(whole);
    return bits.readFloatBE(0);
  }
  const sign = whole >= 0x8000 ? -1 : 1;
  const exponent = (whole >> 10) & 0x1f;
  const fraction = whole & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

function wrong(message: string): DecodeError {
  return new DecodeError(message, 'syntax');
}
