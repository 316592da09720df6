// Pods that lose their devices to taints, of drivers and of administrators.

import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { Event, Pod } from '@keelson/apimachinery/types/core.v1';
import type { DeviceTaintRule } from '@keelson/apimachinery/types/resource.k8s.io.v1beta2';
import type { ClusterOptions } from '../create-cluster.ts';
import { addDevicePod, deviceResource, taintDevice } from '../testing/device-cluster.ts';
import { core, find, simulateCluster } from '../testing/simulated-cluster.ts';

const broken = { key: 'broken', effect: 'NoExecute' };

async function setUp(
  t: TestContext,
  tolerations: Parameters<typeof addDevicePod>[1] = [],
  options: ClusterOptions = {},
) {
  const { client, clock } = await simulateCluster(t, options);
  const pods = client.resource<Pod>(core('pods')).namespace('default');
  await addDevicePod(client, tolerations);
  await clock.advance(5_000);
  assert.equal((await pods.get('p')).spec.nodeName, 'n');
  return {
    client,
    clock,
    isThere: async () => {
      const pod = await find(pods, 'p');
      return pod !== undefined && pod.metadata.deletionTimestamp === undefined;
    },
    pod: () => pods.get('p'),
    async events() {
      const all = client.resource<Event>(core('events')).namespace('default');
      return (await all.list()).items
        .filter(({ reason }) => reason === 'DeviceTaintManagerEviction')
        .map(({ type, message, source }) => `${source?.component} ${type} ${message}`);
    },
  };
}

const marking = 'device-taint-eviction-controller Normal Marking for deletion';
const cancelling = 'device-taint-eviction-controller Normal Cancelling deletion';

test('a device that its driver gives up takes its pod along', async (t) => {
  const { client, clock, isThere, pod, events } = await setUp(t);
  await taintDevice(client, [broken]);
  await clock.advance(2_000);
  assert.equal(await isThere(), false);
  const { type, status, reason, message } =
    (await pod()).status?.conditions?.find((one) => one.type === 'DisruptionTarget') ?? {};
  assert.deepEqual(
    { type, status, reason, message },
    {
      type: 'DisruptionTarget',
      status: 'True',
      reason: 'DeletionByDeviceTaintManager',
      message: 'Device Taint manager: deleting due to NoExecute taint',
    },
  );
  assert.deepEqual(await events(), [marking]);
  const bytes = await client.send({ method: 'GET', path: '/metrics' });
  const counted = /^device_taint_eviction_controller_pod_deletions_total (\d+)$/m;
  assert.equal(counted.exec(Buffer.from(bytes).toString())?.[1], '1');
});

test('a taint against new pods leaves those that are there', async (t) => {
  const { client, clock, isThere } = await setUp(t);
  await taintDevice(client, [{ ...broken, effect: 'NoSchedule' }]);
  await clock.advance(60_000);
  assert.ok(await isThere());
});

test('a claim bears a taint for as long as it says, and a taint may go again', async (t) => {
  const toleration = {
    key: 'broken',
    operator: 'Exists',
    effect: 'NoExecute',
    tolerationSeconds: 30,
  };
  const { client, clock, isThere, events } = await setUp(t, [toleration]);
  await taintDevice(client, [broken]);
  await clock.advance(20_000);
  assert.ok(await isThere());
  await taintDevice(client, []);
  await clock.advance(60_000);
  assert.ok(await isThere());
  assert.deepEqual(await events(), [cancelling]);
  await taintDevice(client, [broken]);
  await clock.advance(25_000);
  assert.ok(await isThere());
  await clock.advance(10_000);
  assert.equal(await isThere(), false);
  assert.deepEqual((await events()).toSorted(), [cancelling, marking]);
});

test('an administrator taints a device by a rule; no pod gets it afterwards', async (t) => {
  const { client, clock, isThere, rules, addRule } = await setUpRules(t);
  await addRule('other', broken, { driver: 'other.example.com' });
  await clock.advance(5_000);
  assert.ok(await isThere());
  await addRule('ours', broken);
  await clock.advance(5_000);
  assert.equal(await isThere(), false);

  const pods = client.resource<Pod>(core('pods')).namespace('default');
  // As its kubelet would when it has ended.
  await pods.delete('p', { gracePeriodSeconds: 0 });
  const claims = client.resource(deviceResource('resourceclaims')).namespace('default');
  const spec = { devices: { requests: [{ name: 'r', exactly: { deviceClassName: 'gpu' } }] } };
  await claims.create({ metadata: { name: 'd' }, spec } as never);
  const next: Pod = {
    metadata: { name: 'next' },
    spec: {
      containers: [{ name: 'c', image: 'i' }],
      resourceClaims: [{ name: 'gpu', resourceClaimName: 'd' }],
    },
  };
  await pods.create(next);
  await clock.advance(10_000);
  assert.equal((await pods.get('next')).spec.nodeName, undefined);
  await rules.delete('ours');
  await clock.advance(10_000);
  assert.equal((await pods.get('next')).spec.nodeName, 'n');
});

