import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Namespace, Pod } from '@keelson/apimachinery/types/core.v1';
import { core, find, namesIn, simulateCluster } from '../testing/simulated-cluster.ts';

const controllers = ['namespace-controller'];
const networkPolicies = { group: 'networking.k8s.io', version: 'v1', resource: 'networkpolicies' };
const roles = { group: 'rbac.authorization.k8s.io', version: 'v1', resource: 'roles' };
const podSpec = { containers: [{ name: 'c', image: 'i' }], automountServiceAccountToken: false };
const conditionOf = (namespace: Namespace | undefined, type: string) => {
  const found = namespace?.status?.conditions?.find((condition) => condition.type === type);
  return found && [found.status, found.reason, found.message];
};

test('a deleted namespace goes with all that it holds, and nothing else does', async (t) => {
  const { client, clock, namespaces, configMaps, warnings } = await simulateCluster(t, {
    controllers,
  });
  for (const name of ['shop', 'other']) {
    await namespaces.create({ metadata: { name } });
    await configMaps(name).create({ metadata: { name: 'a' } });
    await client
      .resource(core('secrets'))
      .namespace(name)
      .create({ metadata: { name: 'a' } });
    await client
      .resource(roles)
      .namespace(name)
      .create({ metadata: { name: 'a' }, rules: [] });
    const policy = { metadata: { name: 'a' }, spec: { podSelector: {} } };
    await client.resource(networkPolicies).namespace(name).create(policy);
  }
  const deleted = (await namespaces.delete('shop')) as Namespace;
  assert.equal(deleted.status?.phase, 'Terminating');
  // Requests that saw it before may still come to their end.
  await clock.advance(50);
  assert.ok(await find(configMaps('shop'), 'a'));
  await clock.advance(50);
  assert.equal(await find(namespaces, 'shop'), undefined);
  assert.equal(await find(configMaps('shop'), 'a'), undefined);
  assert.deepEqual(await namesIn(configMaps('other')), ['a']);
  assert.deepEqual(await namesIn(client.resource(roles).namespace('other')), ['a']);
  assert.ok(await find(namespaces, 'other'));
  assert.deepEqual(warnings, []);
});

test('what holds a finalizer holds the namespace, which says so', async (t) => {
  const { client, clock, configMaps, warnings } = await simulateCluster(t, { controllers });
  const namespaces = client.resource<Namespace>(core('namespaces'));
  await namespaces.create({ metadata: { name: 'shop' }, spec: {} });
  for (const name of ['a', 'b'])
    await configMaps('shop').create({ metadata: { name, finalizers: ['example.com/hold'] } });
  await configMaps('shop').create({ metadata: { name: 'free' } });
  await namespaces.delete('shop');
  await clock.advance(200);
  assert.deepEqual(await namesIn(configMaps('shop')), ['a', 'b']);
  const held = await namespaces.get('shop');
  assert.deepEqual(conditionOf(held, 'NamespaceContentRemaining'), [
    'True',
    'SomeResourcesRemain',
    'Some resources are remaining: configmaps. has 2 resource instances',
  ]);
  assert.deepEqual(conditionOf(held, 'NamespaceFinalizersRemaining'), [
    'True',
    'SomeFinalizersRemain',
    'Some content in the namespace has finalizers remaining: example.com/hold in 2 resource instances',
  ]);
  assert.equal(conditionOf(held, 'NamespaceDeletionContentFailure')?.[0], 'False');
  // Looking again changes nothing that did not change.
  await clock.advance(60_000);
  assert.equal(
    (await namespaces.get('shop')).metadata.resourceVersion,
    held.metadata.resourceVersion,
  );
  const release = { metadata: { finalizers: null } };
  await configMaps('shop').patch('a', 'merge', release);
  await clock.advance(10_000);
  const message = 'Some resources are remaining: configmaps. has 1 resource instances';
  assert.equal(
    conditionOf(await namespaces.get('shop'), 'NamespaceContentRemaining')?.[2],
    message,
  );
  await configMaps('shop').patch('b', 'merge', release);
  await clock.advance(10_000);
  assert.equal(await find(namespaces, 'shop'), undefined);
  assert.deepEqual(warnings, []);
});

test('pods go first, and the rest waits for them, in releases that order it', async (t) => {
  for (const [emulatedVersion, isOrdered] of [
    ['1.36', true],
    ['1.33', true],
    ['1.32', false],
    ['1.29', false],
  ] as const) {
    const { client, clock, namespaces, configMaps } = await simulateCluster(t, {
      controllers,
      emulatedVersion,
    });
    await namespaces.create({ metadata: { name: 'shop' } });
    await configMaps('shop').create({ metadata: { name: 'config' } });
    const policies = client.resource(networkPolicies).namespace('shop');
    await policies.create({ metadata: { name: 'fence' }, spec: { podSelector: {} } });
    const pods = client.resource<Pod>(core('pods')).namespace('shop');
    await client
      .resource(core('serviceaccounts'))
      .namespace('shop')
      .create({ metadata: { name: 'default' } });
    await pods.create({ metadata: { name: 'p', finalizers: ['example.com/hold'] }, spec: podSpec });
    await namespaces.delete('shop');
    await clock.advance(60_000);
    assert.deepEqual(await namesIn(policies), isOrdered ? ['fence'] : [], emulatedVersion);
    assert.deepEqual(await namesIn(configMaps('shop')), isOrdered ? ['config'] : []);
    const waiting = await client.resource<Namespace>(core('namespaces')).get('shop');
    const message = 'Some resources are remaining: pods. has 1 resource instances';
    assert.equal(conditionOf(waiting, 'NamespaceContentRemaining')?.[2], message);
    await pods.patch('p', 'merge', { metadata: { finalizers: null } });
    await clock.advance(10_000);
    assert.equal(await find(namespaces, 'shop'), undefined);
    assert.deepEqual(await namesIn(policies), []);
  }
});

test('finalizers of the namespace that are not ours are left to their owners', async (t) => {
  const { client, clock } = await simulateCluster(t, { controllers });
  const namespaces = client.resource<Namespace>(core('namespaces'));
  await namespaces.create({
    metadata: { name: 'shop' },
    spec: { finalizers: ['example.com/mine'] },
  });
  await namespaces.delete('shop');
  await clock.advance(60_000);
  const left = await namespaces.get('shop');
  assert.deepEqual(left.spec?.finalizers, ['example.com/mine']);
  await namespaces.update({ ...left, spec: { finalizers: [] } }, { subresource: 'finalize' });
  assert.equal(await find(namespaces, 'shop'), undefined);
});

test('namespaces that nobody deleted are left alone', async (t) => {
  const { clock, client, namespaces } = await simulateCluster(t, { controllers });
  const before = await namespaces.list();
  await namespaces.patch('default', 'merge', { metadata: { labels: { touched: 'yes' } } });
  await clock.advance(3600_000);
  assert.deepEqual(
    await namesIn(namespaces),
    before.items.map(({ metadata }) => metadata.name).toSorted(),
  );
  const { status } = await client.resource<Namespace>(core('namespaces')).get('default');
  assert.deepEqual(status, { phase: 'Active' });
});
