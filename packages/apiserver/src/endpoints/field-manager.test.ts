import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { KubeObject } from '@keelson/apimachinery';
import { createTestServer, type TestServer } from '../testing.ts';

const deployments = '/apis/apps/v1/namespaces/shop/deployments';
let server: TestServer;
before(async () => {
  server = await createTestServer();
  await server.admin('POST', '/api/v1/namespaces', { metadata: { name: 'shop' } });
});
after(() => server.close());

test('who scaled is recorded on the scaled object, when is not', async () => {
  const labels = { app: 'web' };
  const template = { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'i:1' }] } };
  const spec = { selector: { matchLabels: labels }, template };
  await server.admin('POST', `${deployments}?fieldManager=maker`, {
    metadata: { name: 'web' },
    spec,
  });
  const scale = (await server.admin('GET', `${deployments}/web/scale`)).json();
  const scaled = { ...scale, spec: { replicas: 4 } };
  const url = `${deployments}/web/scale?fieldManager=scaler`;
  assert.equal((await server.admin('PUT', url, scaled)).status, 200);
  const { metadata } = (await server.admin('GET', `${deployments}/web`)).json() as KubeObject;
  assert.deepEqual(
    metadata.managedFields?.map((entry) => [entry.manager, entry.subresource, 'time' in entry]),
    [
      ['maker', undefined, true],
      ['scaler', 'scale', false],
    ],
  );
});
