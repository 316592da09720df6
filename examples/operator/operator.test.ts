// What the operator does for websites. Every test has a cluster of its own: a fork of the one that
// has been set up once.

import assert from 'node:assert/strict';
import { after, before, test, type TestContext } from 'node:test';
import type { V1Deployment } from '@kubernetes/client-node';
import type { Cluster } from '@keelson/keelson';
import { createSiteCluster, namespace, openSiteCluster, readinessOf } from './test-cluster.ts';

let prepared: Cluster;
before(async () => {
  prepared = await createSiteCluster();
});
after(() => prepared.close());
const fork = async (t: TestContext) => openSiteCluster(t, await prepared.fork());

const host = 'shop.example.com';
const pages = { 'index.html': 'Hello' };
const shop = { host, pages };
const named = (name: string) => ({ name, namespace });
const sitesByHost = { namespace: 'website-system', name: 'website-hosts' };

test('a website becomes a deployment, a service and a config map, and says how it fares', async (t) => {
  const { cluster, sites, core, apps, start, runPods, becomes, failures } = await fork(t);
  await start();
  const { metadata } = await sites.create('shop', { ...shop, replicas: 2 });
  await becomes('shop', 'False', 'Progressing');
  await runPods(2);
  await becomes('shop', 'True', 'Available');

  const children = [
    await apps.readNamespacedDeployment(named('shop')),
    await core.readNamespacedService(named('shop')),
    await core.readNamespacedConfigMap(named('shop')),
  ];
  for (const child of children)
    assert.deepEqual(
      child.metadata?.ownerReferences?.map(({ uid, controller }) => [uid, controller]),
      [[metadata.uid, true]],
    );
  const { status } = await sites.read('shop');
  assert.deepEqual(
    [status?.replicas, status?.selector, status?.observedGeneration],
    [2, 'app.kubernetes.io/instance=shop', 1],
  );
  await cluster.eventually(async () => {
    const { items } = await core.listNamespacedEvent({
      namespace,
      fieldSelector: 'involvedObject.kind=Website',
    });
    const events = items.map(({ type, reason, message }) => `${type} ${reason}: ${message}`);
    assert.deepEqual(
      events.toSorted(),
      [
        'Normal Available: http://shop.example.com is served',
        'Normal Progressing: 0 of 2 pods are available',
      ],
      failures.join(),
    );
  });
  assert.deepEqual(failures, []);

  // As `kubectl get` asks.
  using client = cluster.client();
  const bytes = await client.send({
    method: 'GET',
    path: `/apis/sites.example.com/v1/namespaces/${namespace}/websites`,
    headers: { accept: 'application/json;as=Table;g=meta.k8s.io;v=v1' },
  });
  const table = JSON.parse(Buffer.from(bytes).toString()) as {
    readonly columnDefinitions: readonly { readonly name: string }[];
    readonly rows: readonly { readonly cells: readonly unknown[] }[];
  };
  assert.deepEqual(
    table.columnDefinitions.map(({ name }) => name),
    ['Name', 'Host', 'Ready', 'Reason', 'Age'],
  );
  assert.deepEqual(table.rows[0]?.cells.slice(0, 4), ['shop', host, 'True', 'Available']);
});

test('other pages are a rollout, and another size is not', async (t) => {
  const { cluster, sites, core, apps, start, runPods, becomes } = await fork(t);
  await start();
  await sites.create('shop', shop);
  await runPods(1);
  await becomes('shop', 'True', 'Available');
  const replicaSets = async () => (await apps.listNamespacedReplicaSet({ namespace })).items.length;

  await sites.scale('shop', 3);
  await runPods(3);
  await cluster.eventually(async () => {
    const site = await sites.read('shop');
    assert.deepEqual([site.status?.replicas, readinessOf(site)?.status], [3, 'True']);
  });
  assert.equal(await replicaSets(), 1);

  await sites.patch('shop', { spec: { pages: { 'index.html': 'Hello again' } } });
  await cluster.eventually(async () => assert.equal(await replicaSets(), 2));
  const { data } = await core.readNamespacedConfigMap(named('shop'));
  assert.deepEqual(data, { 'index.html': 'Hello again' });
});

