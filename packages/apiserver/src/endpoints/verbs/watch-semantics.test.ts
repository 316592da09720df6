// What a watch begins with, when it gets bookmarks, and how it ends, in simulated time.

import { after, before, describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { createSimulatedClock, type SimulatedClock } from '@keelson/apimachinery';
import { systemUser } from '../../authentication/system-user.ts';
import { createTestServer, type TestServer } from '../../testing.ts';
import { callInProcess } from '../../transport/in-process.ts';

const path = '/api/v1/namespaces/a/configmaps';

interface WatchEvent {
  type: string;
  object: {
    code?: number;
    reason?: string;
    message?: string;
    columnDefinitions?: unknown[] | null;
    details?: object;
    metadata: { name?: string; resourceVersion?: string; annotations?: Record<string, string> };
  };
}

const settle = async () => {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
};

let clock: SimulatedClock;
let test: TestServer;
const start = async () => {
  clock = createSimulatedClock(Date.UTC(2024, 0, 1));
  test = await createTestServer({ clock, limits: { revisionWaitersMax: 0 } });
  await test.admin('POST', '/api/v1/namespaces', { metadata: { name: 'a' } });
  for (const name of ['a', 'b']) await create(name);
};
const create = (name: string) => test.admin('POST', path, { metadata: { name } });
const revision = () => String(test.server.dependencies.storage.revision());

/** Watches; `events` grows as they come, `ended` is set at the end. */
async function watch(query: string, accept = 'application/json') {
  const seen = { status: 0, text: '', ended: false };
  const stop = new AbortController();
  const answer = await callInProcess(test.server.serve, {
    method: 'GET',
    url: `${path}?watch=1&${query}`,
    headers: { accept },
    user: systemUser,
    signal: stop.signal,
  });
  seen.status = answer.status;
  const done = (async () => {
    for await (const chunk of answer.chunks()) seen.text += Buffer.from(chunk).toString();
    seen.ended = true;
  })();
  await settle();
  return {
    status: seen.status,
    ended: () => seen.ended,
    done,
    events: () =>
      seen.text
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as WatchEvent),
  };
}
const typesOf = (events: readonly WatchEvent[]) => events.map(({ type }) => type).join(' ');

