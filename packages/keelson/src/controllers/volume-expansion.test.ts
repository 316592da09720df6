import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type {
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
} from '@keelson/apimachinery/types/core.v1';
import type { ClusterOptions } from '../create-cluster.ts';
import { core, simulateCluster } from '../testing/simulated-cluster.ts';

const classes = { group: 'storage.k8s.io', version: 'v1', resource: 'storageclasses' };
const provisioner = 'disk.simulated.keelson.dev';

/** A bound claim of 1Gi whose volume can become 8Gi large. */
async function setUp(t: TestContext, options: ClusterOptions = {}, spec: object = {}) {
  const simulated = await simulateCluster(t, { nodes: 1, ...options });
  const { client, clock } = simulated;
  const claims = client
    .resource<PersistentVolumeClaim>(core('persistentvolumeclaims'))
    .namespace('default');
  const volumes = client.resource<PersistentVolume>(core('persistentvolumes'));
  const pods = client.resource<Pod>(core('pods')).namespace('default');
  const events = client.resource(core('events')).namespace('default');
  await client.resource(classes).create({
    metadata: { name: 'c' },
    provisioner,
    allowVolumeExpansion: true,
    parameters: { maximumSize: '8Gi' },
  });
  await claims.create({
    metadata: { name: 'data' },
    spec: {
      storageClassName: 'c',
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage: '1Gi' } },
      ...spec,
    },
  });
  await clock.advance(2_000);
  return {
    ...simulated,
    claims,
    volumes,
    run: async () => {
      await pods.create({
        metadata: { name: 'p' },
        spec: {
          containers: [{ name: 'c', image: 'app' }],
          volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'data' } }],
        },
      });
      await clock.advance(10_000);
    },
    ask: async (storage: string) => {
      await claims.patch('data', 'merge', { spec: { resources: { requests: { storage } } } });
      await clock.advance(2_000);
    },
    /** Size of the volume and of the claim, what was allocated, how it stands, its conditions. */
    state: async () => {
      const { status = {}, spec } = await claims.get('data');
      const volume = await volumes.get(spec?.volumeName ?? '');
      return [
        volume.spec?.capacity?.['storage'],
        status.capacity?.['storage'],
        status.allocatedResources?.['storage'],
        status.allocatedResourceStatuses?.['storage'],
        status.conditions?.map(({ type }) => type).join(),
      ].map((one) => one ?? '-');
    },
    /** `reason: message` of events about the claim, with VOLUME for its name. */
    said: async () => {
      await clock.advance(1_000);
      const name = (await claims.get('data')).spec?.volumeName ?? '';
      return (await events.list()).items
        .filter(({ involvedObject }) => (involvedObject as Pod).kind === 'PersistentVolumeClaim')
        .filter(({ reason }) => !/^(External|Provisioning)/.test(String(reason)))
        .map(({ reason, message }) =>
          `${String(reason)}: ${String(message)}`.replace(name, 'VOLUME'),
        );
    },
  };
}

test('a file system grows when a pod of a node has it', async (t) => {
  const { ask, state, said, run, volumes, warnings } = await setUp(t);
  const preResize = async () =>
    (await volumes.list()).items.flatMap(({ metadata }) => [
      metadata.annotations?.['volume.alpha.kubernetes.io/pre-resize-capacity'],
    ]);
  await ask('2Gi');
  assert.deepEqual(await state(), [
    '2Gi',
    '1Gi',
    '2Gi',
    'NodeResizePending',
    'FileSystemResizePending',
  ]);
  assert.deepEqual(await preResize(), ['1Gi']);
  await run();
  assert.deepEqual(await state(), ['2Gi', '2Gi', '2Gi', '-', '-']);
  assert.deepEqual(await preResize(), [undefined]);
  await ask('3Gi');
  assert.deepEqual(await state(), ['3Gi', '3Gi', '3Gi', '-', '-']);
  assert.deepEqual((await said()).slice(0, 3), [
    'Resizing: External resizer is resizing volume VOLUME',
    'FileSystemResizeRequired: Require file system resize of volume on node',
    'FileSystemResizeSuccessful: MountVolume.NodeExpandVolume succeeded for volume "VOLUME" node-1',
  ]);
  assert.deepEqual(warnings, []);
});

