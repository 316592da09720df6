import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from './clock.ts';

const dayMs = 86_400_000;

test('a time that is months away comes once, and not before', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  // The mocked timers start from the end of a tick, so these are small.
  const pass = (days: number) => {
    for (let hour = 0; hour < days * 24; hour++) t.mock.timers.tick(dayMs / 24);
  };
  let calls = 0;
  systemClock.after(90 * dayMs, () => calls++);
  const cancel = systemClock.after(60 * dayMs, () => assert.fail('it was cancelled'));
  pass(40);
  cancel();
  pass(49);
  assert.equal(calls, 0);
  pass(2);
  assert.equal(calls, 1);
  pass(100);
  assert.equal(calls, 1);
});
