import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pod, PodSpec } from '@keelson/apimachinery/types/core.v1';
import type { JsonObject, KubeObject } from '@keelson/apimachinery';
import { main, seconds, setUpNodes } from './testing/node-cluster.ts';
import { metricValues } from './testing/metric-values.ts';
import { core, find } from './testing/simulated-cluster.ts';

test('a node registers as a kubelet does, and renews its lease', async (t) => {
  const { client, nodes, wait, warnings } = await setUpNodes(t);
  const node = await nodes.get('node-1');
  assert.deepEqual(
    node.status?.conditions?.map(({ type, status, reason }) => [type, status, reason]),
    [
      ['MemoryPressure', 'False', 'KubeletHasSufficientMemory'],
      ['DiskPressure', 'False', 'KubeletHasNoDiskPressure'],
      ['PIDPressure', 'False', 'KubeletHasSufficientPID'],
      ['Ready', 'True', 'KubeletReady'],
    ],
  );
  assert.equal(node.metadata?.labels?.['kubernetes.io/hostname'], 'node-1');
  assert.equal(node.status?.allocatable?.['pods'], '110');
  const addresses = (await nodes.list()).items.map(({ status }) => status?.addresses?.[0]?.address);
  assert.equal(new Set(addresses).size, 2);
  const leases = client
    .resource({ group: 'coordination.k8s.io', version: 'v1', resource: 'leases' })
    .namespace('kube-node-lease');
  const renewed = async () => {
    const { spec } = await leases.get('node-1');
    return Date.parse(String((spec as Record<string, unknown>)['renewTime']));
  };
  await wait(20 * seconds);
  const before = await renewed();
  await wait(60 * seconds);
  assert.equal((await renewed()) - before, 60 * seconds);
  const csiNodes = client.resource({
    group: 'storage.k8s.io',
    version: 'v1',
    resource: 'csinodes',
  });
  assert.equal((await csiNodes.get('node-1')).metadata.ownerReferences?.[0]?.name, 'node-1');
  assert.deepEqual(warnings, []);
});

test('a node tells of its start and of what becomes of it', async (t) => {
  const { nodes, events, wait } = await setUpNodes(t);
  const told = async () =>
    (await events.list()).items
      .filter(({ involvedObject, source }) => {
        const { kind, name } = involvedObject as KubeObject & { readonly name: string };
        const { component } = source as { readonly component: string };
        return kind === 'Node' && name === 'node-1' && component === 'kubelet';
      })
      .map(({ message, count }) => `${String(message)} (${String(count)})`)
      .toSorted();
  const start = [
    'Node node-1 status is now: NodeHasNoDiskPressure (1)',
    'Node node-1 status is now: NodeHasSufficientMemory (1)',
    'Node node-1 status is now: NodeHasSufficientPID (1)',
    'Node node-1 status is now: NodeReady (1)',
    'Starting kubelet. (1)',
    'Updated Node Allocatable limit across pods (1)',
  ];
  await wait(600 * seconds);
  assert.deepEqual(await told(), start);
  const change = async (patch: object) => {
    const before = new Set(await told());
    await nodes.patch('node-1', 'merge', patch as JsonObject);
    await wait(1 * seconds);
    return (await told()).filter((text) => !before.has(text));
  };
  const now = (...states: readonly string[]) =>
    states.map((state) => `Node node-1 status is now: ${state}`);
  const pressure = (value: string | null) => ({
    metadata: { annotations: { 'keelson.dev/simulate-pressure': value } },
  });
  assert.deepEqual(await change({ spec: { unschedulable: true } }), now('NodeNotSchedulable (1)'));
  assert.deepEqual(await change({ spec: { unschedulable: null } }), now('NodeSchedulable (1)'));
  assert.deepEqual(await change(pressure('memory')), now('NodeHasInsufficientMemory (1)'));
  assert.deepEqual(await change(pressure(null)), now('NodeHasSufficientMemory (2)'));
});

const abilities: readonly [release: string, shown: readonly string[]][] = [
  ['1.30', []],
  ['1.32', ['runtimeHandlers']],
  ['1.33', ['features', 'runtimeHandlers']],
  ['1.36', ['features', 'runtimeHandlers', 'declaredFeatures']],
];
for (const [emulatedVersion, shown] of abilities)
  test(`a node of ${emulatedVersion} says ${shown.join(', ') || 'nothing'} of its abilities`, async (t) => {
    const { nodes } = await setUpNodes(t, { emulatedVersion });
    const { status = {} } = await nodes.get('node-1');
    const fields = ['features', 'runtimeHandlers', 'declaredFeatures'] as const;
    assert.deepEqual(
      fields.filter((field) => status[field] !== undefined),
      shown,
    );
  });

