// Lists in pages at one revision, and watches that go on where a list ended.

import { after, before, describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { systemUser } from '../../authentication/system-user.ts';
import { createTestServer, type TestServer } from '../../testing.ts';
import { callInProcess } from '../../transport/in-process.ts';

const path = '/api/v1/namespaces/a/configmaps';
interface List {
  metadata: { resourceVersion: string; continue?: string; remainingItemCount?: number };
  items: { metadata: { name: string; labels?: Record<string, string> } }[];
}
interface WatchEvent {
  type: string;
  object: { code?: number; metadata: { name?: string; annotations?: Record<string, string> } };
}

describe('lists and watches', () => {
  let test: TestServer;
  before(async () => {
    test = await createTestServer({ limits: { revisionWaitersMax: 0 } });
    await test.admin('POST', '/api/v1/namespaces', { metadata: { name: 'a' } });
    for (let i = 0; i < 7; i++) await create(`m${i}`, { parity: i % 2 === 0 ? 'even' : 'odd' });
  });
  after(() => test.close());

  const create = (name: string, labels = {}) =>
    test.admin('POST', path, { metadata: { name, labels } });
  const list = async (query: string) =>
    (await test.admin('GET', `${path}?${query}`)).json() as unknown as List;
  const names = (of: List) => of.items.map((item) => item.metadata.name).join(' ');
  const watch = async (query: string) => {
    const answer = await test.admin('GET', `${path}?watch=1&timeoutSeconds=1&${query}`);
    assert.equal(answer.status, 200, answer.text);
    const lines = answer.text.split('\n').filter((line) => line !== '');
    return lines.map((line) => JSON.parse(line) as WatchEvent);
  };

  it('pages show one revision, whatever is written meanwhile', async () => {
    const first = await list('limit=3');
    assert.equal(names(first), 'm0 m1 m2');
    assert.equal(first.metadata.remainingItemCount, 4);
    await create('m2a');
    const second = await list(`limit=3&continue=${first.metadata.continue}`);
    assert.equal(names(second), 'm3 m4 m5');
    assert.equal(second.metadata.resourceVersion, first.metadata.resourceVersion);
    const third = await list(`limit=3&continue=${second.metadata.continue}`);
    assert.equal(names(third), 'm6');
    assert.equal(third.metadata.continue, undefined);
    await test.admin('DELETE', `${path}/m2a`);
  });

  it('a page with a selector is full, and does not count what remains', async () => {
    const first = await list('limit=2&labelSelector=parity%3Dodd');
    assert.equal(names(first), 'm1 m3');
    assert.equal(first.metadata.remainingItemCount, undefined);
    const second = await list(
      `limit=2&labelSelector=parity%3Dodd&continue=${first.metadata.continue}`,
    );
    assert.equal(names(second), 'm5');
  });

  const refused: readonly [string, number][] = [
    ['continue=nonsense', 400],
    ['continue=bnVsbA', 400],
    ['limit=1&resourceVersion=5&continue=x', 400],
    ['resourceVersion=x', 400],
    ['resourceVersion=999999', 504],
    ['labelSelector=a%20in%20(', 400],
    ['fieldSelector=bogus%3D1', 400],
  ];
  for (const [query, status] of refused)
    it(`${query} is answered ${status}`, async () => {
      assert.equal((await test.admin('GET', `${path}?${query}`)).status, status);
    });

  it('a watch from a list misses nothing and repeats nothing', async () => {
    const { metadata } = await list('');
    const events = watch(`resourceVersion=${metadata.resourceVersion}`);
    await create('w');
    await test.admin('DELETE', `${path}/w`);
    const seen = (await events).map((event) => `${event.type} ${event.object.metadata.name}`);
    assert.deepEqual(seen, ['ADDED w', 'DELETED w']);
  });

  it('initial events end with an annotated bookmark', async () => {
    const query =
      'sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true';
    const events = await watch(query);
    const last = events.at(-1);
    assert.equal(last?.type, 'BOOKMARK');
    assert.equal(last?.object.metadata.annotations?.['k8s.io/initial-events-end'], 'true');
    assert.equal(events.filter(({ type }) => type === 'ADDED').length, 7);
  });

  it('an object that ceases to match is deleted for the watcher', async () => {
    await create('s', { shown: 'yes' });
    const { metadata } = await list('');
    const events = watch(`labelSelector=shown%3Dyes&resourceVersion=${metadata.resourceVersion}`);
    const { status } = await test.call('PATCH', `${path}/s`, {
      headers: { 'content-type': 'application/merge-patch+json' },
      body: '{"metadata":{"labels":{"shown":"no"}}}',
      user: { name: 'u', uid: '', groups: ['system:masters'], extra: {} },
    });
    assert.equal(status, 200);
    assert.deepEqual(
      (await events).map(({ type }) => type),
      ['DELETED'],
    );
  });

  it('a watch from a forgotten revision says 410 in an event', async () => {
    await test.server.dependencies.storage.compact(test.server.dependencies.storage.revision());
    const [event] = await watch('resourceVersion=1');
    assert.equal(event?.type, 'ERROR');
    assert.equal(event?.object.code, 410);
  });
});

describe('initial events', () => {
  it('wait for a slow client, however many they are', { timeout: 20_000 }, async () => {
    const test = await createTestServer({ limits: { watchBacklogBytesMax: 1_000_000 } });
    await test.admin('POST', '/api/v1/namespaces', { metadata: { name: 'a' } });
    const data = { k: 'x'.repeat(100_000) };
    for (let i = 0; i < 30; i++)
      await test.admin('POST', path, { metadata: { name: `big${i}` }, data });
    let waits = 0;
    const answer = await callInProcess(
      (request, response) =>
        test.server.serve(request, {
          ...response,
          write: (chunk) => response.write(chunk) && chunk.length === 0,
          drained: async () => void waits++,
        }),
      { method: 'GET', url: `${path}?watch=1&timeoutSeconds=1`, user: systemUser },
    );
    const events = Buffer.from(await answer.bytes())
      .toString('utf8')
      .trimEnd()
      .split('\n');
    assert.equal(events.length, 30);
    assert.ok(waits >= 10, String(waits));
    await test.close();
  });
});
