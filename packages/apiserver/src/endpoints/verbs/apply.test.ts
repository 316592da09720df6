import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTestServer } from '../../testing.ts';

const prefix =
  'failed to convert new object to proper version: unable to convert unstructured object to';
const workload = (spec: object) => ({ apiVersion: 'apps/v1', kind: 'Deployment', spec });
const template = {
  metadata: { labels: { app: 'a' } },
  spec: { containers: [{ name: 'c', image: 'i' }] },
};
const complete = { selector: { matchLabels: { app: 'a' } }, template };

const rows: [what: string, resource: string, body: object, status: number, expected: RegExp][] = [
  [
    'half a replica',
    'deployments',
    workload({ ...complete, replicas: 1.5 }),
    500,
    new RegExp(`^${prefix} apps/v1, Kind=Deployment: cannot convert float64 to int32$`),
  ],
  [
    'more replicas than a number holds',
    'deployments',
    workload({ ...complete, replicas: 4_294_967_299 }),
    201,
    /^3$/,
  ],
  [
    'data that is no base64',
    'secrets',
    { apiVersion: 'v1', kind: 'Secret', data: { a: '!' } },
    500,
    /error decoding from json: illegal base64 data at input byte 0$/,
  ],
];

test('an applied object becomes a typed one as Go makes it', async (t) => {
  const server = await createTestServer();
  t.after(() => server.close());
  await server.admin('POST', '/api/v1/namespaces', { metadata: { name: 'shop' } });
  const user = { name: 'root', uid: '', groups: ['system:masters'], extra: {} };
  const headers = { 'content-type': 'application/apply-patch+yaml' };
  for (const [what, resource, object, status, expected] of rows) {
    const root = resource === 'secrets' ? '/api/v1' : '/apis/apps/v1';
    const url = `${root}/namespaces/shop/${resource}/x?fieldManager=me`;
    const body = { ...object, metadata: { name: 'x' } };
    const answer = await server.call('PATCH', url, { body, headers, user });
    const { message, spec } = answer.json() as { message?: string; spec?: { replicas: number } };
    assert.equal(answer.status, status, what);
    assert.match(message ?? String(spec?.replicas), expected, what);
  }
});
