// The shapes of an answer: tables, metadata only, and what cannot be had.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { systemUser } from '../authentication/system-user.ts';
import { createTestServer, type TestServer } from '../testing.ts';

const pods = '/api/v1/namespaces/shop';
const json = (as: string) => `application/json;as=${as};v=v1;g=meta.k8s.io`;

let server: TestServer;
const get = async (url: string, accept: string) => {
  const answer = await server.call('GET', url, { headers: { accept }, user: systemUser });
  return { status: answer.status, body: answer.json() };
};
const create = async (url: string, body: object) => {
  const answer = await server.admin('POST', url, body);
  assert.equal(answer.status, 201, answer.text);
};
interface Table {
  columnDefinitions: { name: string; type: string; description: string }[];
  rows: { cells: unknown[]; object: { kind: string; metadata: Record<string, unknown> } | null }[];
}
const tableOf = (body: unknown) => body as Table;

before(async () => {
  server = await createTestServer();
  await create('/api/v1/namespaces', { metadata: { name: 'shop' } });
  await create(`${pods}/configmaps`, { metadata: { name: 'a' }, data: { x: '1', y: '2' } });
  const labels = { app: 'web' };
  const template = { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'i:1' }] } };
  const spec = { selector: { matchLabels: labels }, template };
  await create('/apis/apps/v1/namespaces/shop/daemonsets', { metadata: { name: 'ds' }, spec });
  await create('/apis/apps/v1/namespaces/shop/deployments', { metadata: { name: 'dep' }, spec });
  await create('/apis/autoscaling/v1/namespaces/shop/horizontalpodautoscalers', {
    metadata: { name: 'hpa' },
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'dep' },
      maxReplicas: 3,
      targetCPUUtilizationPercentage: 70,
    },
  });
});
after(() => server.close());

test('a table has a row for each object and says what its columns show', async () => {
  const table = tableOf((await get(`${pods}/configmaps?limit=1`, json('Table'))).body);
  assert.deepEqual(table.rows[0]?.cells.slice(0, 2), ['a', 2]);
  assert.equal(table.rows[0]?.object?.kind, 'PartialObjectMetadata');
  assert.ok(table.columnDefinitions.every((column) => column.description !== ''));
});

const includes: readonly (readonly [include: string, kind: string | undefined])[] = [
  ['None', undefined],
  ['Metadata', 'PartialObjectMetadata'],
  ['Object', 'ConfigMap'],
];
test('includeObject says how much of the object comes along', async () => {
  for (const [include, kind] of includes) {
    const url = `${pods}/configmaps/a?includeObject=${include}`;
    const table = tableOf((await get(url, json('Table'))).body);
    assert.equal(table.rows[0]?.object?.kind, kind);
  }
  const { status, body } = await get(`${pods}/configmaps/a?includeObject=All`, json('Table'));
  assert.equal(status, 400);
  assert.match(
    String(body['message']),
    /^Unable to convert to Table as requested: includeObject: /,
  );
});

test('rows are of the internal form: stored version, no annotations of versioned forms', async () => {
  const sets = '/apis/apps/v1/namespaces/shop/daemonsets/ds';
  const shown = tableOf((await get(sets, json('Table'))).body).rows[0];
  assert.equal(shown?.object?.metadata['annotations'], undefined);
  const whole = (await get(sets, 'application/json')).body['metadata'];
  assert.ok((whole as Record<string, unknown>)['annotations']);
  const autoscaler = '/apis/autoscaling/v1/namespaces/shop/horizontalpodautoscalers/hpa';
  const { rows } = tableOf((await get(autoscaler, json('Table'))).body);
  assert.equal(rows[0]?.cells[2], 'cpu: <unknown>/70%');
});

test('a scale has columns of its own', async () => {
  const url = '/apis/apps/v1/namespaces/shop/deployments/dep/scale';
  const { columnDefinitions, rows } = tableOf((await get(url, json('Table'))).body);
  assert.deepEqual(
    columnDefinitions.map((c) => c.name),
    ['Name', 'Desired', 'Available', 'Age'],
  );
  assert.deepEqual(rows[0]?.cells.slice(0, 3), ['dep', 1, 0]);
});

test('only the default printer leaves the rows of an empty table null', async () => {
  const rows = async (resource: string) =>
    (await get(`/api/v1/namespaces/none/${resource}`, json('Table'))).body['rows'];
  assert.equal(await rows('limitranges'), null);
  assert.deepEqual(await rows('configmaps'), []);
});

test('the items of a metadata list carry their kind', async () => {
  const { body } = await get(`${pods}/configmaps`, json('PartialObjectMetadataList'));
  const [item] = body['items'] as Record<string, unknown>[];
  assert.equal(item?.['kind'], 'PartialObjectMetadata');
});

const refused: readonly (readonly [url: string, accept: string, message: RegExp])[] = [
  [
    'configmaps/a',
    json('PartialObjectMetadataList'),
    /requested object is not a list \(\*core\.ConfigMap\)$/,
  ],
  [
    'configmaps',
    json('PartialObjectMetadata'),
    /requested object is a list \(\*core\.ConfigMapList\)$/,
  ],
  ['configmaps', 'application/json;as=Table;v=v1', /^only the following media types/],
  ['configmaps', json('Table').replace('v1', 'v2'), /^only the following media types/],
  ['configmaps', json('Table').replace('json', 'vnd.kubernetes.protobuf'), /^only the following/],
  ['configmaps', 'text/html', /^406: Not Acceptable/],
];
test('what cannot be had is refused', async () => {
  for (const [url, accept, message] of refused) {
    const { status, body } = await get(`${pods}/${url}`, accept);
    assert.equal(status, 406, accept);
    assert.match(String(body['message']), message);
  }
});

test('a table in protobuf falls back to what is accepted besides', async () => {
  const accept = `${json('Table').replace('json', 'vnd.kubernetes.protobuf')},application/json`;
  const { status, body } = await get(`${pods}/configmaps/a`, accept);
  assert.equal(status, 200);
  assert.equal(body['kind'], 'ConfigMap');
});

test('a deleted collection answers in the shape that was asked for', async () => {
  await create(`${pods}/secrets`, { metadata: { name: 's' }, type: 'Opaque' });
  const headers = { accept: json('Table') };
  const answer = await server.call('DELETE', `${pods}/secrets`, { headers, user: systemUser });
  const { rows } = tableOf(answer.json());
  assert.deepEqual(rows[0]?.cells.slice(0, 2), ['s', 'Opaque']);
});
