import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { Pod, ResourceQuota } from '@keelson/apimachinery/types/core.v1';
import { core, simulateCluster } from '../testing/simulated-cluster.ts';

const containers = (cpu: string) => [{ name: 'c', image: 'app', resources: { requests: { cpu } } }];

async function setUp(t: TestContext) {
  const simulated = await simulateCluster(t);
  const { client, clock } = simulated;
  const quotas = client.resource<ResourceQuota>(core('resourcequotas')).namespace('default');
  const pods = client.resource<Pod>(core('pods')).namespace('default');
  const used = async (name = 'q') => {
    await clock.advance(1_000);
    return (await quotas.get(name)).status?.used;
  };
  const create = (hard: Record<string, string>, more: object = {}) =>
    quotas.create({ metadata: { name: 'q' }, spec: { hard, ...more } });
  return { ...simulated, quotas, pods, used, create };
}

test('what is there is counted, and what goes is given back', async (t) => {
  const { pods, used, create, warnings } = await setUp(t);
  await pods.create({ metadata: { name: 'a' }, spec: { containers: containers('300m') } });
  await create({ pods: '3', 'requests.cpu': '1', 'count/pods': '9' });
  assert.deepEqual(await used(), { pods: '1', 'requests.cpu': '300m', 'count/pods': '1' });

  await pods.create({ metadata: { name: 'b' }, spec: { containers: containers('200m') } });
  assert.deepEqual(await used(), { pods: '2', 'requests.cpu': '500m', 'count/pods': '2' });

  // A pod that ended uses nothing but its place in the storage.
  await pods.patch('a', 'merge', { status: { phase: 'Succeeded' } }, { subresource: 'status' });
  assert.deepEqual(await used(), { pods: '1', 'requests.cpu': '200m', 'count/pods': '2' });
  await pods.delete('a', { gracePeriodSeconds: 0 });
  await pods.delete('b', { gracePeriodSeconds: 0 });
  assert.deepEqual(await used(), { pods: '0', 'requests.cpu': '0', 'count/pods': '0' });
  assert.deepEqual(warnings, []);
});

test('limits that change are counted anew, scopes and classes too', async (t) => {
  const { pods, quotas, used, create } = await setUp(t);
  await create({ pods: '3' }, { scopes: ['BestEffort'] });
  await pods.create({ metadata: { name: 'a' }, spec: { containers: containers('300m') } });
  await pods.create({
    metadata: { name: 'b' },
    spec: { containers: [{ name: 'c', image: 'app' }] },
  });
  assert.deepEqual(await used(), { pods: '1' });
  await quotas.patch('q', 'merge', { spec: { hard: { pods: '7', 'count/pods': '2' } } });
  assert.deepEqual(await used(), { pods: '1', 'count/pods': '1' });
  assert.deepEqual((await quotas.get('q')).status?.hard, { pods: '7', 'count/pods': '2' });
});

test('any resource may be counted, one that nobody serves is not', async (t) => {
  const { client, used, create } = await setUp(t);
  await create({ 'count/roles.rbac.authorization.k8s.io': '2', 'count/things.example.com': '1' });
  assert.deepEqual(await used(), { 'count/roles.rbac.authorization.k8s.io': '0' });
  const roles = { group: 'rbac.authorization.k8s.io', version: 'v1', resource: 'roles' };
  const resource = client.resource(roles).namespace('default');
  await resource.create({ metadata: { name: 'r' }, rules: [] });
  assert.deepEqual(await used(), { 'count/roles.rbac.authorization.k8s.io': '1' });
  await resource.delete('r');
  assert.deepEqual(await used(), { 'count/roles.rbac.authorization.k8s.io': '0' });
});

test('numbers that somebody else wrote are put right', async (t) => {
  const { quotas, used, create, clock } = await setUp(t);
  await create({ pods: '3' });
  assert.deepEqual(await used(), { pods: '0' });
  const status = { hard: { pods: '3' }, used: { pods: '3' } };
  await quotas.patch('q', 'merge', { status }, { subresource: 'status' });
  assert.deepEqual(await used(), { pods: '3' });
  await clock.advance(300_000);
  assert.deepEqual(await used(), { pods: '0' });
});

test('what nobody can count stays as it was, until there is no limit to it', async (t) => {
  const { quotas, used, create } = await setUp(t);
  const things = 'count/things.example.com';
  await create({ pods: '3', [things]: '5' });
  assert.deepEqual(await used(), { pods: '0' });
  const status = { used: { pods: '0', [things]: '4' } };
  await quotas.patch('q', 'merge', { status }, { subresource: 'status' });
  await quotas.patch('q', 'merge', { spec: { hard: { pods: '4' } } });
  assert.deepEqual(await used(), { pods: '0', [things]: '4' });
  await quotas.patch('q', 'merge', { spec: { hard: { [things]: null } } });
  assert.deepEqual(await used(), { pods: '0' });
});
