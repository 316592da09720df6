import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { createSeededRandom, formatMicroTime, type JsonValue } from '@keelson/apimachinery';
import type { Lease } from '@keelson/apimachinery/types/coordination.k8s.io.v1';
import type { Node, Pod, Toleration } from '@keelson/apimachinery/types/core.v1';
import { core, find, simulateCluster } from '../testing/simulated-cluster.ts';

const leasesResource = { group: 'coordination.k8s.io', version: 'v1', resource: 'leases' };
const drain = { key: 'drain', value: 'now', effect: 'NoExecute' };

async function setUp(t: TestContext) {
  const simulated = await simulateCluster(t);
  const { client, clock } = simulated;
  const nodes = client.resource<Node>(core('nodes'));
  const pods = client.resource<Pod>(core('pods')).namespace('default');
  const events = client.resource(core('events')).namespace('default');
  const leases = client.resource<Lease>(leasesResource).namespace('kube-node-lease');
  await find(simulated.namespaces, 'kube-node-lease').then(
    (there) => there ?? simulated.namespaces.create({ metadata: { name: 'kube-node-lease' } }),
  );
  const addNode = async (name: string) => {
    const conditions = [{ type: 'Ready', status: 'True', reason: 'KubeletReady' }];
    await nodes.create({ metadata: { name }, spec: {}, status: { conditions } });
    await leases.create({ metadata: { name }, spec: { holderIdentity: name } });
  };
  const setReady = (name: string, status: string) =>
    nodes.patch(
      name,
      'merge',
      { status: { conditions: [{ type: 'Ready', status }] } },
      { subresource: 'status' },
    );
  const setTaints = (name: string, taints: JsonValue) =>
    nodes.patch(name, 'merge', { spec: { taints } });
  const addPod = async (name: string, nodeName: string, tolerations: Toleration[] = []) => {
    const containers = [{ name: 'c', image: 'app' }];
    await pods.create({ metadata: { name }, spec: { nodeName, containers, tolerations } });
    const status = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] };
    await pods.patch(name, 'merge', { status }, { subresource: 'status' });
  };
  /** Time passes; the kubelets of these nodes renew their leases. */
  const live = async (seconds: number, alive: readonly string[]) => {
    for (let passed = 0; passed < seconds; passed += 10) {
      for (const name of alive) {
        const spec = { renewTime: formatMicroTime(clock.now()) };
        await leases.patch(name, 'merge', { spec });
      }
      await clock.advance(10_000);
    }
  };
  /** `key:effect`, in order. */
  const taints = async (name: string) =>
    ((await nodes.get(name)).spec.taints ?? [])
      .map(({ key, effect }) => `${key.replace('node.kubernetes.io/', '')}:${effect}`)
      .toSorted();
  const condition = async (name: string, type = 'Ready') =>
    (await nodes.get(name)).status?.conditions?.find((c) => c.type === type);
  const messages = async () => {
    await clock.advance(1_000);
    return (await events.list()).items.map((e) => String((e as { message?: string }).message));
  };
  return {
    ...simulated,
    nodes,
    pods,
    addNode,
    setReady,
    setTaints,
    addPod,
    live,
    taints,
    condition,
    messages,
  };
}

test('a node that falls silent is unknown, its pods are not ready and leave after their time', async (t) => {
  const { addNode, addPod, live, taints, condition, pods, messages, warnings } = await setUp(t);
  await addNode('a');
  await addNode('b');
  await addPod('p', 'a');
  await addPod('q', 'b');
  await live(120, ['a', 'b']);
  assert.deepEqual([await taints('a'), await taints('b')], [[], []]);
  await live(40, ['b']);
  assert.equal((await condition('a'))?.status, 'True');
  await live(30, ['b']);
  const ready = await condition('a');
  assert.deepEqual(
    [ready?.status, ready?.reason, ready?.message],
    ['Unknown', 'NodeStatusUnknown', 'Kubelet stopped posting node status.'],
  );
  assert.equal((await condition('a', 'DiskPressure'))?.reason, 'NodeStatusNeverUpdated');
  assert.deepEqual(await taints('a'), ['unreachable:NoExecute', 'unreachable:NoSchedule']);
  assert.deepEqual(await taints('b'), []);
  const readyOf = async (name: string) =>
    (await pods.get(name)).status?.conditions?.find(({ type }) => type === 'Ready')?.status;
  assert.deepEqual([await readyOf('p'), await readyOf('q')], ['False', 'True']);
  assert.ok((await messages()).includes('Node is not ready'));
  await live(270, ['b']);
  assert.equal((await pods.get('p')).metadata.deletionTimestamp, undefined);
  await live(40, ['b']);
  const gone = await find(pods, 'p');
  assert.ok(gone === undefined || gone.metadata.deletionTimestamp !== undefined);
  assert.equal((await pods.get('q')).metadata.deletionTimestamp, undefined);
  assert.deepEqual(warnings, []);
});

