import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { OwnerReference } from '@keelson/apimachinery';
import { find, namesIn, simulateCluster } from '../testing/simulated-cluster.ts';

const definitions = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  resource: 'customresourcedefinitions',
};
const things = { group: 'example.com', version: 'v1', resource: 'things' };
const definition = {
  metadata: { name: 'things.example.com' },
  spec: {
    group: 'example.com',
    scope: 'Namespaced',
    names: { plural: 'things', kind: 'Thing' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: 'object' } },
      },
    ],
  },
};
const thing = (name: string, ownerReferences: OwnerReference[] = []) => ({
  apiVersion: 'example.com/v1',
  kind: 'Thing',
  metadata: { name, ownerReferences },
});
const ownerOf = (kind: 'Thing' | 'ConfigMap', name: string, uid = ''): OwnerReference => ({
  apiVersion: kind === 'Thing' ? 'example.com/v1' : 'v1',
  kind,
  name,
  uid,
});

async function setUp(t: TestContext) {
  const simulated = await simulateCluster(t);
  const define = async () => {
    await simulated.client.resource(definitions).create(definition);
    await simulated.clock.advance(1_000);
  };
  const inNamespace = (name: string) => simulated.client.resource(things).namespace(name);
  return { ...simulated, define, inNamespace };
}

test('custom resources own and are owned', async (t) => {
  const { define, inNamespace, configMaps, clock } = await setUp(t);
  await define();
  const a = await inNamespace('default').create(thing('a'));
  const owners = [ownerOf('Thing', 'a', a.metadata.uid)];
  const map = await configMaps('default').create({
    metadata: { name: 'b', ownerReferences: owners },
  });
  await inNamespace('default').create(thing('c', [ownerOf('ConfigMap', 'b', map.metadata.uid)]));
  await inNamespace('default').create(thing('z'));
  await clock.advance(10_000);
  assert.deepEqual(await namesIn(inNamespace('default')), ['a', 'c', 'z']);
  await inNamespace('default').delete('a', { propagationPolicy: 'Foreground' });
  await clock.advance(10_000);
  assert.deepEqual(await namesIn(inNamespace('default')), ['z']);
  assert.equal(await find(configMaps('default'), 'b'), undefined);
});

test('an owner of a kind that comes later is believed until it is known', async (t) => {
  const { define, inNamespace, configMaps, clock } = await setUp(t);
  const ownerReferences = [ownerOf('Thing', 'never', '00000000-0000-4000-8000-000000000001')];
  await configMaps('default').create({ metadata: { name: 'b', ownerReferences } });
  await clock.advance(600_000);
  assert.ok(await find(configMaps('default'), 'b'));
  await define();
  await clock.advance(120_000);
  assert.equal(await find(configMaps('default'), 'b'), undefined);
  assert.deepEqual(await namesIn(inNamespace('default')), []);
});

test('a namespace takes its custom resources with it', async (t) => {
  const { define, inNamespace, namespaces, clock, warnings } = await setUp(t);
  await define();
  for (const name of ['shop', 'other']) {
    await namespaces.create({ metadata: { name } });
    await inNamespace(name).create(thing('a'));
  }
  await namespaces.delete('shop');
  await clock.advance(1_000);
  assert.equal(await find(namespaces, 'shop'), undefined);
  assert.deepEqual(await namesIn(inNamespace('other')), ['a']);
  assert.deepEqual(warnings, []);
});

test('a definition that goes takes its objects and their dependents, and may come back', async (t) => {
  const { define, inNamespace, client, configMaps, clock } = await setUp(t);
  await define();
  const a = await inNamespace('default').create(thing('a'));
  const owners = [ownerOf('Thing', 'a', a.metadata.uid)];
  await configMaps('default').create({ metadata: { name: 'b', ownerReferences: owners } });
  await clock.advance(1_000);
  await client.resource(definitions).delete('things.example.com');
  await clock.advance(60_000);
  assert.equal(await find(configMaps('default'), 'b'), undefined);

  await define();
  const again = await inNamespace('default').create(thing('a'));
  const ownedAgain = [ownerOf('Thing', 'a', again.metadata.uid)];
  await configMaps('default').create({ metadata: { name: 'c', ownerReferences: ownedAgain } });
  await clock.advance(10_000);
  assert.ok(await find(configMaps('default'), 'c'));
  await inNamespace('default').delete('a');
  await clock.advance(10_000);
  assert.equal(await find(configMaps('default'), 'c'), undefined);
});
