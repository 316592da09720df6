// What /metrics shows of volumes, claims and attachments.

import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type {
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
} from '@keelson/apimachinery/types/core.v1';
import type { KubeObject } from '@keelson/apimachinery';
import { metricValues } from '../testing/metric-values.ts';
import { core, simulateCluster } from '../testing/simulated-cluster.ts';

const provisioner = 'disk.simulated.keelson.dev';
const classes = { group: 'storage.k8s.io', version: 'v1', resource: 'storageclasses' };
const isDefault = { 'storageclass.kubernetes.io/is-default-class': 'true' };

async function setUp(t: TestContext) {
  const { client, clock } = await simulateCluster(t, { nodes: 1 });
  const claims = client
    .resource<PersistentVolumeClaim>(core('persistentvolumeclaims'))
    .namespace('default');
  return {
    client,
    clock,
    ...metricValues(client),
    pods: client.resource<Pod>(core('pods')).namespace('default'),
    addClass: (name: string, annotations = {}) =>
      client
        .resource<KubeObject>(classes)
        .create({ metadata: { name, annotations }, provisioner } as KubeObject),
    async addClaim(name: string, spec: object) {
      const resources = { requests: { storage: '1Gi' } };
      await claims.create({
        metadata: { name },
        spec: { accessModes: ['ReadWriteOnce'], resources, ...spec },
      });
      await clock.advance(2_000);
    },
  };
}

test('volumes and claims, bound and not, by class', async (t) => {
  const { client, clock, family, addClass, addClaim } = await setUp(t);
  await addClass('c');
  await addClaim('a', { storageClassName: 'c' });
  await addClaim('b', { storageClassName: 'c', volumeMode: 'Block' });
  await addClaim('waits', { storageClassName: 'none' });
  await client.resource<PersistentVolume>(core('persistentvolumes')).create({
    metadata: { name: 'free' },
    spec: {
      storageClassName: 'other',
      capacity: { storage: '1Gi' },
      accessModes: ['ReadWriteOnce'],
      hostPath: { path: '/x' },
    },
  });
  await clock.advance(2_000);
  const plugin = `kubernetes.io/csi:${provisioner}`;
  assert.deepEqual(await family('pv_collector_total_pv_count'), [
    '{plugin_name="kubernetes.io/csi:disk.simulated.keelson.dev",volume_mode="Block"} 1',
    `{plugin_name="${plugin}",volume_mode="Filesystem"} 1`,
    '{plugin_name="kubernetes.io/host-path",volume_mode="Filesystem"} 1',
  ]);
  assert.deepEqual(await family('pv_collector_bound_pv_count'), ['{storage_class="c"} 2']);
  assert.deepEqual(await family('pv_collector_unbound_pv_count'), ['{storage_class="other"} 1']);
  const claimed = (name: string, count: number) =>
    `{namespace="default",storage_class="${name}",volume_attributes_class=""} ${count}`;
  assert.deepEqual(await family('pv_collector_bound_pvc_count'), [claimed('c', 2)]);
  assert.deepEqual(await family('pv_collector_unbound_pvc_count'), [claimed('none', 1)]);
});

test('claims that were there before the default class', async (t) => {
  const { clock, value, addClass, addClaim } = await setUp(t);
  await addClaim('old', {});
  assert.equal(await value('retroactive_storageclass_total'), undefined);
  await addClass('c', isDefault);
  await clock.advance(20_000);
  assert.equal(await value('retroactive_storageclass_total'), 1);
  assert.equal(await value('retroactive_storageclass_errors_total'), undefined);
});

test('volumes in use, wanted and attached', async (t) => {
  const { clock, family, addClass, addClaim, pods } = await setUp(t);
  await addClass('c');
  await addClaim('a', { storageClassName: 'c' });
  assert.deepEqual(await family('storage_count_attachable_volumes_in_use'), []);
  await pods.create({
    metadata: { name: 'p' },
    spec: {
      containers: [{ name: 'c', image: 'i' }],
      volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'a' } }],
    },
  });
  await clock.advance(10_000);
  const plugin = `kubernetes.io/csi:${provisioner}`;
  assert.deepEqual(await family('storage_count_attachable_volumes_in_use'), [
    `{node="node-1",volume_plugin="${plugin}"} 1`,
  ]);
  assert.deepEqual(await family('attachdetach_controller_total_volumes'), [
    `{plugin_name="${plugin}",state="actual_state_of_world"} 1`,
    `{plugin_name="${plugin}",state="desired_state_of_world"} 1`,
  ]);
  await pods.delete('p', { gracePeriodSeconds: 0 });
  await clock.advance(60_000);
  assert.deepEqual(await family('attachdetach_controller_total_volumes'), []);
  assert.deepEqual(await family('storage_count_attachable_volumes_in_use'), []);
});
