// Pods that lose their devices to taints, of drivers and of administrators.

import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { Event, Pod } from '@keelson/apimachinery/types/core.v1';
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
  const { client, clock, isThere } = await setUp(t, [], {
    featureGates: { DRADeviceTaintRules: true },
    runtimeConfig: 'resource.k8s.io/v1beta2=true',
  });
  const rules = client.resource(deviceResource('devicetaintrules', 'v1beta2'));
  const elsewhere = { deviceSelector: { driver: 'other.example.com' }, taint: broken };
  await rules.create({ metadata: { name: 'other' }, spec: elsewhere } as never);
  await clock.advance(5_000);
  assert.ok(await isThere());
  const here = { deviceSelector: { driver: 'gpu.example.com' }, taint: broken };
  await rules.create({ metadata: { name: 'ours' }, spec: here } as never);
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

test('a release without taints of devices evicts nothing', async (t) => {
  const { client, clock, isThere } = await setUp(t, [], {
    featureGates: { DRADeviceTaints: false },
  });
  await taintDevice(client, [broken]);
  await clock.advance(60_000);
  assert.ok(await isThere());
});
