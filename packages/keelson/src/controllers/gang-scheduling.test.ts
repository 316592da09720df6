// Pods of one group are placed together or not at all (KEP-4671).

import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { Node, Pod } from '@keelson/apimachinery/types/core.v1';
import type { PodGroup } from '@keelson/apimachinery/types/scheduling.k8s.io.v1alpha2';
import { parseSchedulerConfiguration } from '@keelson/controllers';
import type { ClusterOptions } from '../create-cluster.ts';
import { core, simulateCluster } from '../testing/simulated-cluster.ts';

const gates: ClusterOptions = {
  featureGates: { GenericWorkload: true, GangScheduling: true },
  runtimeConfig: 'scheduling.k8s.io/v1alpha2=true',
};
const podGroups = { group: 'scheduling.k8s.io', version: 'v1alpha2', resource: 'podgroups' };

/** Nodes of four cores each. */
async function setUp(
  t: TestContext,
  nodeNames: readonly string[],
  options: ClusterOptions = gates,
) {
  const simulated = await simulateCluster(t, options);
  const { client, clock } = simulated;
  const nodes = client.resource<Node>(core('nodes'));
  const allocatable = { cpu: '4', memory: '8Gi', pods: '110' };
  const conditions = [{ type: 'Ready', status: 'True' }];
  const addNode = async (name: string) => {
    await nodes.create({ metadata: { name }, spec: {}, status: { allocatable, conditions } });
    await nodes.patch(name, 'merge', { spec: { taints: null } });
  };
  for (const name of nodeNames) await addNode(name);
  await clock.advance(2_000);
  const pods = client.resource<Pod>(core('pods')).namespace('default');
  const groups = client.resource<PodGroup>(podGroups).namespace('default');
  const addGroup = (name: string, schedulingPolicy: object) =>
    groups.create({ metadata: { name }, spec: { schedulingPolicy } } as never);
  const addPod = (name: string, cpu: string, more: object = { group: 'g' }) => {
    const { group, ...spec } = more as { group?: string };
    const resources = { requests: { cpu } };
    return pods.create({
      metadata: { name },
      spec: {
        containers: [{ name: 'c', image: 'app', resources }],
        ...(group !== undefined && { schedulingGroup: { podGroupName: group } }),
        ...spec,
      },
    });
  };
  /** `pod=node`, in order. */
  const places = async () =>
    (await pods.list()).items
      .map(({ metadata, spec }) => `${metadata.name}=${spec.nodeName ?? ''}`)
      .toSorted();
  const why = async (name: string) =>
    (await pods.get(name)).status?.conditions?.find(({ type }) => type === 'PodScheduled')?.message;
  const scheduled = async (name = 'g') => {
    const { status } = await groups.get(name);
    const condition = status?.conditions?.find(({ type }) => type === 'PodGroupScheduled');
    return condition && [condition.status, condition.reason, condition.message];
  };
  const wait = (ms: number) => clock.advance(ms);
  return { ...simulated, pods, groups, addNode, addGroup, addPod, places, why, scheduled, wait };
}
const gang = (minCount: number) => ({ gang: { minCount } });
const alone = {};

test('pods of a gang wait for their group, and for each other', async (t) => {
  const { addGroup, addPod, places, scheduled, wait, client, why } = await setUp(t, ['a']);
  await addPod('p1', '1');
  await wait(20_000);
  assert.deepEqual(await places(), ['p1=']);
  await addGroup('g', gang(3));
  await addPod('p2', '1');
  await wait(20_000);
  assert.deepEqual(await places(), ['p1=', 'p2=']);
  // Nobody has tried to place them.
  assert.equal(await why('p1'), undefined);
  const metrics = (await client.send({ method: 'GET', path: '/metrics' })).toString();
  assert.match(
    metrics,
    /scheduler_unschedulable_pods\{plugin="GangScheduling",profile="default-scheduler"\} 2\n/,
  );
  assert.match(metrics, /scheduler_pending_pods\{queue="gated"\} 2\n/);
  await addPod('p3', '1');
  await wait(2_000);
  assert.deepEqual(await places(), ['p1=a', 'p2=a', 'p3=a']);
  assert.deepEqual(await scheduled(), ['True', 'Scheduled', '']);
});

test('a gang for which there is too little room takes none of it', async (t) => {
  const { addGroup, addNode, addPod, places, scheduled, wait, why, warnings } = await setUp(t, [
    'a',
  ]);
  await addGroup('g', gang(3));
  for (const name of ['p1', 'p2', 'p3']) await addPod(name, '2');
  await wait(2_000);
  assert.deepEqual(await places(), ['p1=', 'p2=', 'p3=']);
  const tooFew =
    'pod group is unschedulable, waiting for minCount pods from a gang to be scheduled';
  const fit =
    '0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.';
  const told = await Promise.all(['p1', 'p2', 'p3'].map(why));
  assert.deepEqual(told.toSorted(), [fit, tooFew, tooFew]);
  assert.deepEqual(await scheduled(), ['False', 'Unschedulable', 'pod group is unschedulable']);
  // What it could not use is there for others.
  await addPod('other', '4', alone);
  await wait(2_000);
  assert.deepEqual(await places(), ['other=a', 'p1=', 'p2=', 'p3=']);
  for (const name of ['b', 'c']) await addNode(name);
  await wait(20_000);
  const placed = await places();
  assert.ok(
    placed.every((place) => !place.endsWith('=')),
    placed.join(),
  );
  assert.deepEqual(await scheduled(), ['True', 'Scheduled', '']);
  assert.deepEqual(warnings, []);
});

