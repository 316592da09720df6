import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSeededRandom, createSimulatedClock, StatusError } from '@keelson/apimachinery';
import { createClient, type Client } from './client.ts';
import { createScriptedTransport, type ScriptedAnswer } from './testing/scripted-transport.ts';

function clientOf(script: Parameters<typeof createScriptedTransport>[0]) {
  const transport = createScriptedTransport(script);
  const clock = createSimulatedClock();
  return { client: createClient({ transport, clock, random: createSeededRandom(1) }), transport };
}
const pods = { group: '', version: 'v1', resource: 'pods' };
const deployments = { group: 'apps', version: 'v1', resource: 'deployments' };
const object = { metadata: { name: 'a' } };

const calls: [string, (client: Client) => Promise<unknown>, type?: string, body?: unknown][] = [
  ['GET /api/v1/namespaces/shop/pods/a', (c) => c.resource(pods).namespace('shop').get('a')],
  [
    'GET /apis/apps/v1/namespaces/shop/deployments/a/scale',
    (c) => c.resource(deployments).namespace('shop').get('a', { subresource: 'scale' }),
  ],
  [
    'GET /api/v1/pods?labelSelector=a%3Db&fieldSelector=spec.nodeName%3Dn&limit=5&continue=t',
    (c) => {
      const selectors = { labelSelector: 'a=b', fieldSelector: 'spec.nodeName=n' };
      return c.resource(pods).list({ ...selectors, limit: 5, continue: 't' });
    },
  ],
  [
    'POST /api/v1/namespaces/shop/pods?dryRun=All&fieldManager=me',
    (c) => c.resource(pods).namespace('shop').create(object, { dryRun: true, fieldManager: 'me' }),
    'application/json',
    object,
  ],
  [
    'POST /api/v1/namespaces/shop/pods/a/binding',
    (c) => c.resource(pods).namespace('shop').create(object, { name: 'a', subresource: 'binding' }),
    'application/json',
    object,
  ],
  [
    'PUT /api/v1/namespaces/shop/pods/a/status',
    (c) => c.resource(pods).namespace('shop').update(object, { subresource: 'status' }),
    'application/json',
    object,
  ],
  [
    'PATCH /api/v1/namespaces/shop/pods/a',
    (c) =>
      c
        .resource(pods)
        .namespace('shop')
        .patch('a', 'json', [{ op: 'test' }]),
    'application/json-patch+json',
    [{ op: 'test' }],
  ],
  [
    'PATCH /api/v1/namespaces/shop/pods/a',
    (c) => c.resource(pods).namespace('shop').patch('a', 'strategic', { spec: {} }),
    'application/strategic-merge-patch+json',
    { spec: {} },
  ],
  [
    'PATCH /api/v1/namespaces/shop/pods/a?fieldManager=me&force=true',
    (c) => c.resource(pods).namespace('shop').apply(object, { fieldManager: 'me', force: true }),
    'application/apply-patch+yaml',
    object,
  ],
  ['DELETE /api/v1/namespaces/shop/pods/a', (c) => c.resource(pods).namespace('shop').delete('a')],
  [
    'DELETE /api/v1/namespaces/shop/pods/a',
    (c) => {
      const options = { gracePeriodSeconds: 0, preconditions: { uid: 'u' }, dryRun: true };
      return c.resource(pods).namespace('shop').delete('a', options);
    },
    'application/json',
    {
      kind: 'DeleteOptions',
      apiVersion: 'v1',
      gracePeriodSeconds: 0,
      preconditions: { uid: 'u' },
      dryRun: ['All'],
    },
  ],
  [
    'DELETE /api/v1/namespaces/shop/pods?labelSelector=a%3Db',
    (c) => c.resource(pods).namespace('shop').deleteCollection({}, { labelSelector: 'a=b' }),
  ],
  // Names are never more than one segment.
  ['GET /api/v1/pods/a%2F..%2Fb', (c) => c.resource(pods).get('a/../b')],
  ['GET /api/v1/namespaces/a%3Fb/pods/c', (c) => c.resource(pods).namespace('a?b').get('c')],
];
for (const [line, call, type, body] of calls) {
  test(`request: ${line}`, async () => {
    const { client, transport } = clientOf(() => ({ body: { kind: 'PodList', metadata: {} } }));
    await call(client);
    const [sent] = transport.requests;
    assert.equal(`${sent?.method} ${sent?.url}`, line);
    assert.equal(sent?.headers['content-type'], type);
    const text = sent?.body === undefined ? undefined : Buffer.from(sent.body).toString();
    assert.deepEqual(text === undefined ? undefined : JSON.parse(text), body);
  });
}