test('where every node is silent nothing is moved', async (t) => {
  const { addNode, live, taints } = await setUp(t);
  await addNode('a');
  await addNode('b');
  await live(60, ['a', 'b']);
  await live(120, []);
  assert.deepEqual(await taints('a'), ['unreachable:NoSchedule']);
  await live(30, ['a', 'b']);
});

test('nodes of a zone are emptied one every ten seconds', async (t) => {
  const { addNode, live, setReady, taints, clock } = await setUp(t);
  const names = ['a', 'b', 'c', 'd', 'e'];
  for (const name of names) await addNode(name);
  await live(20, names);
  await setReady('a', 'False');
  await setReady('b', 'False');
  await clock.advance(5_500);
  const evicting = async () =>
    (await Promise.all(names.map(taints))).filter((all) =>
      all.some((x) => x.endsWith('NoExecute')),
    );
  assert.equal((await evicting()).length, 1);
  await live(10, names);
  assert.equal((await evicting()).length, 2);
  await setReady('a', 'True');
  await live(10, names);
  assert.deepEqual(await taints('a'), []);
});

test('taints that evict: at once, later, never, and cancelled', async (t) => {
  const { addNode, addPod, setTaints, pods, clock, messages } = await setUp(t);
  await addNode('a');
  const tolerates = (tolerationSeconds?: number): Toleration[] => [
    {
      key: 'drain',
      operator: 'Exists',
      effect: 'NoExecute',
      ...(tolerationSeconds !== undefined && { tolerationSeconds }),
    },
  ];
  await addPod('now', 'a');
  await addPod('later', 'a', tolerates(30));
  await addPod('never', 'a', tolerates());
  await addPod('other', 'elsewhere');
  await setTaints('a', [drain]);
  await clock.advance(1_000);
  const isGoing = async (name: string) =>
    (await find(pods, name))?.metadata.deletionTimestamp !== undefined;
  const going = async () => {
    const all = await Promise.all(['now', 'later', 'never', 'other'].map(isGoing));
    return all.map((is) => (is ? 1 : 0)).join('');
  };
  assert.equal(await going(), '1000');
  const target = (await pods.get('now')).status?.conditions?.find(
    (c) => c.type === 'DisruptionTarget',
  );
  assert.equal(target?.reason, 'DeletionByTaintManager');
  await setTaints('a', null);
  await clock.advance(60_000);
  assert.ok((await messages()).includes('Cancelling deletion of Pod default/later'));
  await setTaints('a', [drain]);
  await clock.advance(29_000);
  assert.equal(await isGoing('later'), false);
  await clock.advance(2_000);
  assert.equal(await isGoing('later'), true);
  assert.equal(await isGoing('never'), false);
  const told = (await messages()).filter((message) => message.startsWith('Marking'));
  assert.deepEqual(told.toSorted(), [
    'Marking for deletion Pod default/later',
    'Marking for deletion Pod default/now',
  ]);
});

