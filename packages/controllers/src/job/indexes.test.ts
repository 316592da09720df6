import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  countCommon,
  countIndexes,
  firstMissing,
  formatIndexes,
  hasIndex,
  parseIndexes,
  unionOf,
  withIndexes,
} from './indexes.ts';

test('texts of indexes', () => {
  const rows: [text: string | undefined, completions: number, expected: string][] = [
    [undefined, 10, ''],
    ['1,3-5,7', 10, '1,3-5,7'],
    ['0,1', 10, '0,1'],
    ['0,1,2', 10, '0-2'],
    ['3,1', 10, '1,3'],
    ['2-4,3-6', 10, '2-6'],
    ['7-12', 10, '7-9'],
    ['10', 10, ''],
    ['5-3,x,-1,1-', 10, ''],
  ];
  for (const [text, completions, expected] of rows)
    assert.equal(formatIndexes(parseIndexes(text, completions)), expected, text);
});

test('they behave as sets', () => {
  const index = fc.integer({ min: 0, max: 40 });
  fc.assert(
    fc.property(fc.array(index), fc.array(index), index, (a, b, count) => {
      const [setA, setB] = [new Set(a), new Set(b)];
      const [indexesA, indexesB] = [withIndexes([], a), withIndexes([], b)];
      const all = setA.union(setB);
      assert.equal(countIndexes(indexesA), setA.size);
      assert.deepEqual(unionOf(indexesA, indexesB), withIndexes([], all));
      assert.equal(countCommon(indexesA, indexesB), setA.intersection(setB).size);
      assert.deepEqual(parseIndexes(formatIndexes(indexesA), 41), indexesA);
      const missing = Array.from({ length: 41 }, (_, i) => i).filter((i) => !setA.has(i));
      assert.deepEqual(firstMissing(indexesA, count, 41), missing.slice(0, count));
      for (let i = 0; i <= 41; i++) assert.equal(hasIndex(indexesA, i), setA.has(i));
    }),
    { seed: 1, numRuns: 300 },
  );
});
