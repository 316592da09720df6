// Protobuf of every built-in kind: objects with all of their fields set, and messages that are
// damaged in a hundred thousand ways.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSeededRandom } from '../random.ts';
import type { JsonValue } from '../json.ts';
import { formatApiVersion } from '../meta/group-version.ts';
import { asJson, asKubeObject } from '../meta/object.ts';
import { builtinKinds, typeForKind } from '../schema/builtin.ts';
import type { StructType } from '../schema/types.ts';
import { DecodeError } from './decode-error.ts';
import { decodeObject, decodeValue } from './decode-object.ts';
import { encodeJsonText } from './encode-json.ts';
import { decodeProtobuf, encodeProtobuf, encodeProtobufEnvelope } from './protobuf.ts';
import { fullValue } from './testing/full-value.ts';

interface Kind {
  readonly name: string;
  readonly type: StructType;
  readonly apiVersion: string;
  readonly kind: string;
}

const everyGroup = [
  'Status',
  'DeleteOptions',
  'CreateOptions',
  'ListOptions',
  'PartialObjectMetadata',
];
const kinds: readonly Kind[] = [
  ...builtinKinds(),
  ...everyGroup.map((kind) => ({ group: 'meta.k8s.io', version: 'v1', kind })),
].flatMap((gvk) => {
  const type = typeForKind(gvk);
  assert.ok(type, gvk.kind);
  const apiVersion = formatApiVersion(gvk);
  return [{ name: `${apiVersion} ${gvk.kind}`, type, apiVersion, kind: gvk.kind }];
});

test('objects of every kind with all fields set come back as they were', () => {
  for (const { name, type, apiVersion, kind } of kinds) {
    const value = { kind, apiVersion, ...fullValue(type) };
    const { object, strictErrors } = decodeObject(encodeJsonText(value), type, { strict: true });
    assert.deepEqual(strictErrors, [], name);
    assertSame(encodeJsonText(object), encodeJsonText(value), name);
    const bytes = encodeProtobuf(object, type);
    const decoded = decodeProtobuf(bytes);
    assertSame(encodeJsonText(decoded.object), encodeJsonText(object), name);
    assert.deepEqual(encodeProtobuf(decoded.object, type), bytes, name);
  }
});

test('objects of every kind with nothing set come back as they were', () => {
  for (const { name, type, apiVersion, kind } of kinds) {
    const { value } = decodeValue({ kind, apiVersion }, type);
    const bytes = encodeProtobuf(asKubeObject(value), type);
    assert.equal(encodeJsonText(decodeProtobuf(bytes).object), encodeJsonText(value), name);
  }
});

test('a hundred thousand damaged messages throw nothing but DecodeError, and stay small', () => {
  const random = createSeededRandom(20_240_101);
  const below = (n: number) => Math.floor(random.float() * n);
  const sources = kinds.flatMap(({ type, apiVersion, kind }) => {
    const value = (seed: number) => asKubeObject({ kind, apiVersion, ...fullValue(type, seed) });
    const messages = [value(0), value(1), asKubeObject({ kind, apiVersion })];
    return messages.map((object) => Buffer.from(encodeProtobuf(object, type)));
  });
  let accepted = 0;
  for (let i = 0; i < 100_000; i++) {
    const bytes = damaged(sources[below(sources.length)] ?? Buffer.of(), below);
    try {
      const { object } = decodeProtobuf(bytes);
      accepted++;
      if (i % 50 === 0) assertSmall(asJson(object), bytes);
    } catch (error) {
      if (!(error instanceof DecodeError)) {
        assert.fail(`${String(error)} for ${bytes.toString('base64')}`);
      }
    }
  }
  // Damage that no one could get past would test little.
  assert.ok(accepted > 5000, `${accepted} accepted`);
});

/** A stretch of the message with some bytes changed, taken out, doubled or swapped for lengths. */
function damaged(source: Buffer, below: (n: number) => number): Buffer {
  const end = source.length > 600 && below(5) > 1 ? 200 + below(400) : source.length;
  let bytes = Buffer.from(source.subarray(0, end));
  for (let changes = 1 + below(4); changes > 0 && bytes.length > 5; changes--) {
    const at = 4 + below(bytes.length - 4);
    const kind = below(6);
    if (kind <= 2) bytes[at] = below(256);
    else if (kind === 3) bytes[at] = [0, 1, 0x7f, 0x80, 0xff][below(5)] ?? 0;
    else if (kind === 4) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1)]);
    else
      bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at - below(4), bytes.length)]);
  }
  return bytes;
}

test('messages of nothing but empty items are bounded by their bytes', () => {
  const sparse = 40_000;
  for (const { name, type, apiVersion, kind } of kinds) {
    for (const field of type.fields) {
      if (field.type.kind !== 'list' || field.protobuf === 0 || field.protobuf > 15) continue;
      const message = Buffer.alloc(sparse);
      for (let at = 0; at < sparse; at += 2) message[at] = field.protobuf * 8 + 2;
      const bytes = encodeProtobufEnvelope({ apiVersion, kind }, message);
      try {
        assertSmall(asJson(decodeProtobuf(bytes).object), bytes);
      } catch (error) {
        const { message: text } = error as Error;
        assert.equal(text, 'exceeded max number of messages', `${name} ${field.name}`);
      }
    }
  }
});

/** No more objects than bytes, save for a constant. */
function assertSmall(value: JsonValue, bytes: Uint8Array): void {
  let left = 2000 + bytes.length;
  const count = (of: JsonValue | undefined): void => {
    if (typeof of !== 'object' || of === null) return;
    assert.ok(left-- > 0, `too much comes of ${bytes.length} bytes`);
    for (const item of Array.isArray(of) ? of : Object.values(of)) count(item);
  };
  count(value);
}

/** Names the place where long texts part. */
function assertSame(actual: string, expected: string, name: string): void {
  if (actual === expected) return;
  let at = 0;
  while (actual[at] === expected[at]) at++;
  const around = (text: string) => text.slice(Math.max(0, at - 80), at + 40);
  assert.equal(around(actual), around(expected), name);
}
