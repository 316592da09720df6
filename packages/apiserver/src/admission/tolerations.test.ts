import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Toleration } from '@keelson/apimachinery/types/core.v1';
import { areTolerationsAllowed, covers, mergeTolerations } from './tolerations.ts';

const everything: Toleration = { operator: 'Exists' };
const gpu: Toleration = { key: 'gpu', operator: 'Exists', effect: 'NoSchedule' };
const notReady = (tolerationSeconds?: number): Toleration => ({
  key: 'not-ready',
  operator: 'Exists',
  effect: 'NoExecute',
  ...(tolerationSeconds === undefined ? {} : { tolerationSeconds }),
});

test('a toleration covers another', () => {
  const rows: [wide: Toleration, narrow: Toleration, expected: boolean][] = [
    [gpu, gpu, true],
    [everything, gpu, true],
    [gpu, everything, false],
    [{ key: 'gpu', operator: 'Exists' }, gpu, true],
    [gpu, { key: 'gpu', operator: 'Exists' }, false],
    [gpu, { ...gpu, key: 'tpu' }, false],
    [gpu, { key: 'gpu', operator: 'Equal', value: 'a', effect: 'NoSchedule' }, true],
    [{ key: 'gpu', value: 'a' }, { key: 'gpu', value: 'b' }, false],
    [{ key: 'gpu', value: 'a' }, { key: 'gpu', value: 'a', effect: 'NoSchedule' }, true],
    [{ key: 'gpu', operator: 'Equal', value: 'a' }, { key: 'gpu', value: 'a' }, false],
    [notReady(300), notReady(300), true],
    [notReady(300), notReady(299), true],
    [notReady(300), notReady(301), false],
    [notReady(300), notReady(), false],
    [notReady(), notReady(300), true],
    [{ key: 'x', operator: 'Gt', value: '5' }, { key: 'x', operator: 'Gt', value: '6' }, false],
  ];
  for (const [wide, narrow, expected] of rows)
    assert.equal(covers(wide, narrow), expected, JSON.stringify([wide, narrow]));
});

test('merging keeps the order and drops what is covered', () => {
  const rows: [first: Toleration[], second: Toleration[], merged: Toleration[]][] = [
    [[], [], []],
    [[gpu], [], [gpu]],
    [[gpu], [notReady()], [gpu, notReady()]],
    [[gpu], [gpu], [gpu]],
    [[everything], [gpu], [everything]],
    [[gpu], [everything], [everything]],
    [[notReady(10)], [notReady(20)], [notReady(20)]],
  ];
  for (const [first, second, merged] of rows)
    assert.deepEqual(mergeTolerations(first, second), merged);
});

test('an empty list allows everything, any other only what it covers', () => {
  assert.ok(areTolerationsAllowed([gpu], []));
  assert.ok(areTolerationsAllowed([], [gpu]));
  assert.ok(areTolerationsAllowed([gpu, notReady(5)], [gpu, notReady(10)]));
  assert.ok(!areTolerationsAllowed([gpu, notReady(11)], [gpu, notReady(10)]));
});
