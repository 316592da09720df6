import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { equalJson } from './equal-json.ts';

const rows: [unknown, unknown, boolean][] = [
  [{ a: 1, b: 2 }, { b: 2, a: 1 }, true],
  [{ a: 1, b: undefined }, { a: 1 }, true],
  [{ a: 1 }, { a: 1, b: undefined }, true],
  [{ a: undefined }, { b: 1 }, false],
  [{ a: undefined }, { b: undefined }, true],
  [{ a: null }, {}, false],
  [{ a: 1 }, { a: '1' }, false],
  [{ a: 1n }, { a: 1 }, true],
  [{ a: 9007199254740993n }, { a: 9007199254740992n }, false],
  [{ a: 1n }, { a: '1' }, false],
  [[1, 2], [1, 2], true],
  [[1, 2], [2, 1], false],
  [[1], [1, 2], false],
  [[], {}, false],
  [{ a: [{ b: 'c' }] }, { a: [{ b: 'c' }] }, true],
  [{ a: [{ b: 'c' }] }, { a: [{ b: 'd' }] }, false],
  [{ toString: 1 }, {}, false],
  [{}, { toString: 1 }, false],
  [null, {}, false],
  [null, null, true],
];

describe('equalJson', () => {
  for (const [a, b, expected] of rows) {
    const show = (v: unknown) => JSON.stringify(v, (_, x) => (typeof x === 'bigint' ? `${x}n` : x));
    it(`${show(a)} and ${show(b)}: ${expected}`, () => {
      assert.equal(equalJson(a, b), expected);
      assert.equal(equalJson(b, a), expected);
    });
  }
});