test('a taint that is not borne ends the wait for one that is', async (t) => {
  const { addNode, addPod, setTaints, pods, clock, messages } = await setUp(t);
  await addNode('a');
  const bears = { key: 'drain', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 };
  await addPod('p', 'a', [bears]);
  await setTaints('a', [drain]);
  await clock.advance(5_000);
  assert.equal((await pods.get('p')).metadata.deletionTimestamp, undefined);
  await setTaints('a', [drain, { key: 'other', effect: 'NoExecute' }]);
  await clock.advance(1_000);
  assert.deepEqual(
    (await messages()).filter((message) => message.includes('deletion')),
    ['Cancelling deletion of Pod default/p', 'Marking for deletion Pod default/p'],
  );
});

test('nodes that come and go are told, and keep labels under their old names', async (t) => {
  const { addNode, nodes, clock, messages } = await setUp(t);
  await addNode('a');
  await nodes.patch('a', 'merge', { metadata: { labels: { 'kubernetes.io/os': 'linux' } } });
  await clock.advance(6_000);
  assert.equal((await nodes.get('a')).metadata.labels?.['beta.kubernetes.io/os'], 'linux');
  await nodes.delete('a');
  await clock.advance(6_000);
  assert.deepEqual(
    (await messages()).filter((message) => message.startsWith('Node a event')),
    [
      'Node a event: Registered Node a in Controller',
      'Node a event: Removing Node a from Controller',
    ],
  );
});

test('pods that nobody else removes', async (t) => {
  const { addNode, addPod, setReady, setTaints, pods, clock } = await setUp(t);
  await addNode('a');
  await addNode('b');
  await addPod('orphan', 'gone');
  await addPod('kept', 'a');
  await addPod('lost', 'b', [{ operator: 'Exists', effect: 'NoExecute' }]);
  const finalizers = ['example.com/wait'];
  const containers = [{ name: 'c', image: 'app' }];
  await pods.create({ metadata: { name: 'unbound', finalizers }, spec: { containers } });
  await pods.delete('unbound');
  await setReady('b', 'False');
  await setTaints('b', [{ key: 'node.kubernetes.io/out-of-service', effect: 'NoSchedule' }]);
  await pods.delete('lost');
  await clock.advance(39_000);
  assert.notEqual(await find(pods, 'orphan'), undefined);
  assert.equal(await find(pods, 'lost'), undefined);
  assert.equal((await pods.get('unbound')).status?.phase, 'Failed');
  await clock.advance(25_000);
  assert.equal(await find(pods, 'orphan'), undefined);
  assert.notEqual(await find(pods, 'kept'), undefined);
});

test('the annotation follows the size of the cluster', async (t) => {
  const { addNode, nodes, clock } = await setUp(t);
  await addNode('a');
  await clock.advance(1_000);
  assert.equal((await nodes.get('a')).metadata.annotations?.['node.alpha.kubernetes.io/ttl'], '0');
});

test('whatever happens to nodes and pods, the controllers go on and agree with the objects', async (t) => {
  const { addNode, addPod, setReady, setTaints, pods, nodes, clock, taints, live, warnings } =
    await setUp(t);
  const random = createSeededRandom(11);
  const pick = (max: number) => Math.floor(random.float() * max);
  const names = ['a', 'b', 'c'];
  for (const name of names) await addNode(name);
  for (let step = 0; step < 60; step++) {
    const name = names[pick(names.length)] ?? 'a';
    const actions = [
      () => setReady(name, ['True', 'False', 'Unknown'][pick(3)] ?? 'True'),
      () => setTaints(name, pick(2) === 0 ? [drain] : null),
      () => addPod(`p${step}`, pick(4) === 0 ? 'gone' : name),
      () => nodes.patch(name, 'merge', { spec: { unschedulable: pick(2) === 0 } }),
      () => clock.advance(pick(30_000)),
    ];
    await actions[pick(actions.length)]?.();
  }
  for (const name of names) {
    await setTaints(name, null);
    await setReady(name, 'True');
    await nodes.patch(name, 'merge', { spec: { unschedulable: null } });
  }
  await live(120, names);
  assert.deepEqual(await Promise.all(names.map(taints)), [[], [], []]);
  const left = (await pods.list()).items;
  assert.ok(left.every(({ spec }) => spec?.nodeName !== 'gone'));
  assert.deepEqual(warnings, []);
});
