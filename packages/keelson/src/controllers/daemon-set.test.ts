import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import fc from 'fast-check';
import { isStatusError } from '@keelson/apimachinery';
import type { ControllerRevision, DaemonSet } from '@keelson/apimachinery/types/apps.v1';
import type { Node, Pod } from '@keelson/apimachinery/types/core.v1';
import { core, simulateCluster } from '../testing/simulated-cluster.ts';

const apps = (resource: string) => ({ group: 'apps', version: 'v1', resource });
const labels = { app: 'agent' };
const template = (image: string) => ({
  metadata: { labels },
  spec: { containers: [{ name: 'c', image }] },
});

async function setUp(t: TestContext, spec: object, nodeNames: readonly string[]) {
  // Nodes have no heartbeats here, so nothing may judge them by those.
  const controllers = [
    '*',
    '-node-lifecycle-controller',
    '-taint-eviction-controller',
    '-pod-garbage-collector-controller',
    '-kube-scheduler',
  ];
  const simulated = await simulateCluster(t, { controllers });
  const { client, clock } = simulated;
  const daemonSets = client.resource<DaemonSet>(apps('daemonsets')).namespace('default');
  const revisions = client
    .resource<ControllerRevision>(apps('controllerrevisions'))
    .namespace('default');
  const nodes = client.resource<Node>(core('nodes'));
  const pods = client.resource<Pod>(core('pods')).namespace('default');
  const events = client.resource(core('events')).namespace('default');
  const settle = () => clock.advance(5_000);
  const addNode = async (name: string) => {
    await nodes.create({ metadata: { name } } as Node);
    // Admission marks new nodes as not ready.
    await nodes.patch(name, 'merge', { spec: { taints: null } });
  };
  for (const name of nodeNames) await addNode(name);
  await daemonSets.create({
    metadata: { name: 'agent' },
    spec: { selector: { matchLabels: labels }, template: template('app:1'), ...spec },
  } as DaemonSet);
  await settle();
  const nodeOf = ({ spec: of }: Pod) =>
    of.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
      ?.nodeSelectorTerms?.[0]?.matchFields?.[0]?.values?.[0] ?? '';
  const images = async () =>
    (await pods.list()).items
      .map((pod) => `${nodeOf(pod)}:${pod.spec.containers?.[0]?.image?.split(':')[1]}`)
      .toSorted();
  const setPhase = async (phase: string, status: string, node?: string) => {
    for (const pod of (await pods.list()).items)
      if (node === undefined || nodeOf(pod) === node)
        await pods
          .patch(
            pod.metadata.name ?? '',
            'merge',
            { status: { phase, conditions: [{ type: 'Ready', status }] } },
            { subresource: 'status' },
          )
          // It was replaced a moment ago.
          .catch((error: unknown) => assert.ok(isStatusError(error, 'NotFound')));
    await settle();
  };
  const ready = (node?: string) => setPhase('Running', 'True', node);
  const change = async (more: object) => {
    await daemonSets.patch('agent', 'merge', { spec: more } as never);
    await settle();
  };
  const status = async () => (await daemonSets.get('agent')).status;
  return {
    ...simulated,
    daemonSets,
    revisions,
    nodes,
    pods,
    events,
    settle,
    addNode,
    images,
    setPhase,
    ready,
    change,
    status,
  };
}

test('one pod on each node, also on those that come', async (t) => {
  const { images, addNode, settle, ready, status, nodes, warnings } = await setUp(t, {}, [
    'a',
    'b',
  ]);
  assert.deepEqual(await images(), ['a:1', 'b:1']);
  await addNode('c');
  await settle();
  assert.deepEqual(await images(), ['a:1', 'b:1', 'c:1']);
  await ready('a');
  const { desiredNumberScheduled, numberReady, numberUnavailable } = (await status()) ?? {};
  assert.deepEqual([desiredNumberScheduled, numberReady, numberUnavailable], [3, 1, 2]);
  await nodes.delete('c');
  await settle();
  assert.deepEqual(await images(), ['a:1', 'b:1']);
  assert.deepEqual(warnings, []);
});

