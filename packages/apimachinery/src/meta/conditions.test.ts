import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  findCondition,
  isConditionTrue,
  transitionTime,
  withCondition,
  withConditionLast,
} from './conditions.ts';

const ready = { type: 'Ready', status: 'True', lastTransitionTime: '2026-01-01T00:00:00Z' };
const stalled = { type: 'Stalled', status: 'False', lastTransitionTime: '2026-01-02T00:00:00Z' };
const now = '2026-02-01T00:00:00Z';

test('a condition is found by its type', () => {
  assert.equal(findCondition([stalled, ready], 'Ready'), ready);
  assert.equal(findCondition([stalled], 'Ready'), undefined);
  assert.equal(findCondition(undefined, 'Ready'), undefined);
});

test('only the status True of this type is true', () => {
  assert.equal(isConditionTrue([stalled, ready], 'Ready'), true);
  assert.equal(isConditionTrue([{ type: 'Ready', status: 'False' }, ready], 'Ready'), true);
  assert.equal(isConditionTrue([stalled, ready], 'Stalled'), false);
  assert.equal(isConditionTrue([{ type: 'Ready', status: 'Unknown' }], 'Ready'), false);
  assert.equal(isConditionTrue([ready], 'Other'), false);
  assert.equal(isConditionTrue(undefined, 'Ready'), false);
});

const times: readonly [why: string, before: typeof ready | undefined, time: string][] = [
  ['the status stays', ready, ready.lastTransitionTime],
  ['the status changes', { ...ready, status: 'False' }, now],
  ['there was none', undefined, now],
  ['there was no time', { ...ready, lastTransitionTime: '' }, now],
];
for (const [why, before, time] of times)
  test(`the transition is at ${time} when ${why}`, () => {
    assert.equal(transitionTime(before, 'True', now), time);
  });

test('a condition takes the place of its type, or the last', () => {
  const changed = { ...ready, status: 'False' };
  assert.deepEqual(withCondition([ready, stalled], changed), [changed, stalled]);
  assert.deepEqual(withCondition([stalled], changed), [stalled, changed]);
  assert.deepEqual(withConditionLast([ready, stalled], changed), [stalled, changed]);
  assert.deepEqual(withConditionLast([], changed), [changed]);
});

test('lists that are given stay as they are', () => {
  const given = Object.freeze([ready, stalled]);
  withCondition(given, { ...ready, status: 'False' });
  withConditionLast(given, { ...ready, status: 'False' });
  assert.deepEqual(given, [ready, stalled]);
});
