import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { ReplicaSet } from '@keelson/apimachinery/types/apps.v1';
import type { Pod } from '@keelson/apimachinery/types/core.v1';
import type { Client } from '@keelson/client';
import { core, namesIn, simulateCluster } from '../testing/simulated-cluster.ts';

const replicaSets = { group: 'apps', version: 'v1', resource: 'replicasets' };
const labels = { app: 'web' };
const replicaSet = (replicas: number, more: object = {}): ReplicaSet => ({
  apiVersion: 'apps/v1',
  kind: 'ReplicaSet',
  metadata: { name: 'web' },
  spec: {
    replicas,
    selector: { matchLabels: labels },
    template: { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'app' }] } },
    ...more,
  },
});

async function setUp(t: TestContext) {
  const simulated = await simulateCluster(t);
  const sets = simulated.client.resource<ReplicaSet>(replicaSets).namespace('default');
  const pods = simulated.client.resource<Pod>(core('pods')).namespace('default');
  const events = simulated.client.resource(core('events')).namespace('default');
  const settle = () => simulated.clock.advance(10_000);
  const setPhase = (name: string, phase: string, isReady = false) =>
    pods.patch(
      name,
      'merge',
      { status: { phase, conditions: [{ type: 'Ready', status: isReady ? 'True' : 'False' }] } },
      { subresource: 'status' },
    );
  return { ...simulated, sets, pods, events, settle, setPhase };
}

test('pods are created, replaced, scaled and counted', async (t) => {
  const { sets, pods, settle, setPhase, warnings } = await setUp(t);
  await sets.create(replicaSet(3));
  await settle();
  const [first = '', second = ''] = await namesIn(pods);
  assert.equal((await namesIn(pods)).length, 3);
  assert.match(first, /^web-[a-z0-9]{5}$/);
  assert.equal((await sets.get('web')).status?.replicas, 3);

  // One that failed is replaced and stays; one that is deleted is replaced.
  await setPhase(first, 'Failed');
  await pods.delete(second, { gracePeriodSeconds: 0 });
  await settle();
  const names = await namesIn(pods);
  assert.equal(names.length, 4);
  assert.ok(names.includes(first) && !names.includes(second));
  assert.equal((await sets.get('web')).status?.replicas, 3);

  await sets.patch('web', 'merge', { spec: { replicas: 0 } });
  await settle();
  assert.deepEqual((await sets.get('web')).status, {
    replicas: 0,
    observedGeneration: 2,
    terminatingReplicas: 0,
  });
  assert.deepEqual(warnings, []);
});

test('more pods than one batch, exactly as many as asked for', async (t) => {
  const { sets, pods, settle } = await setUp(t);
  await sets.create(replicaSet(600));
  await settle();
  assert.equal((await pods.list()).items.length, 600);
  assert.equal((await sets.get('web')).status?.replicas, 600);
});

test('what is refused is told in a condition and an event, and tried again', async (t) => {
  const { sets, pods, events, client, settle } = await setUp(t);
  const quotas = client.resource(core('resourcequotas')).namespace('default');
  await quotas.create({ metadata: { name: 'q' }, spec: { hard: { pods: '2' } } });
  await quotas.patch(
    'q',
    'merge',
    { status: { hard: { pods: '2' }, used: { pods: '0' } } },
    { subresource: 'status' },
  );
  await sets.create(replicaSet(5));
  await settle();
  assert.equal((await pods.list()).items.length, 2);
  const [condition] = (await sets.get('web')).status?.conditions ?? [];
  assert.equal(condition?.type, 'ReplicaFailure');
  assert.equal(condition?.reason, 'FailedCreate');
  assert.match(
    condition?.message ?? '',
    /exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=2/,
  );
  const reasons = new Set((await events.list()).items.map(({ reason }) => reason));
  // Nobody has made nodes for the pods.
  reasons.delete('FailedScheduling');
  assert.deepEqual(reasons, new Set(['SuccessfulCreate', 'FailedCreate']));
  await quotas.delete('q');
  await settle();
  const set = await sets.get('web');
  assert.equal(set.status?.replicas, 5);
  assert.equal(set.status?.conditions, undefined);
});

