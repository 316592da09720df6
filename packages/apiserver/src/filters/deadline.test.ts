import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { createSimulatedClock } from '@keelson/apimachinery';
import { createTestServer, type TestAnswer, type TestServer } from '../testing.ts';

const slow = '/api/v1/namespaces/default/configmaps/slow';
const open: TestServer[] = [];
after(() => Promise.all(open.map((test) => test.close())));

/** Reading `slow` takes 200 s. */
async function start() {
  const clock = createSimulatedClock();
  const test = await createTestServer({
    clock,
    storage: (storage) => ({
      ...storage,
      get: (key) =>
        key.endsWith('/slow')
          ? new Promise((resolve) => clock.after(200_000, () => resolve(undefined)))
          : storage.get(key),
    }),
  });
  open.push(test);
  return { test, clock };
}

describe('how long a request may take', () => {
  const rows: readonly (readonly [string, string, number])[] = [
    ['without asking', slow, 60_000],
    ['as long as it asks for', `${slow}?timeout=1s500ms`, 1500],
    ['nothing is no wish', `${slow}?timeout=0s`, 60_000],
    ['less than nothing neither', `${slow}?timeout=-1s`, 60_000],
    ['not longer than the server allows', `${slow}?timeout=10m`, 60_000],
    ['an empty wish is none', `${slow}?timeout=`, 60_000],
  ];
  for (const [name, url, ms] of rows)
    it(`${name}: ${ms} ms`, async () => {
      const { test, clock } = await start();
      const answers: TestAnswer[] = [];
      void test.admin('GET', url).then((found) => answers.push(found));
      await clock.advance(ms - 1);
      assert.equal(answers.length, 0);
      await clock.advance(2);
      assert.equal(answers[0]?.status, 504);
      assert.deepEqual(answers[0].json(), {
        kind: 'Status',
        apiVersion: 'v1',
        metadata: {},
        status: 'Failure',
        message: 'Timeout: request did not complete within the allotted timeout',
        reason: 'Timeout',
        details: {},
        code: 504,
      });
      await clock.advance(300_000);
      assert.equal((await test.admin('GET', '/version')).status, 200);
    });
});

describe('a wish that cannot be read', () => {
  const rows: readonly (readonly [string, string])[] = [
    ['abc', 'invalid duration "abc"'],
    ['-', 'invalid duration "-"'],
    ['.s', 'invalid duration ".s"'],
    ['10', 'missing unit in duration "10"'],
    ['1m3', 'missing unit in duration "1m3"'],
    ['10x', 'unknown unit "x" in duration "10x"'],
    ['1d', 'unknown unit "d" in duration "1d"'],
    ['1s s', 'unknown unit "s s" in duration "1s s"'],
  ];
  for (const [text, problem] of rows)
    it(JSON.stringify(text), async () => {
      const { test } = await start();
      const answer = await test.admin('GET', `/version?timeout=${encodeURIComponent(text)}`);
      assert.equal(answer.status, 400);
      const message = `invalid timeout specified in the request URL - time: ${problem}`;
      assert.equal(answer.json()['message'], message);
    });

  it('is no matter to a watch', async () => {
    const { test, clock } = await start();
    const watch = test.admin('GET', '/api/v1/configmaps?watch=1&timeoutSeconds=1&timeout=abc');
    await clock.advance(2000);
    assert.equal((await watch).status, 200);
  });
});