test('what others do to its objects is put right', async (t) => {
  const { cluster, sites, core, apps, objects, start, becomes } = await fork(t);
  await start();
  await sites.create('shop', shop);
  await becomes('shop', 'False', 'Progressing');
  const { metadata } = await core.readNamespacedService(named('shop'));

  const deployment = await apps.readNamespacedDeployment(named('shop'));
  await apps.replaceNamespacedDeployment({
    ...named('shop'),
    body: { ...deployment, spec: { ...deployment.spec, replicas: 7 } as V1Deployment['spec'] },
  });
  await core.deleteNamespacedService(named('shop'));
  await core.replaceNamespacedConfigMap({
    ...named('shop'),
    body: {
      ...(await core.readNamespacedConfigMap(named('shop'))),
      data: { 'index.html': 'Mine' },
    },
  });
  await cluster.eventually(async () => {
    const { spec } = await apps.readNamespacedDeployment(named('shop'));
    assert.equal(spec?.replicas, 1);
    const service = await core.readNamespacedService(named('shop'));
    assert.notEqual(service.metadata?.uid, metadata?.uid);
    assert.deepEqual((await core.readNamespacedConfigMap(named('shop'))).data, pages);
  });
  // What the operator does not set belongs to others.
  await objects.patch({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { ...named('shop'), annotations: { team: 'web' } },
  });
  await sites.patch('shop', { spec: { replicas: 2 } });
  await cluster.eventually(async () => {
    const { spec } = await apps.readNamespacedDeployment(named('shop'));
    assert.equal(spec?.replicas, 2);
  });
  const service = await core.readNamespacedService(named('shop'));
  assert.deepEqual(service.metadata?.annotations, { team: 'web' });
});

test('with a website everything goes that was made for it', async (t) => {
  const { cluster, sites, core, apps, start, runPods, becomes } = await fork(t);
  await start();
  await sites.create('shop', shop);
  await runPods(1);
  await becomes('shop', 'True', 'Available');
  assert.deepEqual((await core.readNamespacedConfigMap(sitesByHost)).data, {
    [host]: 'default/shop',
  });
  await sites.delete('shop');
  await cluster.eventually(async () => {
    const lists = await Promise.all([
      sites.list(),
      apps.listNamespacedDeployment({ namespace }),
      apps.listNamespacedReplicaSet({ namespace }),
      core.listNamespacedService({ namespace, labelSelector: 'app.kubernetes.io/managed-by' }),
      core.listNamespacedConfigMap({ namespace, labelSelector: 'app.kubernetes.io/managed-by' }),
    ]);
    assert.deepEqual(
      lists.map(({ items }) => items.length),
      [0, 0, 0, 0, 0],
    );
  });
  assert.deepEqual((await core.readNamespacedConfigMap(sitesByHost)).data ?? {}, {});
});

test('a host has one website; the next has it when the first has gone', async (t) => {
  const { cluster, sites, apps, start, becomes } = await fork(t);
  await start();
  await sites.create('first', shop);
  await becomes('first', 'False', 'Progressing');
  await sites.create('second', shop);
  await becomes('second', 'False', 'HostTaken');
  const { items } = await apps.listNamespacedDeployment({ namespace });
  assert.deepEqual(
    items.map(({ metadata }) => metadata?.name),
    ['first'],
  );
  await sites.delete('first');
  await cluster.eventually(async () => {
    assert.equal(readinessOf(await sites.read('second'))?.reason, 'Progressing');
  });
});

test('two operators at once lose nothing', async (t) => {
  const { cluster, sites, core, apps, start, failures } = await fork(t);
  await Promise.all([start(), start()]);
  const names = ['a', 'b', 'c', 'd'];
  await Promise.all(
    names.map((name) => sites.create(name, { host: `${name}.example.com`, pages })),
  );
  await cluster.eventually(async () => {
    const { data } = await core.readNamespacedConfigMap(sitesByHost);
    assert.deepEqual(
      data,
      Object.fromEntries(names.map((name) => [`${name}.example.com`, `default/${name}`])),
    );
    assert.equal((await apps.listNamespacedDeployment({ namespace })).items.length, names.length);
  });
  assert.deepEqual(failures, []);
});