test('a node that shuts down ends its pods, the critical ones last, and takes no others', async (t) => {
  const { nodes, pods, events, run, state, wait } = await setUpNodes(t);
  await run({});
  const critical = {
    nodeName: 'node-1',
    priorityClassName: 'system-node-critical',
    containers: [main()],
  };
  const create = (name: string, spec: PodSpec) =>
    pods.create({ apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec });
  await create('critical', critical);
  await wait(1 * seconds);
  const order = (value: string | null) =>
    nodes.patch('node-1', 'merge', {
      metadata: { annotations: { 'keelson.dev/simulate': value } },
    });
  const ready = async () => {
    const { conditions = [] } = (await nodes.get('node-1')).status ?? {};
    const found = conditions.find(({ type }) => type === 'Ready');
    return `${found?.status} ${found?.reason} ${found?.message}`;
  };
  const phase = async (name: string) => (await pods.get(name)).status?.phase;
  await order('shutdown');
  await wait(1 * seconds);
  assert.equal(await state(), 'Failed Terminated app=Completed/0(0)');
  const { conditions = [], message } = (await pods.get('p')).status ?? {};
  assert.equal(message, 'Pod was terminated in response to imminent node shutdown.');
  const disruption = conditions.find(({ type }) => type === 'DisruptionTarget');
  assert.equal(disruption?.reason, 'TerminationByKubelet');
  assert.equal(await ready(), 'False KubeletNotReady node is shutting down');
  assert.equal(await phase('critical'), 'Running');
  await create('late', { nodeName: 'node-1', containers: [main()] });
  await wait(1 * seconds);
  assert.equal((await pods.get('late')).status?.reason, 'NodeShutdown');
  await wait(20 * seconds);
  assert.equal(await phase('critical'), 'Failed');
  await order(null);
  await wait(1 * seconds);
  assert.equal(await ready(), 'True KubeletReady kubelet is posting ready status');
  await create('after', { nodeName: 'node-1', containers: [main()] });
  await wait(1 * seconds);
  assert.equal(await phase('after'), 'Running');
  const told = (await events.list()).items
    .filter(({ reason }) => reason === 'Shutdown')
    .map((event) => event['message']);
  assert.deepEqual(told, [
    'Shutdown manager detected shutdown event',
    'Shutdown manager detected shutdown cancellation',
  ]);
});

test('a node without power neither renews its lease nor leads its pods', async (t) => {
  const { client, nodes, wait, run, state } = await setUpNodes(t);
  const stop = (value: string | null) =>
    nodes.patch('node-1', 'merge', {
      metadata: { annotations: { 'keelson.dev/simulate': value } },
    });
  const leases = client
    .resource({ group: 'coordination.k8s.io', version: 'v1', resource: 'leases' })
    .namespace('kube-node-lease');
  await stop('stopped');
  await wait(1 * seconds);
  const { spec } = await leases.get('node-1');
  await run({});
  await wait(60 * seconds);
  assert.deepEqual((await leases.get('node-1')).spec, spec);
  assert.equal(await state(), 'Pending');
  await stop(null);
  await wait(1 * seconds);
  assert.notDeepEqual((await leases.get('node-1')).spec, spec);
  assert.equal(await state(), 'Running app=ready(0)');
});

test('what was missing comes, and the pod starts', async (t) => {
  const { run, state, wait, client } = await setUpNodes(t);
  await run({
    containers: [
      main({ env: [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'c', key: 'a' } } }] }),
    ],
    volumes: [{ name: 'v', secret: { secretName: 's' } }],
  });
  await wait(3 * seconds);
  assert.equal(await state(), 'Pending app=ContainerCreating(0)');
  const create = (resource: string, object: object) =>
    client
      .resource(core(resource))
      .namespace('default')
      .create(object as KubeObject);
  await create('secrets', { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' } });
  await create('configmaps', {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'c' },
    data: { a: '1' },
  });
  await wait(10 * seconds);
  assert.equal(await state(), 'Running app=ready(0)');
});

test('a pod whose readiness gate is closed is not ready', async (t) => {
  const { run, pods, wait } = await setUpNodes(t);
  await run({ readinessGates: [{ conditionType: 'example.com/open' }] });
  await wait(1 * seconds);
  const ready = async () =>
    (await pods.get('p')).status?.conditions?.find(({ type }) => type === 'Ready');
  assert.equal((await ready())?.reason, 'ReadinessGatesNotReady');
  const conditions = [{ type: 'example.com/open', status: 'True' }];
  await pods.patch('p', 'strategic', { status: { conditions } }, { subresource: 'status' });
  await wait(1 * seconds);
  assert.equal((await ready())?.status, 'True');
  assert.equal((await ready())?.reason, undefined);
});

