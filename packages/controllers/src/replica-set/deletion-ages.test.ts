import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pod } from '@keelson/apimachinery/types/core.v1';
import { ageRatios } from './deletion-ages.ts';

const now = Date.parse('2026-01-01T01:00:00Z');
const pod = (ageSeconds: number, isReady = true): Pod => ({
  metadata: { creationTimestamp: new Date(now - ageSeconds * 1_000).toISOString() },
  spec: { containers: [] },
  status: { conditions: [{ type: 'Ready', status: isReady ? 'True' : 'False' }] },
});

const rows: readonly [what: string, ranked: readonly Pod[], count: number, ratios: number[]][] = [
  ['nothing goes', [pod(10)], 0, []],
  ['all go', [pod(10), pod(20)], 2, []],
  ['the youngest', [pod(10), pod(20)], 1, [1]],
  ['older ones', [pod(25), pod(40), pod(10)], 2, [2, 4]],
  ['one that is not ready', [pod(5, false), pod(10)], 1, []],
  ['the youngest ready one counts', [pod(30), pod(5, false), pod(10)], 1, [3]],
  ['none is ready', [pod(30, false), pod(5, false)], 1, []],
  ['one came just now', [pod(30), pod(0)], 1, []],
];
for (const [what, ranked, count, ratios] of rows)
  test(what, () =>
    assert.deepEqual(ageRatios({ ranked, going: ranked.slice(0, count), now }), ratios),
  );
