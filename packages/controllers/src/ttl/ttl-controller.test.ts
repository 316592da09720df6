import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nextTtlStep, ttlSecondsOf } from './ttl-controller.ts';

test('larger clusters ask less often, and not to and fro', () => {
  const rows: [sizes: number[], seconds: number[]][] = [
    [
      [1, 100, 101, 500, 501],
      [0, 0, 15, 15, 30],
    ],
    [
      [101, 95, 90, 89],
      [15, 15, 15, 0],
    ],
    [
      [5_000, 1_800, 1_799, 0],
      [300, 300, 60, 0],
    ],
    [
      [10_001, 9_000, 8_999],
      [600, 600, 300],
    ],
  ];
  for (const [sizes, seconds] of rows) {
    let step = 0;
    const actual = sizes.map((size) => ttlSecondsOf((step = nextTtlStep(step, size))));
    assert.deepEqual(actual, seconds);
  }
});
