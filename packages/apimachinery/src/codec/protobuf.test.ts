import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import type { JsonObject } from '../json.ts';
import type { KubeObject } from '../meta/object.ts';
import { builtinType, typeForKind } from '../schema/builtin.ts';
import type { StructType } from '../schema/types.ts';
import { DecodeError } from './decode-error.ts';
import { decodeObject } from './decode-object.ts';
import { encodeJsonText } from './encode-json.ts';
import { keptDepthMax } from './json-reader.ts';
import {
  decodeProtobuf,
  decodeProtobufMessage,
  encodeProtobuf,
  encodeProtobufEnvelope,
  encodeProtobufList,
  encodeProtobufMessage,
  encodeProtobufWatchEvent,
  readProtobufEnvelope,
} from './protobuf.ts';

interface GoldenPair {
  readonly name: string;
  readonly group: string;
  readonly json: KubeObject;
  readonly protobuf: string;
}

const pairs = JSON.parse(
  readFileSync(new URL('testdata/protobuf-pairs.json', import.meta.url), 'utf8'),
) as readonly GoldenPair[];

function typeOf({ group, json }: GoldenPair): StructType {
  const type = typeForKind({ group, version: 'v1', kind: json.kind ?? '' });
  assert.ok(type);
  return type;
}
const podType = typeForKind({ group: '', version: 'v1', kind: 'Pod' });
assert.ok(podType);
const pod: StructType = podType;

test('golden pairs are encoded and decoded exactly', () => {
  for (const pair of pairs) {
    const type = typeOf(pair);
    const bytes = Buffer.from(pair.protobuf, 'base64');
    assert.equal(
      Buffer.from(encodeProtobuf(pair.json, type)).toString('base64'),
      pair.protobuf,
      pair.name,
    );
    const { gvk, object } = decodeProtobuf(bytes);
    assert.equal(encodeJsonText(object), encodeJsonText(pair.json), pair.name);
    assert.deepEqual(gvk, { group: pair.group, version: 'v1', kind: pair.json.kind });
    const { object: fromJson } = decodeObject(encodeJsonText(pair.json), type);
    assert.equal(encodeJsonText(fromJson), encodeJsonText(pair.json), pair.name);
  }
});

test('the envelope names the kind, the message is inside', () => {
  const envelope = encodeProtobufEnvelope(
    { apiVersion: 'v1', kind: 'Pod' },
    Uint8Array.of(1, 2, 3),
  );
  assert.equal(
    Buffer.from(envelope).toString('latin1'),
    'k8s\0\n\t\n\x02v1\x12\x03Pod\x12\x03\x01\x02\x03\x1a\0"\0',
  );
  const read = readProtobufEnvelope(envelope);
  assert.deepEqual(
    { ...read, message: [...read.message] },
    { apiVersion: 'v1', kind: 'Pod', message: [1, 2, 3] },
  );
  assert.throws(() => readProtobufEnvelope(Buffer.from('zzzz')), {
    message:
      'provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]',
  });
  const unknown = encodeProtobufEnvelope({ apiVersion: 'a/v1', kind: 'B' }, new Uint8Array());
  assert.throws(() => decodeProtobuf(unknown), {
    message:
      'no kind "B" is registered for version "a/v1" in scheme "pkg/api/legacyscheme/scheme.go:30"',
  });
});

test('lists are made of the messages of their items', () => {
  const type = typeForKind({ group: '', version: 'v1', kind: 'PodList' });
  assert.ok(type);
  const items = ['a', 'b'].map(
    (name) => decodeObject(JSON.stringify({ metadata: { name } }), pod).object,
  );
  const metadata = { resourceVersion: '7', remainingItemCount: 0 };
  const meta = { apiVersion: 'v1', kind: 'PodList' };
  const long = { metadata: { name: 'c'.repeat(300) } } as unknown as KubeObject;
  for (const some of [[], items, [...items, long]]) {
    const list = { ...meta, metadata, items: some } as unknown as KubeObject;
    const parts = some.map((item) => encodeProtobufMessage(item, pod));
    const encoded = encodeProtobufList(meta, metadata, parts);
    const whole = Buffer.concat(Array.from(encoded.parts(), (part) => Buffer.from(part)));
    assert.deepEqual(whole, Buffer.from(encodeProtobuf(list, type)));
    assert.equal(encoded.size, whole.length);
  }
});

