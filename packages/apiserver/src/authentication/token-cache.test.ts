// What is remembered of a slow authenticator, and what is not.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createDecisionTrace, noDecisionTrace } from '@keelson/apimachinery';
import { createMetrics } from '../metrics.ts';
import { anonymousUser, type AuthenticationResult } from './authenticator.ts';
import { createStoppedClock } from './testing.ts';
import { createTokenCacheMetrics, withTokenCache } from './token-cache.ts';

const user = { ...anonymousUser, name: 'jane' };
const good: AuthenticationResult = {
  outcome: 'authenticated',
  user,
  annotations: { 'a.io/b': 'c' },
  warnings: ['w'],
};

function cached(answer: () => AuthenticationResult | Promise<AuthenticationResult>) {
  const clock = createStoppedClock(0);
  const asked: string[] = [];
  const delegate = {
    name: 'slow',
    authenticateToken: async (token: string, audiences: readonly string[]) => {
      asked.push(`${token} ${audiences.join('+')}`);
      return answer();
    },
  };
  const cache = withTokenCache(delegate, {
    clock,
    metrics: createTokenCacheMetrics(createMetrics()),
    successTtlMs: 1000,
    failureTtlMs: 500,
  });
  const ask = (token: string, ...audiences: string[]) =>
    cache.authenticateToken(token, audiences, noDecisionTrace);
  return { clock, asked, ask, cache };
}

test('questions that are not the same have answers of their own', async () => {
  const { asked, ask } = cached(() => good);
  const questions: string[][] = [
    ['t'],
    ['t', 'a'],
    ['t', 'a', 'b'],
    ['t', 'b', 'a'],
    ['t', 'ab'],
    ['ta'],
    [''],
  ];
  for (const [token = '', ...audiences] of [...questions, ...questions])
    await ask(token, ...audiences);
  assert.equal(asked.length, questions.length);
});

test('auth §2.9 (13): annotations and warnings come with every answer', async () => {
  const { asked, ask } = cached(() => good);
  assert.deepEqual(await ask('t'), good);
  assert.deepEqual(await ask('t'), good);
  assert.equal(asked.length, 1);
});

test('answers are forgotten in their time, refusals at once', async () => {
  const rows: [result: AuthenticationResult, atMs: number, calls: number][] = [
    [good, 999, 1],
    [good, 1000, 2],
    [{ outcome: 'no-credential' }, 499, 1],
    [{ outcome: 'no-credential' }, 500, 2],
    [{ outcome: 'rejected', reason: 'r' }, 0, 2],
  ];
  for (const [result, atMs, calls] of rows) {
    const { asked, ask, clock } = cached(() => result);
    await ask('t');
    clock.nowMs = atMs;
    await ask('t');
    assert.equal(asked.length, calls, `${result.outcome} after ${atMs} ms`);
  }
});

test('who asks meanwhile waits for the same answer, and a failure is everybody’s', async () => {
  let fail = true;
  const { asked, ask } = cached(async () => {
    await Promise.resolve();
    if (fail) throw new Error('down');
    return good;
  });
  const all = await Promise.allSettled([ask('t'), ask('t'), ask('t')]);
  assert.ok(all.every(({ status }) => status === 'rejected'));
  assert.equal(asked.length, 1);
  fail = false;
  assert.equal((await ask('t')).outcome, 'authenticated');
});

test('the table is bounded', async () => {
  const { asked, ask } = cached(() => good);
  for (let i = 0; i < 8193; i++) await ask(`t${i}`);
  await ask('t8192');
  assert.equal(asked.length, 8193);
  await ask('t0');
  assert.equal(asked.length, 8194, 'the oldest made room');
});

test('every asker’s trace has the step', async () => {
  const { cache } = cached(() => good);
  for (let i = 0; i < 2; i++) {
    const trace = createDecisionTrace();
    await cache.authenticateToken('s3cret', [], trace);
    assert.deepEqual(
      trace.steps().map(({ by, outcome }) => [by, outcome]),
      [['slow', 'allow']],
    );
    assert.ok(!JSON.stringify(trace.steps()).includes('s3cret'));
  }
});
