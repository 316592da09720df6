import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { Node, PersistentVolumeClaim, Pod } from '@keelson/apimachinery/types/core.v1';
import type { ResourceClaim } from '@keelson/apimachinery/types/resource.k8s.io.v1';
import { parseSchedulerConfiguration } from '@keelson/controllers';
import type { ClusterOptions } from '../create-cluster.ts';
import { core, simulateCluster } from '../testing/simulated-cluster.ts';

const amounts = { cpu: '4', memory: '8Gi', pods: '110' };
const node = (name: string): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name, labels: { 'kubernetes.io/hostname': name } },
  spec: {},
  status: {
    capacity: amounts,
    allocatable: amounts,
    conditions: [{ type: 'Ready', status: 'True' }],
  },
});
const pod = (name: string, spec: object = {}): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name },
  spec: { containers: [{ name: 'c', image: 'app' }], ...spec },
});
const asking = (cpu: string) => ({
  containers: [{ name: 'c', image: 'app', resources: { requests: { cpu } } }],
});
const devices = (resource: string) => ({ group: 'resource.k8s.io', version: 'v1', resource });

async function setUp(t: TestContext, options: ClusterOptions = {}) {
  const simulated = await simulateCluster(t, options);
  const { client, clock } = simulated;
  const nodes = client.resource<Node>(core('nodes'));
  const addNode = async (name: string) => {
    await nodes.create(node(name));
    // New nodes are tainted until somebody has seen that they are ready.
    await nodes.patch(name, 'merge', { spec: { taints: null } });
    await clock.advance(2_000);
  };
  const pods = client.resource<Pod>(core('pods')).namespace('default');
  const events = client.resource(core('events')).namespace('default');
  const told = async (reason: string) =>
    (await events.list()).items
      .filter((event) => 'reason' in event && event['reason'] === reason)
      .map((event) => ('message' in event ? String(event['message']) : ''));
  return { ...simulated, nodes, addNode, pods, told };
}
const scheduled = ({ status }: Pod) =>
  status?.conditions?.find(({ type }) => type === 'PodScheduled');

test('a pod waits for a node, is placed, and both is told', async (t) => {
  const { pods, clock, addNode, told, warnings } = await setUp(t);
  await pods.create(pod('p'));
  await clock.advance(1_000);
  const waiting = scheduled(await pods.get('p'));
  assert.equal(waiting?.reason, 'Unschedulable');
  assert.equal(waiting?.message, 'no nodes available to schedule pods');
  assert.deepEqual(await told('FailedScheduling'), [waiting?.message]);
  await addNode('a');
  await clock.advance(10_000);
  const placed = await pods.get('p');
  assert.equal(placed.spec.nodeName, 'a');
  assert.equal(scheduled(placed)?.status, 'True');
  assert.deepEqual(await told('Scheduled'), ['Successfully assigned default/p to a']);
  assert.deepEqual(warnings, []);
});

test('pods of other schedulers, with gates or with a node are left alone', async (t) => {
  const { pods, clock, addNode, told } = await setUp(t);
  await addNode('a');
  await pods.create(pod('other', { schedulerName: 'mine' }));
  await pods.create(pod('gated', { schedulingGates: [{ name: 'example.com/wait' }] }));
  await pods.create(pod('bound', { nodeName: 'gone' }));
  await clock.advance(20_000);
  assert.equal((await pods.get('other')).spec.nodeName, undefined);
  assert.equal((await pods.get('gated')).spec.nodeName, undefined);
  assert.equal((await pods.get('bound')).spec.nodeName, 'gone');
  assert.deepEqual(await told('FailedScheduling'), []);
  await pods.patch('gated', 'json', [{ op: 'remove', path: '/spec/schedulingGates' }]);
  await clock.advance(1_000);
  assert.equal((await pods.get('gated')).spec.nodeName, 'a');
});