test('a block volume has no file system to wait for', async (t) => {
  const { ask, state, said } = await setUp(t, {}, { volumeMode: 'Block' });
  await ask('2Gi');
  assert.deepEqual(await state(), ['2Gi', '2Gi', '2Gi', '-', '-']);
  assert.deepEqual(await said(), [
    'Resizing: External resizer is resizing volume VOLUME',
    'VolumeResizeSuccessful: Resize volume succeeded',
  ]);
});

test('what is impossible is said, and given up by asking for less', async (t) => {
  const { ask, state, said, clock } = await setUp(t, {}, { volumeMode: 'Block' });
  await ask('9Gi');
  const refused = [
    '1Gi',
    '1Gi',
    '9Gi',
    'ControllerResizeInfeasible',
    'Resizing,ControllerResizeError',
  ];
  assert.deepEqual(await state(), refused);
  const failures = async () =>
    (await said()).filter((text) => text.startsWith('VolumeResizeFailed'));
  assert.deepEqual(await failures(), [
    'VolumeResizeFailed: resize volume "VOLUME" by resizer "disk.simulated.keelson.dev" failed: ' +
      'rpc error: code = OutOfRange desc = requested size 9Gi is larger than the maximum 8Gi',
  ]);
  await clock.advance(20 * 60_000);
  assert.deepEqual(await state(), refused);
  await ask('4Gi');
  assert.deepEqual(await state(), ['4Gi', '4Gi', '4Gi', '-', '-']);
});

test('releases without recovery say it in conditions only', async (t) => {
  const { ask, state, run } = await setUp(t, { emulatedVersion: '1.31' });
  await ask('2Gi');
  assert.deepEqual(await state(), ['2Gi', '1Gi', '-', '-', 'FileSystemResizePending']);
  await run();
  assert.deepEqual(await state(), ['2Gi', '2Gi', '-', '-', '-']);
});

test('who expands what', async (t) => {
  const message = 'waiting for an external controller to expand this PVC';
  const migrated =
    'CSI migration enabled for kubernetes.io/aws-ebs; waiting for external resizer to expand the pvc';
  const rows: [what: string, source: object, said: string, resizer: string | undefined][] = [
    ['a driver', { csi: { driver: 'd.example.com', volumeHandle: 'h' } }, message, undefined],
    ['nobody', { hostPath: { path: '/x' } }, message, undefined],
    [
      'the driver that took over',
      { awsElasticBlockStore: { volumeID: 'vol-1' } },
      migrated,
      'ebs.csi.aws.com',
    ],
  ];
  for (const [what, source, said, resizer] of rows) {
    const { client, clock, warnings } = await simulateCluster(t);
    const spec = { storageClassName: 'c', accessModes: ['ReadWriteOnce'] };
    await client.resource(classes).create({
      metadata: { name: 'c' },
      provisioner: 'd.example.com',
      allowVolumeExpansion: true,
    });
    await client.resource(core('persistentvolumes')).create({
      metadata: { name: 'v' },
      spec: { ...spec, ...source, capacity: { storage: '1Gi' } },
    });
    const claims = client
      .resource<PersistentVolumeClaim>(core('persistentvolumeclaims'))
      .namespace('default');
    const of = (storage: string) => ({ resources: { requests: { storage } } });
    await claims.create({ metadata: { name: 'data' }, spec: { ...spec, ...of('1Gi') } });
    await clock.advance(2_000);
    await claims.patch('data', 'merge', { spec: of('2Gi') });
    await clock.advance(2_000);
    const { items } = await client.resource(core('events')).namespace('default').list();
    const told = items.filter(({ reason }) => reason === 'ExternalExpanding');
    assert.deepEqual(
      told.map((event) => event['message']),
      [said],
      what,
    );
    const { annotations } = (await claims.get('data')).metadata;
    assert.equal(annotations?.['volume.kubernetes.io/storage-resizer'], resizer, what);
    assert.equal((await claims.get('data')).status?.capacity?.['storage'], '1Gi', what);
    assert.deepEqual(warnings, [], what);
  }
});