test('what is gone is deleted once', async (t) => {
  const { client, pods, wait } = await setUpNodes(t);
  const count = 60;
  const spec = { nodeName: 'node-1', containers: [{ name: 'app', image: 'app:1' }] };
  const create = (_: unknown, at: number) =>
    pods.create({ apiVersion: 'v1', kind: 'Pod', metadata: { name: `p${at}` }, spec });
  await Promise.all(Array.from({ length: count }, create));
  await wait(5 * seconds);
  await pods.deleteCollection({ gracePeriodSeconds: 1 });
  await wait(5 * seconds);
  assert.deepEqual((await pods.list()).items, []);
  const deletions = (await metricValues(client).family('apiserver_request_total'))
    .filter((line) => /verb="DELETE".*resource="pods"/.test(line))
    .map((line) => line.replace(/^.*(code=)/, '$1'));
  assert.deepEqual(deletions, [`code="200"} ${count}`]);
});

test('a resize is taken over, or waits until there is room', async (t) => {
  const { run, pods, wait, said } = await setUpNodes(t);
  const asking = (cpu: string) => [main({ resources: { requests: { cpu } } })];
  await run({ containers: asking('1') });
  await pods.create({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'other' },
    spec: { nodeName: 'node-1', containers: asking('5') },
  });
  await wait(1 * seconds);
  /** What is allocated, what it runs with, and how the resize goes. */
  const sizes = async (ms: number) => {
    await wait(ms);
    const { containerStatuses: [app] = [], conditions = [] } = (await pods.get('p')).status ?? {};
    const resizing = conditions.filter(({ type }) => type.startsWith('PodResize'));
    return [
      app?.allocatedResources?.['cpu'],
      app?.resources?.requests?.['cpu'],
      ...resizing.map(({ type, reason = '' }) => `${type.slice('PodResize'.length)}${reason}`),
    ];
  };
  const resize = async (cpu: string) => {
    const containers = [{ name: 'app', resources: { requests: { cpu } } }];
    await pods.patch('p', 'strategic', { spec: { containers } }, { subresource: 'resize' });
  };
  await resize('2');
  assert.deepEqual(await sizes(500), ['2', '1', 'InProgress']);
  assert.deepEqual(await sizes(1 * seconds), ['2', '2']);
  await resize('4');
  assert.deepEqual(await sizes(500), ['2', '2', 'PendingDeferred']);
  await pods.delete('other');
  assert.deepEqual(await sizes(5 * seconds), ['4', '4']);
  const details = (cpu: string) => `{"name":"app","resources":{"requests":{"cpu":"${cpu}"}}}`;
  assert.deepEqual(
    (await said()).filter((text) => text.startsWith('Resize')),
    [
      `ResizeStarted: Pod resize started: {"containers":[${details('2')}],"generation":2}`,
      `ResizeCompleted: Pod resize completed: {"containers":[${details('2')}],"generation":2}`,
      `ResizeDeferred: Pod resize Deferred: {"containers":[${details('4')}],"generation":3,` +
        `"error":"Node didn't have enough resource: cpu, requested: 4000, used: 5000, capacity: 8000"}`,
      `ResizeStarted: Pod resize started: {"containers":[${details('4')}],"generation":3}`,
      `ResizeCompleted: Pod resize completed: {"containers":[${details('4')}],"generation":3}`,
    ],
  );
});

test('the processors of a guaranteed pod are resized too', async (t) => {
  const { run, pods, wait } = await setUpNodes(t);
  const resources = (cpu: string) => {
    const amounts = { cpu, memory: '64Mi' };
    return { requests: amounts, limits: amounts };
  };
  await run({ containers: [main({ resources: resources('1') })] });
  await wait(1 * seconds);
  const containers = [{ name: 'app', resources: resources('2') }];
  await pods.patch('p', 'strategic', { spec: { containers } }, { subresource: 'resize' });
  await wait(5 * seconds);
  const { qosClass, containerStatuses: [app] = [] } = (await pods.get('p')).status ?? {};
  assert.deepEqual([qosClass, app?.resources], ['Guaranteed', resources('2')]);
});

test('a fork of the cluster goes on where its pods are', async (t) => {
  const { cluster, run, wait } = await setUpNodes(t);
  await run({});
  await wait(5 * seconds);
  const fork = await cluster.fork();
  t.after(() => fork.close());
  const pods = fork.client().resource<Pod>(core('pods')).namespace('default');
  const before = (await pods.get('p')).status?.containerStatuses;
  await wait(60 * seconds);
  assert.deepEqual((await pods.get('p')).status?.containerStatuses, before);
  await pods.delete('p');
  await wait(5 * seconds);
  assert.equal(await find(pods, 'p'), undefined);
});

test('rules decide, the first one that has a field; annotations come before', async (t) => {
  const nodeRules = {
    apiVersion: 'keelson.dev/v1alpha1',
    kind: 'NodeRules',
    rules: [
      { match: { images: ['other:*'] }, exitCode: 9 },
      { match: { images: ['app:*'], names: ['p'] }, runFor: '2s' },
      { exitCode: 5, runFor: '60s' },
    ],
  };
  const { run, state, wait } = await setUpNodes(t, { nodeRules });
  await run({ restartPolicy: 'Never' });
  await wait(3 * seconds);
  assert.equal(await state(), 'Failed app=Error/5(0)');
});
