import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { isStatusError, type JsonValue } from '@keelson/apimachinery';
import type { Pod } from '@keelson/apimachinery/types/core.v1';
import type { PodDisruptionBudget } from '@keelson/apimachinery/types/policy.v1';
import { core, namesIn, simulateCluster } from '../testing/simulated-cluster.ts';

const budgetsResource = { group: 'policy', version: 'v1', resource: 'poddisruptionbudgets' };
const deploymentsResource = { group: 'apps', version: 'v1', resource: 'deployments' };
const labels = { app: 'web' };
const containers = [{ name: 'c', image: 'app' }];

async function setUp(t: TestContext) {
  const simulated = await simulateCluster(t);
  const { client, clock } = simulated;
  const budgets = client.resource<PodDisruptionBudget>(budgetsResource).namespace('default');
  const pods = client.resource<Pod>(core('pods')).namespace('default');
  const events = client.resource(core('events')).namespace('default');
  const create = (spec: object) =>
    budgets.create({
      metadata: { name: 'b' },
      spec: { selector: { matchLabels: labels }, ...spec },
    });
  const deploy = async (replicas: number) => {
    const template = { metadata: { labels }, spec: { containers } };
    const spec = { replicas, selector: { matchLabels: labels }, template };
    await client
      .resource(deploymentsResource)
      .namespace('default')
      .create({ metadata: { name: 'web' }, spec });
    await clock.advance(5_000);
  };
  const setStatus = (name: string, status: JsonValue) =>
    pods.patch(name, 'strategic', { status }, { subresource: 'status' });
  const ready = (name: string, status = 'True') =>
    setStatus(name, { phase: 'Running', conditions: [{ type: 'Ready', status }] });
  const counts = async () => {
    await clock.advance(1_000);
    const { status } = await budgets.get('b');
    const { currentHealthy, desiredHealthy, expectedPods, disruptionsAllowed } = status ?? {};
    return [currentHealthy, desiredHealthy, expectedPods, disruptionsAllowed];
  };
  const evict = async (name: string) => {
    const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name } };
    try {
      await client
        .resource(core('pods'))
        .namespace('default')
        .create(eviction, { name, subresource: 'eviction' });
      return 'evicted';
    } catch (error) {
      if (!isStatusError(error)) throw error;
      return error.status.details?.causes?.[0]?.message ?? error.message;
    }
  };
  return { ...simulated, budgets, pods, events, create, deploy, setStatus, ready, counts, evict };
}

test('percentages are of what the controllers of the pods want', async (t) => {
  const rows: [spec: object, expected: number[]][] = [
    [{ minAvailable: '50%' }, [3, 2, 4, 1]],
    [{ maxUnavailable: '25%' }, [3, 3, 4, 0]],
    [{ maxUnavailable: 2 }, [3, 2, 4, 1]],
    [{ minAvailable: 1 }, [3, 1, 4, 2]],
  ];
  for (const [spec, expected] of rows) {
    const { deploy, create, counts, pods, ready, warnings } = await setUp(t);
    await deploy(4);
    for (const name of (await namesIn(pods)).slice(1)) await ready(name);
    await create(spec);
    assert.deepEqual(await counts(), expected, JSON.stringify(spec));
    assert.deepEqual(warnings, []);
  }
});

test('as many evictions as are allowed, and no more', async (t) => {
  const { deploy, create, counts, pods, ready, evict } = await setUp(t);
  await deploy(3);
  const names = await namesIn(pods);
  for (const name of names) await ready(name);
  await create({ minAvailable: 2 });
  await counts();
  const [a = '', b = ''] = names;
  assert.equal(await evict(a), 'evicted');
  assert.match(await evict(b), /needs 2 healthy pods and has \d currently|still being processed/);
  assert.deepEqual(await counts(), [2, 2, 3, 0]);
  assert.match(await evict(b), /needs 2 healthy pods and has 2 currently/);
});

