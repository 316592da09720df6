import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type {
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
} from '@keelson/apimachinery/types/core.v1';
import type { CSIDriver, VolumeAttachment } from '@keelson/apimachinery/types/storage.k8s.io.v1';
import type { ClusterOptions } from '../create-cluster.ts';
import { metricValues } from '../testing/metric-values.ts';
import { core, find, simulateCluster } from '../testing/simulated-cluster.ts';

const storage = (resource: string) => ({ group: 'storage.k8s.io', version: 'v1', resource });
const driver = 'disk.simulated.keelson.dev';

/** A bound claim `data`. */
async function setUp(t: TestContext, options: ClusterOptions = {}, provisioner = driver) {
  const simulated = await simulateCluster(t, { nodes: 2, ...options });
  const { client, clock } = simulated;
  const claims = client
    .resource<PersistentVolumeClaim>(core('persistentvolumeclaims'))
    .namespace('default');
  const volumes = client.resource<PersistentVolume>(core('persistentvolumes'));
  const pods = client.resource<Pod>(core('pods')).namespace('default');
  const nodes = client.resource<Node>(core('nodes'));
  const attachments = client.resource<VolumeAttachment>(storage('volumeattachments'));
  await client.resource(storage('storageclasses')).create({ metadata: { name: 'c' }, provisioner });
  const addClaim = async (accessMode = 'ReadWriteOnce') => {
    await claims.create({
      metadata: { name: 'data' },
      spec: {
        storageClassName: 'c',
        accessModes: [accessMode],
        resources: { requests: { storage: '1Gi' } },
      },
    });
    await clock.advance(2_000);
  };
  return {
    ...simulated,
    claims,
    volumes,
    pods,
    nodes,
    attachments,
    addClaim,
    wait: (seconds: number) => clock.advance(seconds * 1_000),
    run: async (name: string, nodeName: string) => {
      const volume = { name: 'v', persistentVolumeClaim: { claimName: 'data' } };
      const containers = [{ name: 'c', image: 'app' }];
      await pods.create({ metadata: { name }, spec: { nodeName, containers, volumes: [volume] } });
      await clock.advance(5_000);
    },
    phase: async (name: string) => (await find(pods, name))?.status?.phase ?? 'gone',
    /** `node-1 attached`, and whether the node is told and uses it. */
    attached: async () => {
      const all = await attachments.list();
      return Promise.all(
        all.items.map(async ({ spec, status, metadata }) => {
          const node = await find(nodes, spec.nodeName);
          const words = [
            spec.nodeName,
            status?.attached === true ? 'attached' : 'not attached',
            metadata.deletionTimestamp !== undefined && 'leaving',
            node?.status?.volumesAttached?.length === 1 && 'told',
            node?.status?.volumesInUse?.length === 1 && 'in use',
          ];
          return words.filter((word) => word !== false).join(', ');
        }),
      );
    },
    /** `pod Reason: message` with VOLUME for its name. */
    said: async () => {
      await clock.advance(1_000);
      const { items } = await client.resource(core('events')).namespace('default').list();
      const names = (await volumes.list()).items.map(({ metadata }) => metadata.name ?? '');
      return items
        .filter(({ reason }) => /Attach|FailedMount/.test(String(reason)))
        .map(({ involvedObject, reason, message }) =>
          names.reduce(
            (text, name) => text.replaceAll(name, 'VOLUME'),
            `${(involvedObject as { name: string }).name} ${String(reason)}: ${String(message)}`,
          ),
        );
    },
  };
}

test('a volume is attached where a pod is, and detached when it is gone', async (t) => {
  const { addClaim, run, phase, attached, said, pods, claims, volumes, nodes, wait, warnings } =
    await setUp(t);
  await addClaim();
  await run('p', 'node-1');
  assert.deepEqual(await attached(), ['node-1, attached, told, in use']);
  assert.equal(await phase('p'), 'Running');
  const [volume] = (await volumes.list()).items;
  const name = volume?.metadata.name;
  assert.deepEqual((await nodes.get('node-1')).status?.volumesAttached, [
    { name: `kubernetes.io/csi/${driver}^${name}`, devicePath: '' },
  ]);
  assert.ok(
    volume?.metadata.finalizers?.includes('external-attacher/disk-simulated-keelson-dev') === true,
  );
  assert.deepEqual(await said(), [
    'p SuccessfulAttachVolume: AttachVolume.Attach succeeded for volume "VOLUME" ',
  ]);
  await pods.delete('p');
  await wait(60);
  assert.deepEqual(await attached(), []);
  assert.deepEqual((await nodes.get('node-1')).status?.volumesAttached ?? [], []);
  await claims.delete('data');
  await wait(5);
  assert.deepEqual((await volumes.list()).items, []);
  assert.deepEqual(warnings, []);
});

test('a volume of one node is not attached to another one, a shared one is', async (t) => {
  const { addClaim, run, phase, attached, said, pods, wait } = await setUp(t);
  await addClaim();
  await run('p', 'node-1');
  await run('q', 'node-2');
  assert.equal(await phase('q'), 'Pending');
  assert.ok(
    (await said()).includes(
      'q FailedAttachVolume: Multi-Attach error for volume "VOLUME" Volume is already used by pod(s) p',
    ),
  );
  await pods.delete('p');
  await wait(60);
  assert.deepEqual(await attached(), ['node-2, attached, told, in use']);
  assert.equal(await phase('q'), 'Running');
});