test('a node that is no longer eligible loses its pod', async (t) => {
  const { images, nodes, settle } = await setUp(
    t,
    {
      template: {
        metadata: { labels },
        spec: { ...template('app:1').spec, nodeSelector: { disk: 'ssd' } },
      },
    },
    ['a'],
  );
  assert.deepEqual(await images(), []);
  await nodes.patch('a', 'merge', { metadata: { labels: { disk: 'ssd' } } });
  await settle();
  assert.deepEqual(await images(), ['a:1']);
  await nodes.patch('a', 'merge', { metadata: { labels: { disk: null } } });
  await settle();
  assert.deepEqual(await images(), []);
});

test('an update replaces one pod after the other', async (t) => {
  const { images, change, ready, status, revisions } = await setUp(t, {}, ['a', 'b']);
  await ready();
  await change({ template: template('app:2') });
  const now = await images();
  assert.equal(now.filter((image) => image.endsWith(':2')).length, 1);
  assert.equal((await status())?.numberUnavailable, 1);
  await ready();
  await ready();
  assert.deepEqual(await images(), ['a:2', 'b:2']);
  assert.equal((await status())?.updatedNumberScheduled, 2);
  assert.equal((await revisions.list()).items.length, 2);
});

test('with a surge the new pod comes first', async (t) => {
  const { images, change, ready } = await setUp(
    t,
    {
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
    },
    ['a'],
  );
  await ready();
  await change({ template: template('app:2') });
  assert.deepEqual(await images(), ['a:1', 'a:2']);
  await ready();
  assert.deepEqual(await images(), ['a:2']);
});

test('with OnDelete nothing is replaced by itself', async (t) => {
  const { images, change, ready, pods, settle } = await setUp(
    t,
    { updateStrategy: { type: 'OnDelete' } },
    ['a'],
  );
  await ready();
  await change({ template: template('app:2') });
  assert.deepEqual(await images(), ['a:1']);
  for (const { metadata } of (await pods.list()).items) await pods.delete(metadata.name ?? '');
  await settle();
  assert.deepEqual(await images(), ['a:2']);
});

test('pods that ended are replaced, failed ones later and later', async (t) => {
  const { setPhase, pods, events, clock } = await setUp(t, {}, ['a']);
  const uid = async () => (await pods.list()).items[0]?.metadata.uid;
  const waits: number[] = [];
  for (let i = 0; i < 6; i++) {
    const before = await uid();
    const since = clock.now();
    await setPhase('Failed', 'False');
    for (let s = 0; s < 60 && (await uid()) === before; s++) await clock.advance(1_000);
    waits.push(clock.now() - since);
  }
  assert.ok((waits[5] ?? 0) > (waits[0] ?? 0), `waits ${waits.join(', ')}`);
  await setPhase('Succeeded', 'False');
  const reasons = new Set((await events.list()).items.map(({ reason }) => reason));
  assert.ok(reasons.isSupersetOf(new Set(['FailedDaemonPod', 'SucceededDaemonPod'])));
});

test('old templates that pods have are kept, but count among those that may be', async (t) => {
  const { change, ready, revisions } = await setUp(
    t,
    { revisionHistoryLimit: 1, updateStrategy: { type: 'OnDelete' } },
    ['a'],
  );
  await ready();
  const imagesKept = async () =>
    (await revisions.list()).items
      .map(({ data }) => JSON.stringify(data).match(/app:\d/)?.[0])
      .toSorted();
  await change({ template: template('app:2') });
  await change({ template: template('app:3') });
  assert.deepEqual(await imagesKept(), ['app:1', 'app:3']);
  await change({ template: template('app:4') });
  assert.deepEqual(await imagesKept(), ['app:1', 'app:4']);
});

const hashKey = 'controller-revision-hash';