test('a pod that needs what not every kubelet can do waits for a node that declares it', async (t) => {
  const { nodes, pods, clock, addNode, told } = await setUp(t);
  await addNode('a');
  const rule = { action: 'RestartAllContainers', exitCodes: { operator: 'In', values: [1] } };
  await pods.create(
    pod('p', {
      containers: [
        { name: 'c', image: 'app', restartPolicy: 'Always', restartPolicyRules: [rule] },
      ],
    }),
  );
  await clock.advance(1_000);
  assert.deepEqual(await told('FailedScheduling'), [
    "0/1 nodes are available: 1 node(s) didn't match Pod's required features. no new claims to deallocate, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.",
  ]);
  const declare = (...declaredFeatures: string[]) =>
    nodes.patch('a', 'merge', { status: { declaredFeatures } }, { subresource: 'status' });
  await declare('ExtendWebSocketsToKubelet');
  await clock.advance(20_000);
  assert.equal((await pods.get('p')).spec.nodeName, undefined);
  await declare('ExtendWebSocketsToKubelet', 'RestartAllContainersOnContainerExits');
  await clock.advance(20_000);
  assert.equal((await pods.get('p')).spec.nodeName, 'a');
});

/** A node that a less important pod must leave for a more important one. */
async function preempt(t: TestContext) {
  const set = await setUp(t);
  const { client, pods, clock, addNode } = set;
  const classes = client.resource({
    group: 'scheduling.k8s.io',
    version: 'v1',
    resource: 'priorityclasses',
  });
  const important = {
    apiVersion: 'scheduling.k8s.io/v1',
    kind: 'PriorityClass',
    metadata: { name: 'high' },
    value: 10,
  };
  await classes.create(important);
  await addNode('a');
  await pods.create(pod('low', asking('3')));
  await clock.advance(1_000);
  await pods.patch('low', 'merge', { status: { phase: 'Running' } }, { subresource: 'status' });
  const high = await pods.create(pod('high', { ...asking('2'), priorityClassName: 'high' }));
  await clock.advance(1_000);
  return { ...set, high };
}

test('room is made for what is more important', async (t) => {
  const { pods, clock, told, high } = await preempt(t);
  const low = await pods.get('low');
  assert.ok(low.metadata.deletionTimestamp !== undefined);
  assert.equal((await pods.get('high')).status?.nominatedNodeName, 'a');
  assert.deepEqual(await told('Preempted'), [`Preempted by pod ${high.metadata.uid} on node a`]);
  await pods.delete('low', { gracePeriodSeconds: 0 });
  await clock.advance(10_000);
  const placed = await pods.get('high');
  assert.deepEqual([placed.spec.nodeName, placed.status?.nominatedNodeName], ['a', undefined]);
});

test('what was promised stands while those that were told to are going, and others may use the rest', async (t) => {
  const { pods, clock, told } = await preempt(t);
  await pods.create(pod('small', asking('1')));
  await clock.advance(1_000);
  // Asked again, the pod has no better answer yet.
  await pods.patch('high', 'merge', { metadata: { labels: { a: 'b' } } });
  await clock.advance(15_000);
  const { status } = await pods.get('high');
  assert.equal(status?.nominatedNodeName, 'a');
  assert.equal(
    status?.conditions?.find(({ type }) => type === 'PodScheduled')?.message,
    '0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: not eligible due to a terminating pod on the nominated node.',
  );
  assert.equal((await told('Preempted')).length, 1);
  // The room is promised: one that counts for less does not get it, and one without promise waits.
  assert.equal((await pods.get('small')).spec.nodeName, undefined);
});

test('room that was promised to a pod is free when the pod goes', async (t) => {
  const { pods, clock } = await preempt(t);
  await pods.create(pod('small', asking('1')));
  await clock.advance(1_000);
  assert.equal((await pods.get('small')).spec.nodeName, undefined);
  await pods.delete('high');
  await clock.advance(1_000);
  assert.equal((await pods.get('small')).spec.nodeName, 'a');
});

