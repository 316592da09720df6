// Reads at a revision that is not there yet, in simulated time: a write that comes in time is seen,
// and three seconds are all that anybody waits.

import { afterEach, beforeEach, describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { createSimulatedClock, type SimulatedClock } from '@keelson/apimachinery';
import { createTestServer, type TestServer } from '../../testing.ts';

const path = '/api/v1/namespaces/a/configmaps';
const settle = async () => {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
};

describe('reads at a revision that is not there yet', () => {
  let clock: SimulatedClock;
  let test: TestServer;
  beforeEach(async () => {
    clock = createSimulatedClock();
    test = await createTestServer({ clock });
    await test.admin('POST', '/api/v1/namespaces', { metadata: { name: 'a' } });
    await create('old');
  });
  afterEach(() => test.close());
  const create = (name: string) => test.admin('POST', path, { metadata: { name } });
  const next = () => `resourceVersion=${test.server.dependencies.storage.revision() + 1}`;
  const initial = 'watch=1&timeoutSeconds=1&sendInitialEvents=true&allowWatchBookmarks=true';

  const rows: readonly [name: string, url: () => string, seen: RegExp, refused: number][] = [
    ['a list', () => `${path}?${next()}`, /"name":"new"/, 504],
    ['a page', () => `${path}?limit=5&${next()}`, /"name":"new"/, 504],
    [
      'a list at just that',
      () => `${path}?resourceVersionMatch=Exact&${next()}`,
      /"name":"new"/,
      504,
    ],
    [
      'one of a list',
      () => `${path}?fieldSelector=metadata.name%3Dnew&${next()}`,
      /"name":"new"/,
      504,
    ],
    ['an object', () => `${path}/old?${next()}`, /"name":"old"/, 504],
    [
      'initial events',
      () => `${path}?${initial}&resourceVersionMatch=NotOlderThan&${next()}`,
      /"name":"new"/,
      200,
    ],
  ];
  for (const [name, url, seen, refused] of rows) {
    it(`${name}: a write ends the wait`, async () => {
      const reading = test.admin('GET', url());
      await settle();
      await create('new');
      await settle();
      await clock.advance(2000);
      const answer = await reading;
      assert.equal(answer.status, 200, answer.text);
      assert.match(answer.text, seen);
    });

    it(`${name}: without one it is refused after three seconds`, async () => {
      let isDone = false;
      const reading = test.admin('GET', url()).finally(() => (isDone = true));
      await settle();
      await clock.advance(name === 'initial events' ? 500 : 2999);
      await settle();
      assert.equal(isDone, false);
      await clock.advance(3000);
      const answer = await reading;
      assert.equal(answer.status, refused, answer.text);
      if (refused === 504) assert.match(answer.text, /Too large resource version/);
    });
  }
});
