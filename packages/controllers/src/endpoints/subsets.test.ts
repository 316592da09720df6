import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EndpointAddress, EndpointSubset } from '@keelson/apimachinery/types/core.v1';
import { truncateSubsets } from './subsets.ts';

const addresses = (count: number): EndpointAddress[] =>
  Array.from({ length: count }, (_, n) => ({ ip: `10.0.${n >> 8}.${n & 255}` }));
const subset = ([ready, unready]: readonly [number, number]): EndpointSubset => ({
  ...(ready > 0 && { addresses: addresses(ready) }),
  ...(unready > 0 && { notReadyAddresses: addresses(unready) }),
});

test('a thousand addresses, ready ones first, each subset its share', () => {
  const rows: [given: [number, number][], kept: [number, number][], isTruncated: boolean][] = [
    [[[1_000, 0]], [[1_000, 0]], false],
    [[[400, 600]], [[400, 600]], false],
    [[[1_001, 0]], [[1_000, 0]], true],
    [[[1_001, 5]], [[1_000, 0]], true],
    [[[400, 700]], [[400, 600]], true],
    [[[1_000, 1]], [[1_000, 0]], true],
    [
      [
        [500, 0],
        [1_500, 3],
      ],
      [
        [250, 0],
        [750, 0],
      ],
      true,
    ],
    [
      [
        [100, 1_000],
        [100, 3_000],
      ],
      [
        [100, 200],
        [100, 600],
      ],
      true,
    ],
  ];
  for (const [given, kept, isTruncated] of rows) {
    const result = truncateSubsets(given.map(subset));
    assert.equal(result.isTruncated, isTruncated, JSON.stringify(given));
    assert.deepEqual(
      result.subsets.map((s) => [s.addresses?.length ?? 0, s.notReadyAddresses?.length ?? 0]),
      kept,
    );
  }
});