test('a binding that is refused is tried again, and told with the plugin that failed', async (t) => {
  const { client, pods, clock, addNode, told } = await setUp(t);
  const admission = (resource: string) =>
    client.resource({ group: 'admissionregistration.k8s.io', version: 'v1', resource });
  await admission('validatingadmissionpolicies').create({
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicy',
    metadata: { name: 'closed' },
    spec: {
      matchConstraints: {
        resourceRules: [
          {
            apiGroups: [''],
            apiVersions: ['v1'],
            operations: ['CREATE'],
            resources: ['pods/binding'],
          },
        ],
      },
      validations: [{ expression: 'false', message: 'closed today' }],
    },
  } as never);
  await admission('validatingadmissionpolicybindings').create({
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicyBinding',
    metadata: { name: 'closed' },
    spec: { policyName: 'closed', validationActions: ['Deny'] },
  } as never);
  await addNode('a');
  await pods.create(pod('p'));
  await clock.advance(1_000);
  const condition = scheduled(await pods.get('p'));
  assert.equal(condition?.reason, 'SchedulerError');
  assert.match(condition?.message ?? '', /^running Bind plugin "DefaultBinder": .*closed today/);
  assert.deepEqual(await told('FailedScheduling'), [condition?.message]);
  await admission('validatingadmissionpolicybindings').delete('closed');
  await clock.advance(10_000);
  assert.equal((await pods.get('p')).spec.nodeName, 'a');
});

test('the provisioner of a claim is told the node, and the pod waits for the volume', async (t) => {
  const { client, pods, clock, addNode } = await setUp(t);
  const classes = client.resource({
    group: 'storage.k8s.io',
    version: 'v1',
    resource: 'storageclasses',
  });
  const lazy = {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: { name: 's' },
    provisioner: 'disk.example.com',
    volumeBindingMode: 'WaitForFirstConsumer',
  };
  await classes.create(lazy);
  const claims = client
    .resource<PersistentVolumeClaim>(core('persistentvolumeclaims'))
    .namespace('default');
  await claims.create({
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'c' },
    spec: {
      storageClassName: 's',
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage: '1Gi' } },
    },
  });
  await addNode('a');
  await pods.create(
    pod('p', { volumes: [{ name: 'd', persistentVolumeClaim: { claimName: 'c' } }] }),
  );
  await clock.advance(2_000);
  const selected = (await claims.get('c')).metadata.annotations?.[
    'volume.kubernetes.io/selected-node'
  ];
  assert.equal(selected, 'a');
  const waiting = await pods.get('p');
  assert.deepEqual([waiting.spec.nodeName, waiting.status?.nominatedNodeName], [undefined, 'a']);
  await client.resource(core('persistentvolumes')).create({
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: 'v' },
    spec: {
      storageClassName: 's',
      accessModes: ['ReadWriteOnce'],
      capacity: { storage: '1Gi' },
      csi: { driver: 'disk.example.com', volumeHandle: 'h' },
    },
  } as never);
  await claims.patch('c', 'merge', {
    metadata: { annotations: { 'pv.kubernetes.io/bind-completed': 'yes' } },
    spec: { volumeName: 'v' },
  });
  await clock.advance(2_000);
  const placed = await pods.get('p');
  assert.deepEqual([placed.spec.nodeName, placed.status?.nominatedNodeName], ['a', undefined]);
});

test('a template becomes a claim, its device is given to the pod, and given back', async (t) => {
  const { client, pods, clock, addNode, warnings } = await setUp(t);
  await addNode('a');
  const create = (resource: string, kind: string, name: string, spec: object) =>
    client
      .resource(devices(resource))
      .namespace(resource === 'resourceclaimtemplates' ? 'default' : '')
      .create({ apiVersion: 'resource.k8s.io/v1', kind, metadata: { name }, spec } as never);
  await create('deviceclasses', 'DeviceClass', 'gpu', {
    selectors: [{ cel: { expression: 'device.driver == "gpu.example.com"' } }],
  });
  await create('resourceslices', 'ResourceSlice', 's', {
    driver: 'gpu.example.com',
    nodeName: 'a',
    pool: { name: 'a', generation: 1, resourceSliceCount: 1 },
    devices: [{ name: 'g0' }],
  });
  await create('resourceclaimtemplates', 'ResourceClaimTemplate', 't', {
    spec: { devices: { requests: [{ name: 'r', exactly: { deviceClassName: 'gpu' } }] } },
  });
  const claims = client.resource<ResourceClaim>(devices('resourceclaims')).namespace('default');
  const wanting = { resourceClaims: [{ name: 'x', resourceClaimTemplateName: 't' }] };
  await pods.create(pod('p', wanting));
  await clock.advance(5_000);
  const [claim] = (await claims.list()).items;
  assert.match(claim?.metadata.name ?? '', /^p-x-[a-z0-9]{5}$/);
  assert.equal(claim?.status?.allocation?.devices?.results?.[0]?.device, 'g0');
  assert.deepEqual(
    claim?.status?.reservedFor?.map(({ name }) => name),
    ['p'],
  );
  assert.equal((await pods.get('p')).spec.nodeName, 'a');

  // The device is in use until the first pod is done; then its claim goes, and the next has it.
  await pods.create(pod('q', wanting));
  await clock.advance(5_000);
  assert.match(scheduled(await pods.get('q'))?.message ?? '', /1 cannot allocate all claims/);
  await pods.patch('p', 'merge', { status: { phase: 'Succeeded' } }, { subresource: 'status' });
  await clock.advance(20_000);
  assert.equal((await pods.get('q')).spec.nodeName, 'a');
  assert.deepEqual(
    (await claims.list()).items.map(({ status }) => status?.reservedFor?.[0]?.name),
    ['q'],
  );
  assert.deepEqual(warnings, []);
});