test('of a gang more pods than it needs may wait, and come later', async (t) => {
  const { addGroup, addNode, addPod, places, scheduled, wait } = await setUp(t, ['a']);
  await addGroup('g', gang(2));
  for (const name of ['p1', 'p2', 'p3']) await addPod(name, '2');
  await wait(2_000);
  const placed = (await places()).filter((place) => place.endsWith('=a'));
  assert.equal(placed.length, 2);
  assert.deepEqual(await scheduled(), ['True', 'Scheduled', '']);
  await addNode('b');
  await wait(20_000);
  assert.equal((await places()).filter((place) => place.endsWith('=b')).length, 1);
});

test('pods of a group without a gang go where they can, one by one', async (t) => {
  const { addGroup, addPod, places, scheduled, wait } = await setUp(t, ['a']);
  await addGroup('g', { basic: {} });
  for (const name of ['p1', 'p2', 'p3']) await addPod(name, '2');
  await wait(2_000);
  assert.equal((await places()).filter((place) => place.endsWith('=a')).length, 2);
  assert.deepEqual(await scheduled(), ['True', 'Scheduled', '']);
});

test('two gangs that want the same room do not block each other', async (t) => {
  const { addGroup, addPod, places, wait } = await setUp(t, ['a']);
  for (const name of ['g', 'h']) await addGroup(name, gang(2));
  await Promise.all(
    ['1', '2'].flatMap((n) => ['g', 'h'].map((group) => addPod(`${group}${n}`, '2', { group }))),
  );
  await wait(20_000);
  const groupsThere = (await places()).filter((place) => place.endsWith('=a')).map(([g]) => g);
  assert.equal(groupsThere.length, 2);
  assert.equal(new Set(groupsThere).size, 1);
});

test('less important pods leave only for a gang that can be placed then', async (t) => {
  const { addGroup, addPod, client, places, pods, scheduled, wait, why } = await setUp(t, ['a']);
  await client
    .resource({ group: 'scheduling.k8s.io', version: 'v1', resource: 'priorityclasses' })
    .create({ metadata: { name: 'high' }, value: 10 } as never);
  const high = { priorityClassName: 'high' };
  await addPod('low', '3', alone);
  await wait(2_000);
  await addGroup('g', gang(3));
  for (const name of ['g1', 'g2', 'g3']) await addPod(name, '2', { group: 'g', ...high });
  await wait(2_000);
  // Without `low` there would be room for two.
  assert.equal((await pods.get('low')).metadata.deletionTimestamp, undefined);
  assert.deepEqual(await scheduled(), ['False', 'Unschedulable', 'pod group is unschedulable']);
  await addGroup('h', gang(2));
  for (const name of ['h1', 'h2']) await addPod(name, '2', { group: 'h', ...high });
  await wait(500);
  assert.notEqual((await pods.get('low')).metadata.deletionTimestamp, undefined);
  assert.deepEqual(await scheduled('h'), [
    'False',
    'Unschedulable',
    'pod group is unschedulable, pod group is waiting for preemption to complete',
  ]);
  assert.match((await why('h1')) ?? '', /Insufficient cpu|waiting for preemption to complete/);
  await pods.delete('low', { gracePeriodSeconds: 0 });
  await wait(20_000);
  assert.deepEqual(
    (await places()).filter((place) => place.endsWith('=a')),
    ['h1=a', 'h2=a'],
  );
});

test('pods of another scheduler are no part of the gang before they have a node', async (t) => {
  const { addGroup, addPod, pods, places, wait } = await setUp(t, ['a']);
  await addGroup('g', gang(2));
  await addPod('p1', '1');
  await addPod('p2', '1', { group: 'g', schedulerName: 'other' });
  await wait(20_000);
  assert.deepEqual(await places(), ['p1=', 'p2=']);
  await pods.create(
    {
      apiVersion: 'v1',
      kind: 'Binding',
      metadata: { name: 'p2' },
      target: { kind: 'Node', name: 'a' },
    } as never,
    { name: 'p2', subresource: 'binding' },
  );
  await wait(2_000);
  assert.deepEqual(await places(), ['p1=a', 'p2=a']);
});

test('pods of one group that name different schedulers are an error', async (t) => {
  const scheduler = parseSchedulerConfiguration(
    JSON.stringify({
      apiVersion: 'kubescheduler.config.k8s.io/v1',
      kind: 'KubeSchedulerConfiguration',
      profiles: [{ schedulerName: 'default-scheduler' }, { schedulerName: 'other' }],
    }),
    () => true,
  );
  const { addGroup, addPod, places, scheduled, wait, why } = await setUp(t, ['a'], {
    ...gates,
    controllerSettings: { scheduler },
  });
  await addGroup('g', gang(2));
  await addPod('p1', '1');
  await addPod('p2', '1', { group: 'g', schedulerName: 'other' });
  await wait(2_000);
  assert.deepEqual(await places(), ['p1=', 'p2=']);
  const message =
    /^all pods in a single pod group should have the same \.spec\.schedulerName set, got: "(default-scheduler" and "other|other" and "default-scheduler)"$/;
  for (const name of ['p1', 'p2']) assert.match((await why(name)) ?? '', message);
  assert.deepEqual((await scheduled())?.slice(0, 2), ['False', 'SchedulerError']);
});

test('before its gate a group means nothing', async (t) => {
  const { addPod, places, wait } = await setUp(t, ['a'], {});
  await addPod('p1', '1');
  await wait(2_000);
  assert.deepEqual(await places(), ['p1=a']);
});
