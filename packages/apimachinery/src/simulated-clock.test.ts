import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sleep } from './clock.ts';
import { createSimulatedClock } from './simulated-clock.ts';

test('timers run in the order of their time, and those that they set come due in the same step', async () => {
  const clock = createSimulatedClock(1_000);
  const log: string[] = [];
  const note = (text: string) => log.push(`${text}@${clock.now()}`);
  clock.after(30, () => note('late'));
  clock.after(10, () => {
    note('early');
    clock.after(5, () => note('nested'));
  });
  clock.after(20, () => note('never'))();
  await clock.advance(9);
  assert.deepEqual(log, []);
  await clock.advance(21);
  assert.deepEqual(log, ['early@1010', 'nested@1015', 'late@1030']);
  assert.equal(clock.pending, 0);
});

test('what waits between timers is waited for', async () => {
  const clock = createSimulatedClock();
  let rounds = 0;
  const worker = (async () => {
    for (; rounds < 3; rounds++) await sleep(clock, 1_000);
  })();
  await clock.advance(2_999);
  assert.equal(rounds, 2);
  await clock.advance(1);
  await worker;
});
