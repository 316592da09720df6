import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import fc from 'fast-check';

import { jsonEqual, type JsonObject, type JsonValue } from '../json.ts';
import { applyMergePatch } from './merge-patch.ts';
import { PatchError } from './patch-error.ts';

describe('applyMergePatch', () => {
  const rows: [doc: JsonObject, patch: JsonObject, want: JsonObject][] = [
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b' }, { a: null }, {}],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: { b: 'c' } }, { a: [1] }, { a: [1] }],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
    // Not as in the RFC: nulls go from objects in lists, but stay as items.
    [{ a: [{ b: 'c' }] }, { a: [{ b: null, c: 1 }, null] }, { a: [{ c: 1 }, null] }],
  ];
  for (const [doc, patch, want] of rows) {
    it(`${JSON.stringify(doc)} with ${JSON.stringify(patch)}`, () => {
      assert.deepEqual(applyMergePatch(doc, patch), want);
    });
  }

  const refused: [JsonValue, string][] = [
    [
      [],
      'error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}',
    ],
    [
      'x',
      'error decoding patch: json: cannot unmarshal string into Go value of type map[string]interface {}',
    ],
    [
      5,
      'error decoding patch: json: cannot unmarshal number into Go value of type map[string]interface {}',
    ],
    [
      true,
      'error decoding patch: json: cannot unmarshal bool into Go value of type map[string]interface {}',
    ],
    [null, 'Invalid JSON Patch'],
  ];
  for (const [patch, message] of refused) {
    it(`refuses ${JSON.stringify(patch)}`, () => {
      assert.throws(() => applyMergePatch({}, patch), new PatchError('bad-request', message));
    });
  }

  it('sorts the objects it touches and no others', () => {
    const merged = applyMergePatch(
      { kind: 'K', b: { d: 1, c: 1 }, a: { d: 1, c: 1 } },
      { a: { b: 1 } },
    );
    assert.equal(JSON.stringify(merged), '{"a":{"b":1,"c":1,"d":1},"b":{"d":1,"c":1},"kind":"K"}');
  });

  it('is idempotent, leaves its inputs alone and no prototype changed', () => {
    const key = fc.constantFrom('a', 'b', '__proto__', 'constructor');
    const { object } = fc.letrec<{ value: JsonValue; object: JsonObject }>((tie) => ({
      value: fc.oneof({ maxDepth: 3 }, fc.constantFrom<JsonValue>(null, 1, 'x', []), tie('object')),
      object: fc
        .array(fc.tuple(key, tie('value')), { maxLength: 3 })
        .map((entries) => Object.fromEntries(entries)),
    }));
    fc.assert(
      fc.property(object, object, (doc, patch) => {
        const before = JSON.stringify([doc, patch]);
        const once = applyMergePatch(doc, patch);
        assert.ok(jsonEqual(applyMergePatch(once, patch), once));
        assert.equal(JSON.stringify([doc, patch]), before);
        assert.equal(Object.getPrototypeOf(once), Object.prototype);
      }),
      { numRuns: 500 },
    );
  });
});