describe('what a watch begins with', () => {
  before(start);
  after(() => test.close());

  const initial = 'sendInitialEvents=true&resourceVersionMatch=NotOlderThan';
  const rows: readonly [query: () => string, types: string][] = [
    [() => '', 'ADDED ADDED'],
    [() => 'resourceVersion=', 'ADDED ADDED'],
    [() => 'resourceVersion=0', 'ADDED ADDED'],
    [() => `resourceVersion=${revision()}`, ''],
    [() => 'resourceVersion=99999999999', ''],
    [() => 'fieldSelector=metadata.name%3Da', 'ADDED'],
    [() => initial, 'ADDED ADDED'],
    [() => `${initial}&resourceVersion=0`, 'ADDED ADDED'],
    [() => `${initial}&resourceVersion=${revision()}`, 'ADDED ADDED'],
    [() => `${initial}&allowWatchBookmarks=true`, 'ADDED ADDED BOOKMARK'],
    [() => `${initial}&resourceVersion=99999999999`, 'ERROR'],
    [() => initial.replace('true', 'false'), ''],
    [() => `${initial.replace('true', 'false')}&resourceVersion=0`, ''],
    [() => 'timeoutSeconds=-1', 'ADDED ADDED'],
  ];
  for (const [query, types] of rows)
    it(`${query === rows[3]?.[0] ? 'resourceVersion=NOW' : query.toString().slice(6, 80)}`, async () => {
      const { status, events } = await watch(query());
      assert.equal(status, 200);
      assert.equal(typesOf(events()), types);
    });

  it('the bookmark after the initial events is annotated and says where they were', async () => {
    const { events } = await watch(`${initial}&allowWatchBookmarks=true`);
    assert.deepEqual(events().at(-1)?.object.metadata, {
      resourceVersion: revision(),
      annotations: { 'k8s.io/initial-events-end': 'true' },
    });
  });

  it('a revision that is too large for initial events is an error that names it', async () => {
    const { events, ended } = await watch(`${initial}&resourceVersion=99999999999`);
    const [event] = events();
    assert.equal(event?.object.code, 504);
    assert.equal(
      event?.object.message,
      `Timeout: Too large resource version: 99999999999, current: ${revision()}`,
    );
    assert.deepEqual(event?.object.details, {
      causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
      retryAfterSeconds: 1,
    });
    assert.equal(ended(), true);
  });

  it('only the first table has columns', async () => {
    const table = 'application/json;as=Table;v=v1;g=meta.k8s.io';
    const { events } = await watch('allowWatchBookmarks=true', table);
    await create('t');
    await settle();
    const columns = events().map(({ object }) => object.columnDefinitions?.length);
    assert.deepEqual(columns.slice(1), [undefined, undefined]);
    assert.ok((columns[0] ?? 0) > 0);
    await test.admin('DELETE', `${path}/t`);
  });

  const refused: readonly [query: string, message: RegExp][] = [
    ['sendInitialEvents=true', /sendInitialEvents requires setting resourceVersionMatch/],
    [
      'sendInitialEvents=true&resourceVersionMatch=Exact',
      /requires setting resourceVersionMatch to NotOlderThan.*supported values: "NotOlderThan"/,
    ],
    ['resourceVersionMatch=NotOlderThan', /is forbidden for watch unless sendInitialEvents/],
    ['continue=x', /is forbidden when continue is provided/],
  ];
  for (const [query, message] of refused)
    it(`${query} is refused`, async () => {
      const answer = await test.admin('GET', `${path}?watch=1&${query}`);
      assert.equal(answer.status, 422);
      assert.match(String(answer.json()['message']), message);
    });
});

describe('bookmarks and the end', () => {
  before(start);
  after(() => test.close());
  const pass = async (seconds: number) => {
    await clock.advance(seconds * 1000);
    await settle();
  };

  it('come every minute, at what everybody has seen, and shortly before the end', async () => {
    const one = await watch(
      `allowWatchBookmarks=true&timeoutSeconds=150&resourceVersion=${revision()}`,
    );
    await pass(59);
    assert.equal(typesOf(one.events()), '');
    // Nothing of this concerns the watcher, and yet it need not be told again.
    await test.admin('POST', '/api/v1/namespaces', { metadata: { name: 'elsewhere' } });
    const far = revision();
    await pass(2);
    assert.deepEqual(
      one.events().map(({ object }) => object.metadata.resourceVersion),
      [far],
    );
    await pass(60);
    assert.equal(typesOf(one.events()), 'BOOKMARK BOOKMARK');
    await pass(28);
    assert.equal(typesOf(one.events()), 'BOOKMARK BOOKMARK BOOKMARK');
    assert.equal(one.ended(), false);
    await pass(2);
    assert.equal(one.ended(), true);
    assert.equal(typesOf(one.events()), 'BOOKMARK BOOKMARK BOOKMARK');
  });

  it('do not come to who did not ask', async () => {
    const one = await watch(`timeoutSeconds=150&resourceVersion=${revision()}`);
    await pass(151);
    assert.equal(typesOf(one.events()), '');
    assert.equal(one.ended(), true);
  });

  it('do not come from before a revision in the future', async () => {
    const one = await watch(
      'allowWatchBookmarks=true&timeoutSeconds=150&resourceVersion=99999999999',
    );
    await pass(151);
    assert.equal(typesOf(one.events()), '');
  });

  it('a watch without a wish ends after half an hour to an hour', async () => {
    const one = await watch(`resourceVersion=${revision()}&timeoutSeconds=0`);
    await pass(1799);
    assert.equal(one.ended(), false);
    await pass(1802);
    assert.equal(one.ended(), true);
  });
});