async function setUpRules(t: TestContext, tolerations: Parameters<typeof addDevicePod>[1] = []) {
  const scene = await setUp(t, tolerations, {
    featureGates: { DRADeviceTaintRules: true },
    runtimeConfig: 'resource.k8s.io/v1beta2=true',
  });
  const rules = scene.client.resource<DeviceTaintRule>(
    deviceResource('devicetaintrules', 'v1beta2'),
  );
  return {
    ...scene,
    rules,
    addRule: (
      name: string,
      taint: object,
      deviceSelector: object = { driver: 'gpu.example.com' },
    ) => rules.create({ metadata: { name }, spec: { deviceSelector, taint } } as DeviceTaintRule),
    async told(name: string) {
      const { metadata, status } = await rules.get(name);
      const told = status?.conditions?.find(({ type }) => type === 'EvictionInProgress');
      assert.equal(told?.observedGeneration, metadata.generation);
      return `${told?.status} ${told?.reason}: ${told?.message}`;
    },
  };
}
const wouldEvict = (published: string, allocated: string, pods: string) =>
  `False NoEffect: ${published} selected. ${allocated} selected. ${pods} if the effect was NoExecute. This information will not be updated again. Recreate the DeviceTaintRule to trigger an update.`;

test('a rule says that it evicts, and when that is over', async (t) => {
  const toleration = { ...broken, operator: 'Exists', tolerationSeconds: 30 };
  const { clock, isThere, addRule, told } = await setUpRules(t, [toleration]);
  await addRule('ours', broken);
  await addRule('other', broken, { driver: 'other.example.com' });
  await addRule('against-new', { ...broken, effect: 'NoSchedule' });
  await clock.advance(1_000);
  const pending = 'True PodsPendingEviction: 1 pod needs to be evicted in 1 namespace.';
  assert.equal(await told('ours'), pending);
  assert.equal(await told('other'), 'False NotStarted: ');
  assert.equal(
    await told('against-new'),
    'False OtherEffect: Eviction only happens for the NoExecute effect.',
  );
  await clock.advance(24_000);
  assert.ok(await isThere());
  assert.equal(await told('ours'), pending);
  await clock.advance(10_000);
  assert.equal(await isThere(), false);
  await clock.advance(10_000);
  assert.equal(await told('ours'), 'False Completed: 1 pod evicted since starting the controller.');
  assert.equal(await told('other'), 'False NotStarted: ');
});

test('a rule without effect says what it would do, and does nothing', async (t) => {
  const { clock, isThere, rules, addRule, told, events } = await setUpRules(t);
  await addRule('ours', { ...broken, effect: 'None' });
  await addRule('gone', { ...broken, effect: 'None' }, { device: 'not-there' });
  await clock.advance(30_000);
  assert.ok(await isThere());
  const space = 'would be evicted in 1 namespace';
  const ours = wouldEvict('1 published device', '1 allocated device', `1 pod ${space}`);
  assert.equal(await told('ours'), ours);
  const nobody = '0 pods would be evicted in 0 different namespaces';
  const nothing = wouldEvict('0 published devices', '0 allocated devices', nobody);
  assert.equal(await told('gone'), nothing);
  assert.deepEqual(await events(), []);

  const { resourceVersion } = (await rules.get('ours')).metadata;
  await clock.advance(120_000);
  assert.equal((await rules.get('ours')).metadata.resourceVersion, resourceVersion, 'at rest');
  await rules.patch('ours', 'merge', { spec: { taint: { effect: 'NoExecute' } } });
  await clock.advance(15_000);
  assert.equal(await isThere(), false);
  assert.match(await told('ours'), /^False Completed: 1 pod evicted/);
});

test('a pod that bears a rule for ever is not pending', async (t) => {
  const { clock, isThere, addRule, told } = await setUpRules(t, [
    { ...broken, operator: 'Exists' },
  ]);
  await addRule('ours', broken);
  await addRule('dry', { ...broken, effect: 'None' });
  await clock.advance(30_000);
  assert.ok(await isThere());
  assert.equal(await told('ours'), 'False NotStarted: ');
  const nobody = '0 pods would be evicted in 0 different namespaces';
  assert.equal(await told('dry'), wouldEvict('1 published device', '1 allocated device', nobody));
});

test('a pod that goes by itself is pending no more', async (t) => {
  const toleration = { ...broken, operator: 'Exists', tolerationSeconds: 300 };
  const { client, clock, addRule, told } = await setUpRules(t, [toleration]);
  await addRule('ours', broken);
  await clock.advance(15_000);
  assert.match(await told('ours'), /^True PodsPendingEviction: 1 pod/);
  await client.resource(core('pods')).namespace('default').delete('p', { gracePeriodSeconds: 0 });
  await clock.advance(25_000);
  assert.equal(await told('ours'), 'False NotStarted: ');
});

test('a rule reaches a device that its driver shows no more', async (t) => {
  const { client, clock, isThere, addRule } = await setUpRules(t);
  await client.resource(deviceResource('resourceslices')).delete('s');
  await addRule('ours', broken);
  await clock.advance(5_000);
  assert.equal(await isThere(), false);
});

test('a release without taints of devices evicts nothing', async (t) => {
  const { client, clock, isThere } = await setUp(t, [], {
    featureGates: { DRADeviceTaints: false },
  });
  await taintDevice(client, [broken]);
  await clock.advance(60_000);
  assert.ok(await isThere());
});
