// Objects that are written again because they are stored otherwise than they would be today
// (KEP-4192).

import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { KubeObject } from '@keelson/apimachinery';
import type { CustomResourceDefinition } from '@keelson/apimachinery/types/apiextensions.k8s.io.v1';
import type { StorageVersionMigration } from '@keelson/apimachinery/types/storagemigration.k8s.io.v1beta1';
import type { Client } from '@keelson/client';
import {
  defineThings,
  definitionsResource,
  migrationsResource,
  thingDefinition,
  thingsResource,
  withMigrations,
} from '../testing/migrations.ts';
import { core, simulateCluster } from '../testing/simulated-cluster.ts';

const ofThings = { group: 'example.com', resource: 'things' };
const succeeded = [
  'Running False MigrationCompleted: Migration completed',
  'Succeeded True StorageVersionMigrationSucceeded: ',
];

function actOn(client: Client) {
  const definitions = client.resource<CustomResourceDefinition>(definitionsResource);
  const migrations = client.resource<StorageVersionMigration>(migrationsResource);
  return {
    things: (version: string) => client.resource(thingsResource(version)).namespace('default'),
    definition: () => definitions.get(thingDefinition),
    async define(next: CustomResourceDefinition) {
      const { metadata } = await definitions.get(thingDefinition);
      await definitions.update({ ...next, metadata });
    },
    migrate: (name: string, resource: { readonly group?: string; readonly resource: string }) =>
      migrations.create({ metadata: { name }, spec: { resource: { group: '', ...resource } } }),
    migration: (name: string) => migrations.get(name),
    told: async (name: string) =>
      ((await migrations.get(name)).status?.conditions ?? []).map(
        ({ type, status, reason, message }) => `${type} ${status} ${reason}: ${message}`,
      ),
    async storageMigrating() {
      const { status } = await definitions.get(thingDefinition);
      const told = status?.conditions?.find(({ type }) => type === 'StorageMigrating');
      return told && `${told.status} ${told.reason}: ${told.message}`;
    },
    async storedVersions() {
      return (await definitions.get(thingDefinition)).status?.storedVersions;
    },
  };
}

const thing = (name: string): KubeObject => ({
  apiVersion: 'example.com/v1',
  kind: 'Thing',
  metadata: { name },
});

/** `old` is stored in v1, and then v2 has become the storage version. */
async function setUp(t: TestContext, controllers: readonly string[] = ['*']) {
  const simulated = await simulateCluster(t, { ...withMigrations, controllers });
  const { client, clock } = simulated;
  const acts = actOn(client);
  await client.resource(definitionsResource).create(defineThings('v1'));
  await clock.advance(1_000);
  await acts.things('v1').create(thing('old'));
  await acts.define(defineThings('v2'));
  await clock.advance(1_000);
  return { ...simulated, ...acts };
}

test('objects get into the storage version, once, and the old version may go', async (t) => {
  const { things, define, storedVersions, storageMigrating, migrate, told, clock, warnings } =
    await setUp(t);
  const old = await things('v1').get('old');
  const young = await things('v1').create(thing('young'));
  assert.deepEqual(await storedVersions(), ['v1', 'v2']);
  await assert.rejects(define(defineThings('v2', ['v2'])), /must remain in spec.versions/);

  await migrate('first', ofThings);
  await clock.advance(5_000);
  assert.deepEqual(await told('first'), succeeded);
  assert.equal(
    await storageMigrating(),
    'False MigrationSucceeded: The migration has succeeded and the stored versions have been updated',
  );
  assert.deepEqual(await storedVersions(), ['v2']);
  const written = await things('v1').get('old');
  assert.notEqual(written.metadata.resourceVersion, old.metadata.resourceVersion);
  const { resourceVersion: _was, ...kept } = old.metadata;
  const { resourceVersion: _is, ...now } = written.metadata;
  assert.deepEqual(now, kept, 'nobody is told of a change');
  assert.deepEqual(await things('v1').get('young'), young);

  await migrate('second', ofThings);
  await clock.advance(5_000);
  assert.deepEqual(await told('second'), succeeded);
  assert.deepEqual(await storedVersions(), ['v2']);
  assert.deepEqual(await things('v1').get('old'), written);

  await define(defineThings('v2', ['v2']));
  await clock.advance(1_000);
  assert.equal((await things('v2').get('old')).apiVersion, 'example.com/v2');
  assert.deepEqual(warnings, []);
});

test('without a migration an object stays as it was stored', async (t) => {
  const { client, clock, define, definition, things } = await setUp(t);
  const { metadata, status } = await definition();
  const told = { ...defineThings('v2'), metadata, status: { ...status, storedVersions: ['v2'] } };
  await client.resource<KubeObject>(definitionsResource).update(told, { subresource: 'status' });
  await define(defineThings('v2', ['v2']));
  await clock.advance(1_000);
  await assert.rejects(things('v2').get('old'), /v1/);
});