test('orphans that match are adopted, pods that no longer match are let go', async (t) => {
  const { sets, pods, settle } = await setUp(t);
  const spec = { containers: [{ name: 'c', image: 'app' }] };
  await pods.create({ metadata: { name: 'orphan', labels }, spec });
  const owner = { apiVersion: 'v1', kind: 'Other', name: 'x', uid: 'u', controller: true };
  await pods.create({ metadata: { name: 'owned', labels, ownerReferences: [owner] }, spec });
  await sets.create(replicaSet(2));
  await settle();
  const ownerOf = async (name: string) =>
    (await pods.get(name)).metadata.ownerReferences?.[0]?.kind;
  assert.equal(await ownerOf('orphan'), 'ReplicaSet');
  await pods.patch('orphan', 'merge', { metadata: { labels: { app: 'other' } } });
  await settle();
  assert.equal(await ownerOf('orphan'), undefined);
  const all = (await pods.list()).items.filter(
    ({ metadata }) => metadata.ownerReferences?.[0]?.kind === 'ReplicaSet',
  );
  assert.equal(all.length, 2);
});

test('availability needs time, and comes without any event', async (t) => {
  const { sets, pods, clock, settle, setPhase } = await setUp(t);
  await sets.create(replicaSet(1, { minReadySeconds: 30 }));
  await settle();
  const [name = ''] = await namesIn(pods);
  const since = new Date(clock.now()).toISOString().replace(/\.\d+Z/, 'Z');
  const ready = { type: 'Ready', status: 'True', lastTransitionTime: since };
  await setPhase(name, 'Running');
  await pods.patch(name, 'merge', { status: { conditions: [ready] } }, { subresource: 'status' });
  await settle();
  const availableOf = async () => {
    const { status } = await sets.get('web');
    return [status?.readyReplicas ?? 0, status?.availableReplicas ?? 0];
  };
  assert.deepEqual(await availableOf(), [1, 0]);
  await clock.advance(31_000);
  assert.deepEqual(await availableOf(), [1, 1]);
});

/** Nobody may delete pods any more. */
async function keepPods(client: Client) {
  const admission = (name: string) =>
    client.resource({ group: 'admissionregistration.k8s.io', version: 'v1', resource: name });
  const rule = { apiVersions: ['v1'], resources: ['pods'], operations: ['DELETE'] };
  await admission('validatingadmissionpolicies').create({
    metadata: { name: 'keep' },
    spec: {
      matchConstraints: { resourceRules: [{ apiGroups: [''], ...rule }] },
      validations: [{ expression: 'false', message: 'it stays' }],
    },
  } as never);
  await admission('validatingadmissionpolicybindings').create({
    metadata: { name: 'keep' },
    spec: { policyName: 'keep', validationActions: ['Deny'] },
  } as never);
}

test('pods that may not be deleted are told in a condition and an event', async (t) => {
  const { sets, pods, events, client, settle } = await setUp(t);
  await sets.create(replicaSet(1));
  await settle();
  await keepPods(client);
  await settle();
  await sets.patch('web', 'merge', { spec: { replicas: 0 } });
  await settle();
  const [name = ''] = await namesIn(pods);
  const why = "ValidatingAdmissionPolicy 'keep' with binding 'keep' denied request: it stays";
  const refused = `pods "${name}" is forbidden: ${why}`;
  const [condition] = (await sets.get('web')).status?.conditions ?? [];
  assert.deepEqual(
    [condition?.type, condition?.reason, condition?.message],
    ['ReplicaFailure', 'FailedDelete', `unable to delete pods: ${refused}`],
  );
  const told = (await events.list()).items.find(({ reason }) => reason === 'FailedDelete');
  assert.equal(told?.message, `Error deleting: ${refused}`);
});
