import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import fc from 'fast-check';

import type { JsonObject, JsonValue } from '../json.ts';
import { applyJsonPatch } from './json-patch.ts';
import { PatchError, patchErrorStatus } from './patch-error.ts';

const doc: JsonObject = { a: '1', list: ['x', 'y'], deep: { 'k/1': { '~': 1 } }, none: null };

describe('applyJsonPatch', () => {
  const rows: [name: string, operations: JsonObject[], changes: JsonObject][] = [
    ['adds a member', [{ op: 'add', path: '/b', value: 2 }], { b: 2 }],
    ['adds over a member', [{ op: 'add', path: '/a', value: 2 }], { a: 2 }],
    ['adds null without a value', [{ op: 'add', path: '/b' }], { b: null }],
    ['inserts', [{ op: 'add', path: '/list/1', value: 'z' }], { list: ['x', 'z', 'y'] }],
    ['appends', [{ op: 'add', path: '/list/-', value: 'z' }], { list: ['x', 'y', 'z'] }],
    [
      'inserts from the end',
      [{ op: 'add', path: '/list/-1', value: 'z' }],
      { list: ['x', 'y', 'z'] },
    ],
    [
      'unescapes',
      [{ op: 'replace', path: '/deep/k~11/~0', value: 2 }],
      { deep: { 'k/1': { '~': 2 } } },
    ],
    ['ignores what stands before the slash', [{ op: 'add', path: 'data/b', value: 1 }], { b: 1 }],
    ['replaces a missing member', [{ op: 'replace', path: '/b', value: 1 }], { b: 1 }],
    ['removes from the end', [{ op: 'remove', path: '/list/-1' }], { list: ['x'] }],
    [
      'moves',
      [
        { op: 'move', from: '/a', path: '/b' },
        { op: 'add', path: '/a', value: 0 },
      ],
      { a: 0, b: '1' },
    ],
    ['copies', [{ op: 'copy', from: '/list', path: '/b' }], { b: ['x', 'y'] }],
    ['copies a missing member as null', [{ op: 'copy', from: '/zz', path: '/b' }], { b: null }],
    ['tests', [{ op: 'test', path: '/list', value: ['x', 'y'] }], {}],
    [
      'tests objects in any order',
      [
        { op: 'add', path: '/o', value: { p: 1, q: 2 } },
        { op: 'test', path: '/o', value: { q: 2, p: 1 } },
      ],
      { o: { p: 1, q: 2 } },
    ],
    ['tests a missing member as null', [{ op: 'test', path: '/zz', value: null }], {}],
  ];
  for (const [name, operations, changes] of rows) {
    it(name, () => assert.deepEqual(applyJsonPatch(doc, operations), { ...doc, ...changes }));
  }

  it('replaces the document', () => {
    assert.deepEqual(applyJsonPatch(doc, [{ op: 'replace', path: '', value: { b: 1 } }]), { b: 1 });
  });
  it('keeps copies apart from their source', () => {
    const operations = [
      { op: 'add', path: '/list/0', value: 'w' },
      { op: 'copy', from: '/list', path: '/b' },
      { op: 'add', path: '/b/0', value: 'v' },
    ];
    const patched = applyJsonPatch(doc, operations) as JsonObject;
    assert.deepEqual(
      [patched['list'], patched['b']],
      [
        ['w', 'x', 'y'],
        ['v', 'w', 'x', 'y'],
      ],
    );
  });
  it('takes null for no operations', () => assert.deepEqual(applyJsonPatch(doc, null), doc));
  it('sorts the objects on the way to a change', () => {
    const patched = applyJsonPatch({ b: { d: 1, c: 2 }, a: { d: 1, c: 2 } }, [
      { op: 'add', path: '/b/a', value: 3 },
    ]);
    assert.equal(JSON.stringify(patched), '{"a":{"d":1,"c":2},"b":{"a":3,"c":2,"d":1}}');
  });

  const refused: [operation: JsonValue, message: string][] = [
    [{ op: 'frob', path: '/a' }, 'Unexpected kind: frob'],
    [{ path: '/a' }, 'Unexpected kind: unknown'],
    [{ op: 'add', value: 1 }, 'add operation failed to decode path: missing value'],
    [
      { op: 'add', path: '', value: 1 },
      'add operation does not apply: doc is missing path: "": missing value',
    ],
    [
      { op: 'add', path: '/no/b', value: 1 },
      'add operation does not apply: doc is missing path: "/no/b": missing value',
    ],
    [
      { op: 'add', path: '/none/b', value: 1 },
      'add operation does not apply: doc is missing path: "/none/b": missing value',
    ],
    [
      { op: 'add', path: '/a/b', value: 1 },
      'add operation does not apply: doc is missing path: "/a/b": missing value',
    ],
    [
      { op: 'add', path: '/list/9', value: 1 },
      "error in add for path: '/list/9': Unable to access invalid index: 9: invalid index referenced",
    ],
    [
      { op: 'add', path: '/list/x', value: 1 },
      "error in add for path: '/list/x': value was not a proper array index: 'x': strconv.Atoi: parsing \"x\": invalid syntax",
    ],
    [
      { op: 'remove', path: '/zz' },
      "error in remove for path: '/zz': Unable to remove nonexistent key: zz: missing value",
    ],
    [
      { op: 'remove', path: '/list/-3' },
      "error in remove for path: '/list/-3': Unable to access invalid index: -3: invalid index referenced",
    ],
    [
      { op: 'remove', path: '' },
      'remove operation does not apply: doc is missing path: "": missing value',
    ],
    [
      { op: 'replace', path: '/no/x', value: 1 },
      'replace operation does not apply: doc is missing path: /no/x: missing value',
    ],
    [
      { op: 'replace', path: '/list/9', value: 1 },
      'replace operation does not apply: doc is missing key: /list/9: missing value',
    ],
    [{ op: 'replace', path: '', value: 1 }, 'replace operation value must be object or array'],
    [
      { op: 'replace', value: 1 },
      'replace operation failed to decode path: operation missing path field: missing value',
    ],
    [
      { op: 'replace', path: 5, value: 1 },
      'replace operation failed to decode path: json: cannot unmarshal number into Go value of type string',
    ],
    [
      { op: 'move', path: '/b' },
      'move operation failed to decode from: operation, missing from field: missing value',
    ],
    [
      { op: 'move', from: '/zz', path: '/b' },
      "error in move for path: 'zz': Unable to remove nonexistent key: zz: missing value",
    ],
    [
      { op: 'move', from: '/a', path: '/no/b' },
      'move operation does not apply: doc is missing destination path: /no/b: missing value',
    ],
    [
      { op: 'copy', from: '/no/a', path: '/b' },
      'copy operation does not apply: doc is missing from path: /no/a: missing value',
    ],
    [
      { op: 'copy', from: '/list/9', path: '/b' },
      "error in copy for from: '/list/9': Unable to access invalid index: 9: invalid index referenced",
    ],
    [{ op: 'test', path: '/a', value: '2' }, 'testing value /a failed: test failed'],
    [{ op: 'test', path: '/a' }, 'testing value /a failed: test failed'],
    [
      { op: 'test', path: '/no/a', value: 1 },
      'test operation does not apply: is missing path: /no/a: missing value',
    ],
    [{ op: 'test', path: '', value: {} }, 'testing value  failed: test failed'],
    [
      { op: 'add', path: '/toString/x', value: 1 },
      'add operation does not apply: doc is missing path: "/toString/x": missing value',
    ],
  ];
  for (const [operation, message] of refused) {
    it(`refuses ${JSON.stringify(operation)}`, () => {
      assert.throws(
        () => applyJsonPatch(doc, [operation]),
        new PatchError('unprocessable', message),
      );
    });
  }

  it('refuses what is not a list of operations', () => {
    const want = (message: string) => new PatchError('bad-request', message);
    assert.throws(
      () => applyJsonPatch(doc, {}),
      want('json: cannot unmarshal object into Go value of type jsonpatch.Patch'),
    );
    assert.throws(
      () => applyJsonPatch(doc, ['x']),
      want('json: cannot unmarshal string into Go value of type jsonpatch.Operation'),
    );
  });
  it('bounds the number of operations', () => {
    const operations = Array.from({ length: 10_001 }, () => ({ op: 'test', path: '/zz' }));
    assert.throws(
      () => applyJsonPatch(doc, operations),
      new PatchError(
        'too-large',
        'The allowed maximum operations in a JSON patch is 10000, got 10001',
      ),
    );
    assert.doesNotThrow(() => applyJsonPatch(doc, operations.slice(1)));
  });
  it('bounds what copies add', () => {
    const doubling = Array.from({ length: 40 }, (_, i) => ({
      op: 'copy',
      from: '/x',
      path: `/x/${i}`,
    }));
    assert.throws(() => applyJsonPatch({ x: { y: 'z' } }, doubling), /accumulated size increase/);
  });

  it('answers with the status of its kind', () => {
    const unprocessable = patchErrorStatus(new PatchError('unprocessable', 'why'));
    assert.equal(unprocessable.code, 422);
    assert.doesNotMatch(unprocessable.message, /why/);
    assert.equal(patchErrorStatus(new PatchError('bad-request', 'why')).code, 400);
    assert.equal(patchErrorStatus(new PatchError('too-large', 'why')).code, 413);
    const internal = patchErrorStatus(new PatchError('internal', 'why'));
    assert.deepEqual([internal.code, internal.reason, internal.message], [500, '', 'why']);
  });

  it('never changes its inputs, nor a prototype', () => {
    const key = fc.constantFrom(
      'a',
      'list',
      '__proto__',
      'constructor',
      'prototype',
      '0',
      '-',
      '-1',
    );
    const path = fc.array(key, { maxLength: 4 }).map((keys) => keys.map((k) => `/${k}`).join(''));
    const operation = fc.record({
      op: fc.constantFrom('add', 'remove', 'replace', 'move', 'copy', 'test'),
      path,
      from: path,
      value: fc.constantFrom<JsonValue>(1, { polluted: true }, [], null),
    });
    const before = JSON.stringify(doc);
    deepFreeze(doc);
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 6 }), (operations) => {
        try {
          deepFreeze(applyJsonPatch(doc, operations));
        } catch (e) {
          assert.ok(e instanceof PatchError, String(e));
        }
        assert.equal(Reflect.get({}, 'polluted'), undefined);
        assert.equal(JSON.stringify(doc), before);
      }),
      { numRuns: 500 },
    );
  });
});

function deepFreeze(value: JsonValue | undefined): void {
  if (typeof value !== 'object' || value === null) return;
  Object.freeze(value);
  for (const member of Object.values(value)) deepFreeze(member);
}