test('a definition that changed meanwhile keeps its stored versions', async (t) => {
  const { cluster, clock, client, define, definition, migrate, migration, things } = await setUp(
    t,
    ['*', '-storage-version-migrator-controller'],
  );
  await migrate('m', ofThings);
  const begun = await migration('m');
  const lastTransitionTime = '2026-01-01T00:00:00Z';
  const running = { type: 'Running', status: 'True', reason: 'MigrationRunning', message: '' };
  const { resourceVersion = '' } = begun.metadata;
  await client.resource<KubeObject>(migrationsResource).update(
    {
      ...begun,
      status: { resourceVersion, conditions: [{ ...running, lastTransitionTime }] },
    } as KubeObject,
    { subresource: 'status' },
  );
  const { metadata, status } = await definition();
  const migrating = {
    ...running,
    type: 'StorageMigrating',
    lastTransitionTime,
    observedGeneration: metadata.generation,
  };
  const conditions = [...(status?.conditions ?? []), migrating];
  await client
    .resource<KubeObject>(definitionsResource)
    .update({ ...defineThings('v2'), metadata, status: { ...status, conditions } } as KubeObject, {
      subresource: 'status',
    });
  await define(defineThings('v1'));

  const fork = await cluster.fork({ ...withMigrations, controllers: ['*'] });
  t.after(() => fork.close());
  await clock.advance(5_000);
  const after = actOn(fork.client());
  assert.deepEqual(await after.told('m'), succeeded);
  assert.equal(
    await after.storageMigrating(),
    'False MigrationSucceeded: The migration has succeeded but the stored versions have not been updated due to a generation mismatch',
  );
  assert.deepEqual(await after.storedVersions(), ['v1', 'v2']);
  assert.ok(await things('v1').get('old'));
});

test('a migration that admission refuses fails, and no version is forgotten', async (t) => {
  const { client, clock, migrate, told, storageMigrating, storedVersions } = await setUp(t);
  const policy = { group: 'admissionregistration.k8s.io', version: 'v1' };
  const rule = {
    apiGroups: ['example.com'],
    apiVersions: ['*'],
    operations: ['UPDATE'],
    resources: ['things'],
  };
  const spec = {
    matchConstraints: { resourceRules: [rule] },
    validations: [{ expression: 'false', message: 'nobody writes' }],
  };
  await client
    .resource<KubeObject>({ ...policy, resource: 'validatingadmissionpolicies' })
    .create({ metadata: { name: 'p' }, spec } as KubeObject);
  await client
    .resource<KubeObject>({ ...policy, resource: 'validatingadmissionpolicybindings' })
    .create({
      metadata: { name: 'p' },
      spec: { policyName: 'p', validationActions: ['Deny'] },
    } as KubeObject);
  await clock.advance(1_000);
  await migrate('m', ofThings);
  await clock.advance(5_000);
  const [running, failed = ''] = await told('m');
  assert.equal(running, succeeded[0]);
  assert.match(
    failed,
    /^Failed True StorageVersionMigrationFailed: migration encountered unhandled error: .*nobody writes$/,
  );
  assert.equal(await storageMigrating(), 'False MigrationFailed: The migration has failed');
  assert.deepEqual(await storedVersions(), ['v1', 'v2']);
});

test('all objects of a built-in resource are looked at, page by page', async (t) => {
  const { client, clock, migrate, told } = await setUp(t);
  const maps = client.resource(core('configmaps')).namespace('default');
  const before: (string | undefined)[] = [];
  const count = 520;
  for (let i = 0; i < count; i++) {
    const { metadata } = await maps.create({ metadata: { name: `m${i}` } });
    before.push(metadata.resourceVersion);
  }
  await migrate('m', { resource: 'configmaps' });
  await clock.advance(5_000);
  assert.deepEqual(await told('m'), succeeded);
  const { items } = await maps.list();
  const after = new Map(items.map(({ metadata }) => [metadata.name, metadata.resourceVersion]));
  before.forEach((version, i) => assert.equal(after.get(`m${i}`), version, 'nothing to change'));
  const bytes = await client.send({ method: 'GET', path: '/metrics' });
  const applied = Buffer.from(bytes)
    .toString()
    .split('\n')
    .filter((line) => /^apiserver_request_total.*"configmaps"/.test(line) && /"APPLY"/.test(line))
    .map((line) => Number(line.split(' ').at(-1)));
  assert.ok(applied.reduce((sum, one) => sum + one, 0) >= count, 'every one is written');
});

test('a resource may come within a minute; then it never will', async (t) => {
  const { client, clock, migrate, told } = await setUp(t);
  await migrate('early', { group: 'example.com', resource: 'gadgets' });
  await migrate('never', { group: 'example.com', resource: 'nothings' });
  await clock.advance(20_000);
  assert.deepEqual(await told('early'), []);
  const { spec } = defineThings('v1');
  const names = { plural: 'gadgets', kind: 'Gadget' };
  const gadgets = { metadata: { name: 'gadgets.example.com' }, spec: { ...spec, names } };
  await client.resource(definitionsResource).create(gadgets);
  await clock.advance(120_000);
  assert.deepEqual(await told('early'), succeeded);
  assert.deepEqual(await told('never'), [
    'Failed True StorageVersionMigrationFailed: resource does not exist in discovery',
  ]);
});

test('a release without migrations does not serve them', async (t) => {
  const { client } = await simulateCluster(t, { ...withMigrations, emulatedVersion: '1.34' });
  await assert.rejects(client.resource(migrationsResource).list(), /404|not find/);
});
