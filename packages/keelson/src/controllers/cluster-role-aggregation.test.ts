import assert from 'node:assert/strict';
import { test } from 'node:test';
import type {
  ClusterRole,
  PolicyRule,
} from '@keelson/apimachinery/types/rbac.authorization.k8s.io.v1';
import { simulateCluster } from '../testing/simulated-cluster.ts';

const resource = { group: 'rbac.authorization.k8s.io', version: 'v1', resource: 'clusterroles' };
const controllers = ['clusterrole-aggregation-controller'];
const rule = (...resources: string[]): PolicyRule => ({
  apiGroups: [''],
  resources,
  verbs: ['get'],
});
const role = (name: string, label: string, ...rules: PolicyRule[]): ClusterRole => ({
  metadata: { name, labels: { to: label } },
  rules,
});
const sum = (name: string, label: string, own = ''): ClusterRole => ({
  metadata: { name, labels: { to: own } },
  rules: [],
  aggregationRule: { clusterRoleSelectors: [{ matchLabels: { to: label } }] },
});

async function setUp(t: Parameters<typeof simulateCluster>[0]) {
  const { client, clock, warnings } = await simulateCluster(t, { controllers });
  const roles = client.resource<ClusterRole>(resource);
  const resourcesOf = async (name: string) => {
    await clock.advance(10);
    return ((await roles.get(name)).rules ?? []).map(({ resources }) => resources?.join());
  };
  return { roles, resourcesOf, clock, warnings };
}

test('the sum follows its parts', async (t) => {
  const { roles, resourcesOf, warnings } = await setUp(t);
  await roles.create(sum('sum', 'sum'));
  assert.deepEqual(await resourcesOf('sum'), []);
  await roles.create(role('b', 'sum', rule('pods'), rule('nodes')));
  await roles.create(role('a', 'sum', rule('secrets'), rule('pods')));
  await roles.create(role('c', 'other', rule('events')));
  // By name, and each rule once.
  assert.deepEqual(await resourcesOf('sum'), ['secrets', 'pods', 'nodes']);
  await roles.patch('c', 'merge', { metadata: { labels: { to: 'sum' } } });
  await roles.patch('b', 'merge', { metadata: { labels: { to: null } } });
  assert.deepEqual(await resourcesOf('sum'), ['secrets', 'pods', 'events']);
  await roles.delete('a');
  assert.deepEqual(await resourcesOf('sum'), ['events']);
  await roles.delete('c');
  assert.deepEqual(await resourcesOf('sum'), []);
  assert.deepEqual(warnings, []);
});

test('sums of sums, and a sum is no part of itself', async (t) => {
  const { roles, resourcesOf } = await setUp(t);
  await roles.create(sum('top', 'middle'));
  await roles.create(sum('middle', 'leaf', 'middle'));
  await roles.create(sum('self', 'self', 'self'));
  await roles.create(role('leaf', 'leaf', rule('pods')));
  assert.deepEqual(await resourcesOf('top'), ['pods']);
  assert.deepEqual(await resourcesOf('self'), []);
});

test('rules that somebody wrote into a sum are taken out, others are not touched', async (t) => {
  const { roles, resourcesOf } = await setUp(t);
  await roles.create(sum('sum', 'sum'));
  await roles.create(role('plain', 'sum', rule('pods')));
  await resourcesOf('sum');
  await roles.patch('sum', 'merge', {
    rules: [{ apiGroups: [''], resources: ['secrets'], verbs: ['*'] }],
  });
  assert.deepEqual(await resourcesOf('sum'), ['pods']);
  await roles.patch('plain', 'merge', {
    rules: [{ apiGroups: [''], resources: ['nodes'], verbs: ['get'] }],
  });
  assert.deepEqual(await resourcesOf('plain'), ['nodes']);
  assert.deepEqual(await resourcesOf('sum'), ['nodes']);
});

test('the default roles are as they should be already', async (t) => {
  const { roles, clock } = await setUp(t);
  const versions = async () =>
    (await roles.list()).items.map(({ metadata }) => [metadata.name, metadata.resourceVersion]);
  const before = await versions();
  await clock.advance(60_000);
  assert.deepEqual(await versions(), before);
});