test('watch events hold the envelope of their object', () => {
  const type = builtinType('io.k8s.apimachinery.pkg.apis.meta.v1.WatchEvent');
  assert.ok(type);
  const object: KubeObject = { kind: 'Pod', apiVersion: 'v1', metadata: { name: 'a' } };
  const message = encodeProtobufWatchEvent('ADDED', encodeProtobuf(object, pod));
  const event = decodeProtobufMessage(message, type);
  assert.equal(event['type'], 'ADDED');
  assert.deepEqual(event['object'], {
    kind: 'Pod',
    apiVersion: 'v1',
    metadata: { name: 'a' },
    spec: { containers: null },
    status: {},
  });
});

test('fields may come in any order, in parts, packed or unknown', () => {
  const decode = (text: string): JsonObject =>
    decodeProtobufMessage(Buffer.from(text, 'latin1'), pod);
  // spec (2) before metadata (1), metadata in two parts, and a field 200 of bytes.
  const text = '\x12\x04\x52\x02\x6e\x64\x0a\x03\x0a\x01\x61\xc2\x0c\x02xy\x0a\x03\x1a\x01\x62';
  assert.deepEqual(decode(text), {
    metadata: { name: 'a', namespace: 'b' },
    spec: { containers: null, nodeName: 'nd' },
    status: {},
  });
  // supplementalGroups (4) of the security context (14), packed and one by one.
  for (const groups of ['\x22\x02\x01\x02', '\x20\x01\x20\x02']) {
    const spec = `\x72${String.fromCharCode(groups.length)}${groups}`;
    const { spec: decoded } = decode(`\x12${String.fromCharCode(spec.length)}${spec}`);
    assert.deepEqual((decoded as JsonObject)['securityContext'], { supplementalGroups: [1, 2] });
  }
});

const malformed: readonly (readonly [name: string, bytes: readonly number[]])[] = [
  ['ends in a header', [0x80]],
  ['ends in a length', [0x0a, 0xff]],
  ['length beyond the end', [0x0a, 0x05, 0x0a]],
  ['huge length', [0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]],
  ['varint too long', [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01]],
  ['field zero', [0x02, 0x00]],
  ['end of no group', [0x0c]],
  ['group without end', [0xc3, 0x0c, 0x08, 0x01]],
  ['illegal wire type', [0xc6, 0x0c]],
  ['wrong wire type', [0x08, 0x01]],
  ['wrong wire type inside', [0x0a, 0x02, 0x08, 0x01]],
];

test('malformed messages are refused', () => {
  for (const [name, bytes] of malformed) {
    assert.throws(() => decodeProtobufMessage(Uint8Array.from(bytes), pod), DecodeError, name);
  }
});

test('nesting is bounded', () => {
  const schema = builtinType(
    'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps',
  );
  assert.ok(schema);
  let message = new Uint8Array();
  const type: StructType = schema;
  const not = type.byName.get('not')?.protobuf ?? 0;
  for (let depth = 0; depth < keptDepthMax + 10; depth++) {
    const size: number[] = [];
    let rest = message.length;
    for (; rest >= 0x80; rest >>= 7) size.push((rest & 0x7f) | 0x80);
    message = Uint8Array.from([
      ((not * 8 + 2) & 0x7f) | 0x80,
      (not * 8 + 2) >> 7,
      ...size,
      rest,
      ...message,
    ]);
  }
  assert.throws(() => decodeProtobufMessage(message, type), { message: 'exceeded max depth' });
});

test('damaged messages throw nothing but DecodeError', () => {
  const sources = pairs.map(({ protobuf }) => Buffer.from(protobuf, 'base64'));
  fc.assert(
    fc.property(
      fc.constantFrom(...sources),
      fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), {
        minLength: 1,
        maxLength: 6,
      }),
      fc.nat(),
      (source, changes, cut) => {
        const bytes = Buffer.from(source);
        for (const [at, byte] of changes) bytes[4 + (at % (bytes.length - 4))] = byte;
        const piece = cut % 3 === 0 ? bytes.subarray(0, cut % bytes.length) : bytes;
        try {
          decodeProtobuf(piece);
        } catch (error) {
          assert.ok(error instanceof DecodeError, String(error));
        }
      },
    ),
    { numRuns: 2000 },
  );
});
