// Binding and eviction, through the whole server.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Pod } from '@keelson/apimachinery/types/core.v1';
import { createTestServer, type TestServer } from '../../testing.ts';

const pods = '/api/v1/namespaces/shop/pods';
const budgets = '/apis/policy/v1/namespaces/shop/poddisruptionbudgets';
let server: TestServer;

before(async () => {
  server = await createTestServer();
  await server.admin('POST', '/api/v1/namespaces', { metadata: { name: 'shop' } });
});
after(() => server.close());

async function createPod(name: string, spec: object = {}): Promise<Pod> {
  const containers = [{ name: 'c', image: 'i:1' }];
  const metadata = { name, labels: { app: name } };
  const answer = await server.admin('POST', pods, { metadata, spec: { containers, ...spec } });
  assert.equal(answer.status, 201, answer.text);
  return answer.json() as unknown as Pod;
}
const read = async (name: string) =>
  (await server.admin('GET', `${pods}/${name}`)).json() as unknown as Pod;
const bind = (name: string, metadata: object = {}) =>
  server.admin('POST', `${pods}/${name}/binding`, {
    metadata: { name, ...metadata },
    target: { kind: 'Node', name: 'n1' },
  });
const evict = (name: string, body: object = {}) =>
  server.admin('POST', `${pods}/${name}/eviction`, {
    apiVersion: 'policy/v1',
    kind: 'Eviction',
    metadata: { name },
    ...body,
  });

test('a binding places the pod once and says so', async () => {
  await createPod('a');
  assert.equal((await bind('a', { annotations: { by: 'test' } })).status, 201);
  const pod = await read('a');
  assert.equal(pod.spec?.nodeName, 'n1');
  assert.equal(pod.metadata.annotations?.['by'], 'test');
  const [condition] = pod.status?.conditions ?? [];
  assert.deepEqual([condition?.type, condition?.status], ['PodScheduled', 'True']);
  assert.match((await bind('a')).text, /pod a is already assigned to node/);
});

test('a binding holds only for the pod it was made for', async () => {
  await createPod('b');
  for (const metadata of [{ uid: 'other' }, { resourceVersion: '1' }]) {
    const answer = await bind('b', metadata);
    assert.equal(answer.status, 409);
    assert.match(answer.text, /Precondition failed: (UID|ResourceVersion) in precondition: /);
  }
  assert.equal((await read('b')).spec?.nodeName, undefined);
});

test('an evicted pod knows why it goes', async () => {
  await createPod('c', { nodeName: 'n1' });
  assert.equal((await evict('c', { deleteOptions: { dryRun: ['All'] } })).status, 201);
  assert.equal((await read('c')).status?.conditions, undefined);
  assert.equal((await evict('c')).status, 201);
  const { metadata, status } = await read('c');
  assert.ok(metadata.deletionTimestamp);
  assert.equal(status?.conditions?.[0]?.reason, 'EvictionByEvictionAPI');
});

test('evictions come in two versions and for the pod of the URL', async () => {
  await createPod('d');
  assert.equal((await evict('d', { metadata: { name: 'e' } })).status, 400);
  assert.equal((await evict('d', { deleteOptions: { preconditions: { uid: 'x' } } })).status, 409);
  assert.equal((await evict('d', { apiVersion: 'policy/v2' })).status, 400);
  assert.equal((await evict('d', { apiVersion: 'policy/v1beta1' })).status, 201);
  assert.equal((await evict('d')).status, 404);
});

test('a budget that is spent keeps the pods', async () => {
  await createPod('f', { nodeName: 'n1' });
  const status = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] };
  const pod = await read('f');
  await server.admin('PUT', `${pods}/f/status`, { ...pod, status });
  const spec = { selector: { matchLabels: { app: 'f' } }, minAvailable: 1 };
  const created = await server.admin('POST', budgets, { metadata: { name: 'f' }, spec });
  const counts = { disruptionsAllowed: 0, currentHealthy: 1, desiredHealthy: 1, expectedPods: 1 };
  const budget = { ...created.json(), status: { ...counts, observedGeneration: 1 } };
  assert.equal((await server.admin('PUT', `${budgets}/f/status`, budget)).status, 200);
  const answer = await evict('f');
  assert.equal(answer.status, 429);
  assert.match(answer.text, /needs 1 healthy pods and has 1 currently/);
  assert.equal((await read('f')).metadata.deletionTimestamp, undefined);
});
