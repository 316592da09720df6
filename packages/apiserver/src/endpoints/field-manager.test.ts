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

const pods = '/api/v1/namespaces/shop/pods';
const parts: readonly [subresource: string, change: (pod: PodLike) => object, owned: RegExp][] = [
  [
    'ephemeralcontainers',
    () => ({ ephemeralContainers: [{ name: 'debug', image: 'i' }] }),
    /^\{"f:spec":\{"f:ephemeralContainers":/,
  ],
  [
    'resize',
    ({ spec }) => ({
      containers: spec.containers.map((c) => ({
        ...c,
        resources: { ...c['resources'], requests: { cpu: '2' } },
      })),
    }),
    /^\{"f:spec":\{"f:containers":\{"k:\{\\"name\\":\\"c\\"\}":\{"f:resources":\{"f:requests":\{"f:cpu":\{\}\}\}\}\}\}\}$/,
  ],
];
interface PodLike {
  metadata: KubeObject['metadata'];
  spec: { containers: Record<string, object>[] };
}

for (const [subresource, change, owned] of parts)
  test(`who writes ${subresource} owns nothing else`, async () => {
    await server.admin('POST', '/api/v1/namespaces/shop/serviceaccounts', {
      metadata: { name: 'default' },
    });
    const metadata = { name: subresource, labels: { app: 'web' } };
    const resources = { requests: { cpu: '1' }, limits: { cpu: '4' } };
    const spec = { containers: [{ name: 'c', image: 'i', resources }] };
    const made = await server.admin('POST', `${pods}?fieldManager=maker`, { metadata, spec });
    assert.equal(made.status, 201, made.text);
    const pod = made.json() as unknown as PodLike;
    const url = `${pods}/${subresource}/${subresource}?fieldManager=part`;
    const written = await server.admin('PUT', url, {
      ...pod,
      spec: { ...pod.spec, ...change(pod) },
    });
    assert.equal(written.status, 200, written.text);
    const entries = (written.json() as unknown as PodLike).metadata.managedFields ?? [];
    const entry = entries.find(({ manager }) => manager === 'part');
    assert.equal(entry?.subresource, subresource);
    assert.match(JSON.stringify(entry?.fieldsV1), owned);
  });