test('of two revisions of the template the last one stays, and pods become its own', async (t) => {
  const { client, daemonSets, revisions, pods, settle, ready } = await setUp(t, {}, ['a', 'b']);
  await ready();
  const [first] = (await revisions.list()).items;
  const { ownerReferences = [], labels: of = {} } = first?.metadata ?? {};
  const [one] = (await pods.list()).items;
  const uids = (await pods.list()).items.map(({ metadata }) => metadata.uid).toSorted();
  await revisions.create({
    metadata: { name: 'again', labels: { ...of, [hashKey]: 'again' }, ownerReferences },
    data: first?.data,
    revision: 2,
  });
  await client
    .resource<Pod>(core('pods'))
    .namespace('default')
    .patch(one?.metadata.name ?? '', 'merge', { metadata: { labels: { [hashKey]: 'again' } } });
  await settle();
  const names = (await revisions.list()).items.map(({ metadata }) => metadata.name);
  assert.deepEqual(names, ['again']);
  const all = (await pods.list()).items;
  assert.deepEqual(all.map(({ metadata }) => metadata.uid).toSorted(), uids);
  assert.ok(all.every(({ metadata }) => metadata.labels?.[hashKey] === 'again'));
  assert.equal((await daemonSets.get('agent')).status?.updatedNumberScheduled, 2);
});

test('a revision without the label of its pods gets its name for it', async (t) => {
  const { daemonSets, revisions, settle, warnings } = await setUp(t, {}, ['a']);
  const [first] = (await revisions.list()).items;
  const { ownerReferences = [], name = '' } = first?.metadata ?? {};
  await revisions.create({
    metadata: { name: 'bare', labels, ownerReferences },
    data: { spec: { template: {} } },
    revision: 0,
  });
  await daemonSets.patch('agent', 'merge', { metadata: { annotations: { look: 'again' } } });
  await settle();
  const all = (await revisions.list()).items.map(({ metadata }) => metadata);
  assert.deepEqual(all.map((metadata) => metadata.name).toSorted(), [name, 'bare']);
  assert.equal(all.find((metadata) => metadata.name === 'bare')?.labels?.[hashKey], 'bare');
  assert.deepEqual(warnings, []);
});

test('whatever happens, every node has its pod in the end, and never two', async (t) => {
  const names = ['a', 'b', 'c', 'd'];
  const { nodes, addNode, pods, images, ready, setPhase, daemonSets, clock, settle, warnings } =
    await setUp(t, {}, names.slice(0, 2));
  const step = fc.record({
    what: fc.constantFrom('ready', 'fail', 'delete', 'node', 'taint', 'untaint', 'update'),
    which: fc.nat(3),
    waitMs: fc.constantFrom(0, 30, 3_000),
  });
  const [steps = []] = fc.sample(fc.array(step, { minLength: 60, maxLength: 60 }), {
    seed: 5,
    numRuns: 1,
  });
  const there = new Set(names.slice(0, 2));
  let image = 1;
  for (const { what, which, waitMs } of steps) {
    const name = names[which] ?? '';
    if (what === 'ready') await ready(name);
    if (what === 'fail') await setPhase('Failed', 'False', name);
    if (what === 'delete')
      for (const { metadata } of (await pods.list()).items.slice(0, 1))
        await pods.delete(metadata.name ?? '', { gracePeriodSeconds: 0 });
    if (what === 'node' && !there.has(name)) {
      await addNode(name);
      there.add(name);
    } else if (what === 'node' && there.size > 1) {
      await nodes.delete(name);
      there.delete(name);
    }
    if ((what === 'taint' || what === 'untaint') && there.has(name)) {
      const taints = what === 'taint' ? [{ key: 'x', effect: 'NoExecute' }] : null;
      await nodes.patch(name, 'merge', { spec: { taints } });
    }
    if (what === 'update')
      await daemonSets.patch('agent', 'merge', {
        spec: { template: template(`app:${++image}`) },
      } as never);
    await clock.advance(waitMs);
    const perNode = Map.groupBy(await images(), (text) => text.split(':')[0]);
    for (const [node, found] of perNode) assert.ok(found.length <= 1, `${node}: ${found.join()}`);
  }
  for (const { metadata } of (await nodes.list()).items)
    await nodes.patch(metadata.name ?? '', 'merge', { spec: { taints: null } });
  await clock.advance(100_000);
  for (let round = 0; round < 6; round++) await ready();
  await settle();
  const expected = (await nodes.list()).items.map(({ metadata }) => `${metadata.name}:${image}`);
  assert.deepEqual(await images(), expected.toSorted());
  assert.deepEqual(warnings, []);
});
