import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countIndexes, firstCommonIndex } from './index-intervals.ts';

const counts: readonly (readonly [text: string, expected: number | string])[] = [
  ['', 0],
  ['0', 1],
  ['0,2-4,9', 5],
  ['10', 'too large index: "10"'],
  ['2-10', 'too large index: "10"'],
  ['3-3', 'non-increasing order, previous: 3, current: 3'],
  ['3,2', 'non-increasing order, previous: 3, current: 2'],
  ['0-2,2', 'non-increasing order, previous: 2, current: 2'],
  ['a', 'cannot convert string to integer for index: "a"'],
  ['1,', 'cannot convert string to integer for index: ""'],
  [
    '1-2-3',
    'the fragment "1-2-3" violates the requirement that an index interval can have at most two parts separated by \'-\'',
  ],
];

for (const [text, expected] of counts) {
  test(`indexes ${JSON.stringify(text)} of ten`, () => {
    const actual = countIndexes(text, 10);
    assert.equal(actual instanceof Error ? actual.message : actual, expected);
  });
}

test('indexes that two texts share', () => {
  assert.equal(firstCommonIndex(['0-3,7', '4-6'], 10), undefined);
  assert.equal(firstCommonIndex(['0-3,7', '5,6-8'], 10), 7);
  assert.equal(firstCommonIndex(['1-5', '0,3-4'], 10), 3);
  assert.equal(firstCommonIndex(['', '0'], 10), undefined);
  assert.equal(firstCommonIndex(['x,2', '2'], 10), 2);
});