test('a shared volume is attached to both', async (t) => {
  const { addClaim, run, attached } = await setUp(t);
  await addClaim('ReadWriteMany');
  await run('p', 'node-1');
  await run('q', 'node-2');
  assert.deepEqual((await attached()).toSorted(), [
    'node-1, attached, told, in use',
    'node-2, attached, told, in use',
  ]);
});

test('a silent node is believed for six minutes, one out of service not at all', async (t) => {
  for (const isOutOfService of [false, true]) {
    const { client, addClaim, run, phase, attached, said, pods, nodes, wait } = await setUp(t);
    await addClaim();
    await run('p', 'node-1');
    await nodes.patch('node-1', 'merge', {
      metadata: { annotations: { 'keelson.dev/simulate': 'stopped' } },
    });
    await wait(60);
    await pods.delete('p', { gracePeriodSeconds: 0 });
    await run('q', 'node-2');
    assert.deepEqual(await attached(), ['node-1, attached, told, in use']);
    assert.ok((await said()).some((text) => text.startsWith('q FailedAttachVolume: Multi-Attach')));
    if (isOutOfService) {
      const taints = [{ key: 'node.kubernetes.io/out-of-service', effect: 'NoExecute' }];
      await nodes.patch('node-1', 'strategic', { spec: { taints } });
    } else {
      await wait(5 * 60);
      assert.equal(await phase('q'), 'Pending');
      await wait(60);
    }
    await wait(10);
    assert.deepEqual(await attached(), ['node-2, attached, told, in use']);
    assert.deepEqual(await metricValues(client).family('attachdetach_controller_forced_detaches'), [
      `{reason="${isOutOfService ? 'out-of-service' : 'timeout'}"} 1`,
    ]);
    // The pod asks again when its back-off says so, or as soon as its node is told.
    assert.equal(await phase('q'), 'Running');
  }
});

test('a silent node may be believed for ever, and who waits is told once', async (t) => {
  const controllerSettings = { isForceDetachDisabled: true };
  const { addClaim, run, attached, said, pods, nodes, wait } = await setUp(t, {
    controllerSettings,
  });
  await addClaim();
  await run('p', 'node-1');
  await nodes.patch('node-1', 'merge', {
    metadata: { annotations: { 'keelson.dev/simulate': 'stopped' } },
  });
  await wait(60);
  await run('q', 'node-2');
  await pods.delete('p', { gracePeriodSeconds: 0 });
  await wait(30 * 60);
  assert.deepEqual(await attached(), ['node-1, attached, told, in use']);
  const told = (await said()).filter((text) => text.startsWith('q FailedAttachVolume'));
  const why = 'Volume is already used by pod(s) p';
  assert.deepEqual(told, [`q FailedAttachVolume: Multi-Attach error for volume "VOLUME" ${why}`]);
});

test('a driver that needs no attachment gets none', async (t) => {
  const { client, addClaim, run, phase, attached } = await setUp(t);
  await client
    .resource<CSIDriver>(storage('csidrivers'))
    .create({ metadata: { name: driver }, spec: { attachRequired: false } });
  await addClaim();
  await run('p', 'node-1');
  assert.equal(await phase('p'), 'Running');
  assert.deepEqual(await attached(), []);
});

test('pods are told of drivers that fail, and of those that do not answer', async (t) => {
  const { addClaim, volumes, run, phase, said, attachments, wait, warnings } = await setUp(
    t,
    {},
    'd.example.com',
  );
  await volumes.create({
    metadata: { name: 'disk-1' },
    spec: {
      capacity: { storage: '1Gi' },
      accessModes: ['ReadWriteOnce'],
      storageClassName: 'c',
      csi: { driver: 'd.example.com', volumeHandle: 'h' },
    },
  });
  await addClaim();
  await run('p', 'node-1');
  await wait(5 * 60);
  assert.equal(await phase('p'), 'Pending');
  const [attachment] = (await attachments.list()).items;
  const status = { attachError: { message: 'no room', time: '2026-01-01T00:00:00Z' } };
  const name = attachment?.metadata.name ?? '';
  await attachments.patch(name, 'merge', { status }, { subresource: 'status' });
  await wait(5);
  assert.deepEqual(await said(), [
    'p FailedAttachVolume: AttachVolume.Attach failed for volume "VOLUME" : timed out waiting for external-attacher of d.example.com CSI driver to attach volume h',
    'p FailedMount: Unable to attach or mount volumes: unmounted volumes=[v], unattached volumes=[v], failed to process volumes=[]: context deadline exceeded',
    'p FailedAttachVolume: AttachVolume.Attach failed for volume "VOLUME" : no room',
  ]);
  await attachments.patch(
    name,
    'merge',
    { status: { attached: true, attachError: null } },
    { subresource: 'status' },
  );
  await wait(10);
  assert.equal(await phase('p'), 'Running');
  assert.deepEqual(warnings, []);
});

test('the attacher may do no more than it needs', async (t) => {
  const { client } = await setUp(t);
  const roles = client.resource({
    group: 'rbac.authorization.k8s.io',
    version: 'v1',
    resource: 'clusterroles',
  });
  const { rules } = await roles.get('keelson:controller:simulated-volume-attacher');
  assert.deepEqual(rules, [
    { apiGroups: [''], resources: ['persistentvolumes'], verbs: ['patch'] },
    {
      apiGroups: ['storage.k8s.io'],
      resources: ['volumeattachments', 'volumeattachments/status'],
      verbs: ['patch'],
    },
  ]);
});