test('pods that nothing scales make percentages unknown', async (t) => {
  const rows: [owner: { apiVersion: string; kind: string; name: string }, why: string][] = [
    [
      { apiVersion: 'v1', kind: 'ConfigMap', name: 'x' },
      'configmaps does not implement the scale subresource',
    ],
    [
      { apiVersion: 'batch/v1', kind: 'Job', name: 'x' },
      'jobs.batch does not implement the scale subresource',
    ],
    [
      { apiVersion: 'a.example/v1', kind: 'Nothing', name: 'x' },
      'no matches for kind "Nothing" in version "a.example/v1"',
    ],
    [{ apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'x' }, 'found no controllers for pod "a"'],
  ];
  for (const [owner, why] of rows) {
    const { create, counts, pods, budgets, events, ready, clock } = await setUp(t);
    // What is not there, or was another, has no size either.
    const reference = { ...owner, uid: 'u', controller: true };
    await create({ maxUnavailable: '50%' });
    assert.deepEqual(await counts(), [0, 0, 0, 0]);
    await pods.create({
      metadata: { name: 'a', labels, finalizers: ['a.example/stay'], ownerReferences: [reference] },
      spec: { containers },
    });
    await ready('a');
    await counts();
    const [condition] = (await budgets.get('b')).status?.conditions ?? [];
    assert.deepEqual(
      [condition?.status, condition?.reason, condition?.message],
      ['False', 'SyncFailed', why],
    );
    const told = async () =>
      (await events.list({ fieldSelector: 'involvedObject.kind=PodDisruptionBudget' })).items
        .map(
          (event) => event as { type?: string; reason?: string; message?: string; count?: number },
        )
        .filter(({ type }) => type === 'Warning');
    // The garbage collector has its say of the owners, too.
    await clock.advance(20_000);
    const before = await told();
    assert.deepEqual(
      before.map(({ reason, message }) => [reason, message]),
      [
        [
          'CalculateExpectedPodCountFailed',
          `Failed to calculate the number of expected pods: ${why}`,
        ],
      ],
    );
    // It is not tried again and again: only another pod or budget changes anything.
    await clock.advance(60_000);
    assert.deepEqual(
      (await told()).map(({ count }) => count),
      before.map(({ count }) => count),
    );
  }
});

test('while the numbers are unknown nothing may go', async (t) => {
  const { create, counts, pods, ready, evict, configMaps } = await setUp(t);
  await create({ maxUnavailable: '50%' });
  const { uid = '' } = (await configMaps('default').create({ metadata: { name: 'x' } })).metadata;
  const owner = { apiVersion: 'v1', kind: 'ConfigMap', name: 'x', uid, controller: true };
  await pods.create({
    metadata: { name: 'a', labels, ownerReferences: [owner] },
    spec: { containers },
  });
  await ready('a');
  await counts();
  assert.match(
    await evict('a'),
    /because it failed sync: configmaps does not implement the scale subresource$/,
  );
});

test('a status that could not be counted keeps the generation of its numbers', async (t) => {
  const { create, counts, pods, budgets } = await setUp(t);
  await create({ minAvailable: 1 });
  await counts();
  const owner = { apiVersion: 'batch/v1', kind: 'Job', name: 'x', uid: 'u', controller: true };
  await pods.create({
    metadata: { name: 'a', labels, finalizers: ['a.example/stay'], ownerReferences: [owner] },
    spec: { containers },
  });
  await budgets.patch('b', 'merge', { spec: { minAvailable: '50%' } });
  await counts();
  const { metadata, status } = await budgets.get('b');
  const [condition] = status?.conditions ?? [];
  assert.deepEqual(
    [metadata.generation, status?.observedGeneration, condition?.observedGeneration],
    [2, 1, 1],
  );
});

test('a pod in several budgets is told so', async (t) => {
  const { create, budgets, pods, events, clock } = await setUp(t);
  await create({ minAvailable: 1 });
  await budgets.create({
    metadata: { name: 'a' },
    spec: { selector: { matchLabels: labels }, minAvailable: 1 },
  });
  await pods.create({ metadata: { name: 'p', labels }, spec: { containers } });
  await clock.advance(1_000);
  const [told] = (await events.list({ fieldSelector: 'reason=MultiplePodDisruptionBudgets' }))
    .items as { message?: string }[];
  assert.equal(
    told?.message,
    'Pod "default"/"p" matches multiple PodDisruptionBudgets.  Chose "a" arbitrarily.',
  );
});

test('the mark of a disruption that does not happen is taken back', async (t) => {
  const { pods, setStatus, clock } = await setUp(t);
  await pods.create({ metadata: { name: 'a', labels }, spec: { containers } });
  const lastTransitionTime = new Date(clock.now()).toISOString().replace(/\.\d+Z/, 'Z');
  const mark = {
    type: 'DisruptionTarget',
    status: 'True',
    reason: 'EvictionByEvictionAPI',
    lastTransitionTime,
  };
  await setStatus('a', { conditions: [mark] });
  const markNow = async () => {
    const found = (await pods.get('a')).status?.conditions?.find(({ type }) => type === mark.type);
    return [found?.status, found?.reason];
  };
  await clock.advance(100_000);
  assert.deepEqual(await markNow(), ['True', 'EvictionByEvictionAPI']);
  await clock.advance(30_000);
  assert.deepEqual(await markNow(), ['False', undefined]);
});
