import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { JsonValue } from '../json.ts';
import { decodeCbor, encodeCbor } from './cbor.ts';
import { DecodeError } from './decode-error.ts';

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');

// The examples of RFC 8949, appendix A, that JSON can hold, and the forms of Kubernetes.
const decoded: readonly (readonly [hex: string, value: JsonValue])[] = [
  ['00', 0],
  ['17', 23],
  ['18 18', 24],
  ['19 03e8', 1000],
  ['1a 000f4240', 1_000_000],
  ['1b 000000e8d4a51000', 1_000_000_000_000],
  ['1b 7fffffffffffffff', 9_223_372_036_854_775_807n],
  ['20', -1],
  ['39 03e7', -1000],
  ['3b 7fffffffffffffff', -9_223_372_036_854_775_808n],
  ['f9 3e00', 1.5],
  ['f9 c400', -4],
  ['f9 0001', 5.960464477539063e-8],
  ['fa 47c35000', 100_000],
  ['fb 3ff199999999999a', 1.1],
  ['f4', false],
  ['f5', true],
  ['f6', null],
  ['60', ''],
  ['64 49455446', 'IETF'],
  ['44 49455446', 'IETF'],
  ['62 c3bc', 'ü'],
  ['80', []],
  ['83 01 02 03', [1, 2, 3]],
  ['a2 61 61 01 41 62 82 02 03', { a: 1, b: [2, 3] }],
  ['9f 01 82 02 03 ff', [1, [2, 3]]],
  ['bf 61 61 01 ff', { a: 1 }],
  ['5f 42 4945 42 5446 ff', 'IETF'],
  ['d9d9f7 a0', {}],
  ['d6 43 010203', 'AQID'],
  ['d5 43 fbffff', '-___'],
  ['d7 43 010aff', '010aff'],
  ['c0 74 323031332d30332d32315432303a30343a30305a', '2013-03-21T20:04:00Z'],
  ['c1 1a 514b67b0', '2013-03-21T20:04:00Z'],
];

test('the forms that are read', () => {
  for (const [bytes, value] of decoded) assert.deepEqual(decodeCbor(hex(bytes)), value, bytes);
});

const refused: readonly (readonly [hex: string, why: RegExp])[] = [
  ['', /EOF/],
  ['18', /EOF/],
  ['82 01', /EOF/],
  ['5b ffffffffffffffff', /EOF/],
  ['9b ffffffffffffffff', /EOF/],
  ['bb ffffffffffffffff 00', /EOF|strings/],
  ['1c', /additional information 28/],
  ['1f', /additional information 31/],
  ['ff', /simple value 31/],
  ['f7', /simple value 23/],
  ['f8 20', /simple value 24/],
  ['f9 7e00', /NaN/],
  ['fa 7f800000', /infinity/],
  ['1b 8000000000000000', /int64/],
  ['3b 8000000000000000', /int64/],
  ['c2 41 01', /64 bits/],
  ['d6 61 61', /byte string/],
  ['a1 01 02', /keys must be strings/],
  ['a2 61 61 01 41 61 02', /duplicate map key "a"/],
  ['61 ff', /UTF-8/],
  ['5f 61 61 ff', /wrong element/],
  ['01 02', /1 bytes of extraneous data starting at index 1/],
  ['81'.repeat(100) + '01', /nested/],
  ['c6'.repeat(100) + '01', /nested/],
];

test('the forms that are not', () => {
  for (const [bytes, message] of refused) {
    assert.throws(
      () => decodeCbor(hex(bytes)),
      (error) => error instanceof DecodeError && message.test(error.message),
      bytes.slice(0, 40),
    );
  }
});

test('what is written is shortest, self-described, and has strings as bytes', () => {
  assert.equal(
    Buffer.from(encodeCbor({ a: ['b', 24, -1, 1.5, 1.1, true, null], c: undefined })).toString(
      'hex',
    ),
    'd9d9f7a14161874162181820fa3fc00000fb3ff199999999999af5f6',
  );
});

test('every JSON value comes back', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = JSON.stringify(value);
      const json = JSON.parse(text) as JsonValue;
      assert.equal(JSON.stringify(decodeCbor(encodeCbor(json))), JSON.stringify(json));
    }),
  );
  const integers = [2n ** 63n - 1n, -(2n ** 63n), 2n ** 53n];
  assert.deepEqual(decodeCbor(encodeCbor(integers)), integers);
  const odd = JSON.parse('{"__proto__":{"x":1},"constructor":2}') as JsonValue;
  assert.equal(JSON.stringify(decodeCbor(encodeCbor(odd))), JSON.stringify(odd));
});

test('damaged documents throw nothing but DecodeError', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.array(fc.tuple(fc.nat(), fc.nat(255))), (value, changes) => {
      const bytes = Buffer.from(encodeCbor(value));
      for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
      try {
        decodeCbor(bytes);
      } catch (error) {
        assert.ok(error instanceof DecodeError, String(error));
      }
    }),
    { numRuns: 5000 },
  );
});
