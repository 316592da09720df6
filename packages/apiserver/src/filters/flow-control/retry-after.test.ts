import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRetryAfter } from './retry-after.ts';

test('few refusals: one second', () => {
  const retryAfter = createRetryAfter();
  for (let s = 0; s < 100; s++) {
    retryAfter.noteRefusal(s * 1000);
    assert.equal(retryAfter.seconds(), 1);
  }
});

test('many refusals double it up to 32, and it comes down one by one', () => {
  const retryAfter = createRetryAfter();
  const seen = new Set<number>();
  let second = 0;
  for (; second < 120; second++) {
    for (let i = 0; i < 200; i++) retryAfter.noteRefusal(second * 1000 + i);
    seen.add(retryAfter.seconds());
  }
  assert.deepEqual([...seen], [1, 2, 4, 8, 16, 32]);
  second += 60;
  for (let expected = 31; expected >= 28; expected--) {
    retryAfter.noteRefusal(second * 1000);
    assert.equal(retryAfter.seconds(), expected);
    second += 60;
  }
});