test('each pod is placed by the profile that it names, and told so in its name', async (t) => {
  const file = `
    apiVersion: kubescheduler.config.k8s.io/v1
    kind: KubeSchedulerConfiguration
    profiles:
    - schedulerName: default-scheduler
    - schedulerName: packing
      plugins: { multiPoint: { disabled: [{ name: NodeUnschedulable }, { name: TaintToleration }] } }
  `;
  const scheduler = parseSchedulerConfiguration(file, () => true);
  const { pods, clock, addNode, nodes, client } = await setUp(t, {
    controllerSettings: { scheduler },
  });
  await addNode('a');
  await nodes.patch('a', 'merge', { spec: { unschedulable: true } });
  await clock.advance(2_000);
  await pods.create(pod('usual'));
  await pods.create(pod('packed', { schedulerName: 'packing' }));
  await pods.create(pod('foreign', { schedulerName: 'other' }));
  await clock.advance(5_000);
  const nodeOf = async (name: string) => (await pods.get(name)).spec.nodeName;
  assert.deepEqual(
    [await nodeOf('usual'), await nodeOf('packed'), await nodeOf('foreign')],
    [undefined, 'a', undefined],
  );
  const events = await client.resource(core('events')).namespace('default').list();
  const tellers = events.items.flatMap(({ source, involvedObject }) => {
    const { name } = involvedObject as { name: string };
    const { component } = source as { component: string };
    return ['usual', 'packed', 'foreign'].includes(name) ? [`${name}: ${component}`] : [];
  });
  assert.deepEqual([...new Set(tellers)].toSorted(), [
    'packed: packing',
    'usual: default-scheduler',
  ]);
});

test('a thousand pods that come at once are counted exactly, and not one more is placed', async (t) => {
  const { pods, clock, nodes, warnings } = await setUp(t, {
    controllers: ['kube-scheduler'],
    disableAdmissionPlugins: ['ServiceAccount'],
  });
  const allocatable = { cpu: '10', memory: '10Gi', pods: '200' };
  for (let i = 0; i < 10; i++) {
    await nodes.create({ ...node(`n${i}`), status: { allocatable } });
    await nodes.patch(`n${i}`, 'merge', { spec: { taints: null } });
  }
  const names = Array.from({ length: 1_001 }, (_, i) => `p${i}`);
  await Promise.all(names.map((name) => pods.create(pod(name, asking('100m')))));
  // Much is to be written; each step lets as much of it happen as a second of the cluster allows.
  const byNode = async () =>
    Map.groupBy((await pods.listAll()).items, ({ spec }) => spec.nodeName ?? '');
  let placed = await byNode();
  for (let step = 0; step < 60 && (placed.get('')?.length ?? 0) > 1; step++) {
    await clock.advance(1_000);
    placed = await byNode();
  }
  assert.deepEqual(
    Object.fromEntries([...placed].map(([name, list]) => [name, list.length]).toSorted()),
    { '': 1, ...Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`n${i}`, 100])) },
  );
  assert.deepEqual(warnings, []);
});
