import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { Event, Pod } from '@keelson/apimachinery/types/core.v1';
import type {
  ResourceClaim,
  ResourceClaimTemplate,
} from '@keelson/apimachinery/types/resource.k8s.io.v1';
import { core, simulateCluster } from '../testing/simulated-cluster.ts';

const device = (resource: string) => ({ group: 'resource.k8s.io', version: 'v1', resource });
const request = { name: 'r', exactly: { deviceClassName: 'gpu' } };

async function setUp(t: TestContext) {
  const { client, clock } = await simulateCluster(t, {
    controllers: [
      'resourceclaim-controller',
      'resourcequota-controller',
      'serviceaccount-controller',
    ],
  });
  const pods = client.resource<Pod>(core('pods')).namespace('default');
  const claims = client.resource<ResourceClaim>(device('resourceclaims')).namespace('default');
  const templates = client
    .resource<ResourceClaimTemplate>(device('resourceclaimtemplates'))
    .namespace('default');
  const events = client.resource<Event>(core('events')).namespace('default');
  const settle = () => clock.advance(1_000);
  return {
    pods,
    claims,
    templates,
    quotas: client.resource(core('resourcequotas')).namespace('default'),
    settle,
    addTemplate: () =>
      templates.create({
        metadata: { name: 't' },
        spec: { spec: { devices: { requests: [request] } } },
      }),
    addPod: (name: string, reference = 'x') =>
      pods.create({
        metadata: { name },
        spec: {
          containers: [{ name: 'c', image: 'app' }],
          resourceClaims: [{ name: reference, resourceClaimTemplateName: 't' }],
        },
      }),
    said: async () => {
      await settle();
      const { items } = await events.list();
      return [...new Set(items.map(({ reason, message }) => `${reason} ${message}`))];
    },
  };
}

test('names of claims have something of the pod and of its reference', async (t) => {
  const long = (letter: string, length: number) => letter.repeat(length);
  const rows: [pod: string, reference: string, base: string][] = [
    ['p', 'x', 'p-x-'],
    [long('p', 49), long('x', 6), `${long('p', 49)}-${long('x', 6)}-`],
    [long('p', 49), long('x', 7), `${long('p', 48)}-${long('x', 6)}`],
    [long('p', 100), long('x', 50), `${long('p', 37)}-${long('x', 18)}`],
  ];
  for (const [pod, reference, base] of rows) {
    const { addTemplate, addPod, claims, pods, settle } = await setUp(t);
    await addTemplate();
    await addPod(pod, reference);
    await settle();
    const [claim] = (await claims.list()).items;
    const { generateName, name = '', ownerReferences = [] } = claim?.metadata ?? {};
    assert.equal(generateName, base);
    assert.deepEqual([name.length, name.startsWith(base)], [base.length + 5, true]);
    assert.deepEqual(
      ownerReferences.map(({ kind, name: owner }) => [kind, owner]),
      [['Pod', pod]],
    );
    const { metadata, status } = await pods.get(pod);
    assert.deepEqual(status?.resourceClaimStatuses, [{ name: reference, resourceClaimName: name }]);
    const writers = metadata.managedFields?.map((one) => `${one.manager} ${one.operation}`);
    assert.ok(writers?.includes('ResourceClaimController Apply'));
  }
});

test('a claim that was made and is lost is made again', async (t) => {
  const { addTemplate, addPod, claims, pods, settle } = await setUp(t);
  await addTemplate();
  await addPod('p');
  await settle();
  const nameOf = async () =>
    (await pods.get('p')).status?.resourceClaimStatuses?.[0]?.resourceClaimName;
  const first = (await nameOf()) ?? '';
  await claims.delete(first);
  await settle();
  const second = (await nameOf()) ?? '';
  assert.notEqual(second, first);
  assert.deepEqual(
    (await claims.list()).items.map(({ metadata }) => metadata.name),
    [second],
  );
  await claims.patch(second, 'merge', { metadata: { ownerReferences: null } });
  await pods.patch('p', 'merge', { metadata: { labels: { looked: 'again' } } });
  await settle();
  assert.equal((await claims.list()).items.length, 2);
  assert.notEqual(await nameOf(), second);
});

test('why there is no claim', async (t) => {
  const reason = 'FailedResourceClaimCreation PodResourceClaim x: ';
  const missing = await setUp(t);
  await missing.addPod('p');
  assert.deepEqual(await missing.said(), [
    `${reason}resource claim template "t": resourceclaimtemplate.resource.k8s.io "t" not found`,
  ]);

  const full = await setUp(t);
  await full.addTemplate();
  const hard = { 'count/resourceclaims.resource.k8s.io': '0' };
  await full.quotas.create({ metadata: { name: 'none' }, spec: { hard } });
  await full.settle();
  await full.addPod('p');
  const [text = ''] = await full.said();
  assert.ok(
    text.startsWith(`${reason}create ResourceClaim : resourceclaims.resource.k8s.io "p-x-`),
    text,
  );
});

test('a claim that is reserved stays so until its pod is gone or ends', async (t) => {
  const { addTemplate, addPod, claims, pods, settle } = await setUp(t);
  await addTemplate();
  const { uid = '' } = (await addPod('p')).metadata;
  await settle();
  const [claim] = (await claims.list()).items;
  const name = claim?.metadata.name ?? '';
  const consumer = (of: string, podUid: string) => ({ resource: 'pods', name: of, uid: podUid });
  const results = [{ request: 'r', driver: 'd', pool: 'p', device: 'g' }];
  await claims.patch(name, 'merge', {
    metadata: { finalizers: ['resource.kubernetes.io/delete-protection'] },
  });
  await claims.patch(
    name,
    'merge',
    {
      status: {
        allocation: { devices: { results } },
        reservedFor: [consumer('p', uid), consumer('gone', 'u'), consumer('p', 'before')],
      },
    },
    { subresource: 'status' },
  );
  await settle();
  const held = await claims.get(name);
  assert.deepEqual(held.status?.reservedFor, [consumer('p', uid)]);
  assert.deepEqual(held.status?.allocation?.devices?.results, results);
  await pods.patch('p', 'merge', { status: { phase: 'Succeeded' } }, { subresource: 'status' });
  await settle();
  assert.deepEqual((await claims.list()).items, []);
});