test('names that would change the path are refused', async () => {
  const { client, transport } = clientOf([]);
  const refused = /cannot be part of a path/;
  for (const name of ['', '.', '..']) {
    await assert.rejects(client.resource(pods).get(name), refused);
    await assert.rejects(client.resource(pods).delete(name), refused);
    await assert.rejects(client.resource(pods).update({ metadata: { name } }), refused);
  }
  await assert.rejects(client.resource(pods).namespace('..').list(), refused);
  assert.equal(transport.requests.length, 0);
});

test('items of a list know what they are', async () => {
  const body = {
    kind: 'PodList',
    apiVersion: 'v1',
    metadata: { resourceVersion: '7' },
    items: [{ metadata: { name: 'a' } }, { kind: 'Other', metadata: { name: 'b' } }],
  };
  const { client } = clientOf([{ body }, { body: { kind: 'PodList', items: null } }]);
  const list = await client.resource(pods).list();
  assert.deepEqual(
    list.items.map((item) => [item.apiVersion, item.kind]),
    [
      ['v1', 'Pod'],
      [undefined, 'Other'],
    ],
  );
  assert.deepEqual((await client.resource(pods).list()).items, []);
});

const page = (names: string[], next?: string): ScriptedAnswer => ({
  body: {
    kind: 'PodList',
    apiVersion: 'v1',
    metadata: { resourceVersion: '7', ...(next && { continue: next }) },
    items: names.map((name) => ({ metadata: { name } })),
  },
});
const expired: ScriptedAnswer = {
  status: 410,
  body: { kind: 'Status', apiVersion: 'v1', reason: 'Expired', code: 410 },
};

test('everything is listed page by page', async () => {
  const { client, transport } = clientOf([page(['a', 'b'], 't1'), page(['c'], 't2'), page(['d'])]);
  const list = await client.resource(pods).listAll({ resourceVersion: '0' });
  assert.deepEqual(
    list.items.map((item) => item.metadata.name),
    ['a', 'b', 'c', 'd'],
  );
  assert.deepEqual(list.metadata, { resourceVersion: '7' });
  assert.deepEqual(
    transport.requests.map((request) => request.url),
    [
      '/api/v1/pods?limit=500&resourceVersion=0',
      '/api/v1/pods?limit=500&continue=t1',
      '/api/v1/pods?limit=500&continue=t2',
    ],
  );
});

test('a page whose token has expired makes it list at once; other failures are passed on', async () => {
  const { client } = clientOf([page(['a'], 't1'), expired, page(['x', 'y'])]);
  const list = await client.resource(pods).listAll();
  assert.deepEqual(
    list.items.map((item) => item.metadata.name),
    ['x', 'y'],
  );
  const failing = clientOf([page(['a'], 't1'), { status: 403, body: '' }]);
  await assert.rejects(failing.client.resource(pods).listAll(), StatusError);
});

test('answers that are no objects are not taken for some', async () => {
  for (const body of ['[]', '"x"', '{}', '{"metadata":3}']) {
    const { client } = clientOf([{ body }]);
    await assert.rejects(client.resource(pods).get('a'), { code: 'broken' });
  }
  const { client } = clientOf([{ body: '{not json' }]);
  await assert.rejects(client.resource(pods).get('a'), SyntaxError);
});

test('integers beyond 2^53 survive', async () => {
  const body = '{"metadata":{"name":"a","generation":9007199254740993}}';
  const { client, transport } = clientOf([{ body }, { body }]);
  const read = await client.resource(pods).get('a');
  assert.equal(read.metadata.generation, 9007199254740993n);
  await client.resource(pods).update(read);
  assert.match(Buffer.from(transport.requests[1]?.body ?? []).toString(), /9007199254740993/);
});

test('metadata only', async () => {
  const { client, transport } = clientOf(() => ({ body: { kind: 'PartialObjectMetadataList' } }));
  await client.metadata(pods).list();
  const accept = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1';
  assert.equal(transport.requests[0]?.headers['accept'], accept);
});
