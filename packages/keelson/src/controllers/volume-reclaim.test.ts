// What becomes of volumes whose claim is gone, and whose they are.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { find } from '../testing/simulated-cluster.ts';
import { simulateVolumes } from '../testing/simulated-volumes.ts';

const provisionedBy = 'pv.kubernetes.io/provisioned-by';
const migratedTo = 'pv.kubernetes.io/migrated-to';
const boundByController = 'pv.kubernetes.io/bound-by-controller';
const inTreeFinalizer = 'kubernetes.io/pv-controller';
const external = 'external-provisioner.volume.kubernetes.io/finalizer';
const protection = 'kubernetes.io/pv-protection';

test('a volume whose claim is gone', async (t) => {
  const noDeleter = (what: string) =>
    `error getting deleter volume plugin for volume "v": no ${what} plugin matched`;
  const csi = { csi: { driver: 'd', volumeHandle: 'h' } };
  const iscsi = { iscsi: { targetPortal: '1.2.3.4', iqn: 'iqn.2001-04.com.example:a', lun: 0 } };
  const by = (name: string) => ({ annotations: { [provisionedBy]: name } });
  interface Row {
    readonly spec?: object;
    readonly metadata?: object;
    readonly emulatedVersion?: string;
    /** Why it failed; undefined when it did not. */
    readonly message?: string;
    readonly phase?: string;
  }
  const rows: [what: string, Row][] = [
    ['under /tmp', { spec: { hostPath: { path: '/tmp/a' } } }],
    ['under some /tmp', { spec: { hostPath: { path: '/var/tmp/a' } } }],
    ['elsewhere', { message: 'host_path deleter only supports /tmp/.+ but received provided /x' }],
    [
      'of NFS',
      { spec: { nfs: { server: 's', path: '/' } }, message: noDeleter('deletable volume') },
    ],
    ['of iSCSI', { spec: iscsi, message: noDeleter('volume') }],
    ['of a driver', { spec: csi, phase: 'Released' }],
    [
      'of a driver, before',
      { spec: csi, emulatedVersion: '1.30', message: noDeleter('deletable volume') },
    ],
    ['somebody else made it', { metadata: by('disk.example.com'), phase: 'Released' }],
    [
      'a plugin made it that is gone',
      {
        metadata: by('kubernetes.io/rbd'),
        message: 'no volume plugin matched name: kubernetes.io/rbd',
      },
    ],
    [
      'a plugin made it that deletes nothing',
      { metadata: by('kubernetes.io/nfs'), message: 'no deletable volume plugin matched' },
    ],
    [
      'a plugin made it that a driver took over',
      { metadata: by('kubernetes.io/aws-ebs'), phase: 'Released' },
    ],
    [
      'the hostPath plugin made it',
      { metadata: by('kubernetes.io/host-path'), spec: { hostPath: { path: '/tmp/a' } } },
    ],
    ['kept', { spec: { persistentVolumeReclaimPolicy: 'Retain' }, phase: 'Released' }],
  ];
  for (const [what, { spec, metadata, emulatedVersion, message, phase }] of rows) {
    const options = emulatedVersion === undefined ? {} : { emulatedVersion };
    const { addVolume, addClaim, claims, volumes, settle, told } = await simulateVolumes(
      t,
      options,
    );
    await addVolume('v', { persistentVolumeReclaimPolicy: 'Delete', ...spec }, metadata);
    await addClaim('a');
    await settle();
    assert.equal((await volumes.get('v')).status?.phase, 'Bound', what);
    await claims.delete('a');
    const texts = await told();
    const volume = await find(volumes, 'v');
    assert.equal(volume?.status?.phase, message === undefined ? phase : 'Failed', what);
    assert.equal(volume?.status?.message, message, what);
    const expected = message === undefined ? [] : [`v: Warning VolumeFailedDelete ${message}`];
    assert.deepEqual(texts, expected, what);
  }
});

test('whose finalizers a volume has, and which driver has taken it over', async (t) => {
  const rows: [by: string, policy: string, before: string[], after: string[], driver?: string][] = [
    ['kubernetes.io/host-path', 'Delete', [], [protection, inTreeFinalizer]],
    ['kubernetes.io/host-path', 'Delete', [external], [protection, inTreeFinalizer]],
    ['kubernetes.io/host-path', 'Retain', [inTreeFinalizer], [protection]],
    ['kubernetes.io/aws-ebs', 'Delete', [inTreeFinalizer], [protection], 'ebs.csi.aws.com'],
    ['kubernetes.io/aws-ebs', 'Delete', [external], [external, protection], 'ebs.csi.aws.com'],
    ['disk.example.com', 'Delete', [external], [external, protection]],
  ];
  for (const [name, persistentVolumeReclaimPolicy, finalizers, after, driver] of rows) {
    const { addVolume, volumes, settle } = await simulateVolumes(t);
    const annotations = { [provisionedBy]: name };
    await addVolume('v', { persistentVolumeReclaimPolicy }, { finalizers, annotations });
    await settle();
    const { metadata } = await volumes.get('v');
    assert.deepEqual(metadata.finalizers?.toSorted(), after.toSorted(), name);
    assert.equal(metadata.annotations?.[migratedTo], driver, name);
  }
  const { addVolume, volumes, settle } = await simulateVolumes(t, { emulatedVersion: '1.30' });
  const annotations = { [provisionedBy]: 'kubernetes.io/host-path', [migratedTo]: 'gone' };
  await addVolume('v', { persistentVolumeReclaimPolicy: 'Delete' }, { annotations });
  await settle();
  const { metadata } = await volumes.get('v');
  assert.deepEqual(metadata.finalizers, [protection]);
  assert.equal(metadata.annotations?.[migratedTo], undefined);
});

test('a volume is emptied for another claim', async (t) => {
  const { addVolume, addClaim, claims, volumes, pods, settle, told } = await simulateVolumes(t);
  const policy = { persistentVolumeReclaimPolicy: 'Recycle' };
  await addVolume('v', { ...policy, capacity: { storage: '4Gi' } });
  await addClaim('a');
  await settle();
  await pods.create({
    metadata: { name: 'user' },
    spec: {
      containers: [{ name: 'c', image: 'app' }],
      schedulerName: 'nobody',
      volumes: [{ name: 'd', persistentVolumeClaim: { claimName: 'a' } }],
    },
  });
  await claims.delete('a');
  assert.deepEqual(await told(), [
    'v: Normal VolumeFailedRecycle Volume is used by pods: default/user',
  ]);
  await pods.delete('user');
  await volumes.patch('v', 'merge', { metadata: { labels: { again: '1' } } });
  await settle();
  const pod = await pods.get('recycler-for-v');
  assert.equal(pod.spec?.activeDeadlineSeconds, 120);
  assert.deepEqual(pod.spec?.volumes?.[0], { name: 'vol', hostPath: { path: '/x', type: '' } });
  assert.equal((await volumes.get('v')).status?.phase, 'Released');

  const end = (status: object) =>
    pods.patch('recycler-for-v', 'merge', { status: { ...status } }, { subresource: 'status' });
  await end({ phase: 'Failed', message: 'no room' });
  await settle();
  const failed = (await volumes.get('v')).status;
  const message = 'Recycle failed: failed to recycle volume: no room';
  assert.deepEqual([failed?.phase, failed?.message], ['Failed', message]);
  assert.notEqual((await pods.get('recycler-for-v')).metadata.uid, pod.metadata.uid);

  await end({ phase: 'Succeeded' });
  const texts = await told();
  assert.ok(texts.includes('v: Normal VolumeRecycled Volume recycled'));
  assert.ok(texts.includes(`v: Warning VolumeFailedRecycle ${message}`));
  assert.ok(texts.some((text) => text.startsWith('v: Warning RecyclerPod Recycler pod: ')));
  assert.equal(await find(pods, 'recycler-for-v'), undefined);
  const { metadata, spec, status } = await volumes.get('v');
  assert.deepEqual(
    [metadata.annotations?.[boundByController], spec?.claimRef],
    [undefined, undefined],
  );
  assert.deepEqual([status?.phase, status?.message], ['Available', undefined]);
});

test('a volume that cannot be emptied', async (t) => {
  const { addVolume, addClaim, claims, volumes, pods, settle, told } = await simulateVolumes(t);
  await addVolume('v', {
    persistentVolumeReclaimPolicy: 'Recycle',
    csi: { driver: 'd', volumeHandle: 'h' },
  });
  await addClaim('a');
  await settle();
  await claims.delete('a');
  const message = 'No recycler plugin found for the volume!';
  assert.deepEqual(await told(), [`v: Warning VolumeFailedRecycle ${message}`]);
  assert.equal((await volumes.get('v')).status?.message, message);
  assert.equal(await find(pods, 'recycler-for-v'), undefined);
});

test('of whoever emptied a volume before, nothing is kept', async (t) => {
  const { addVolume, addClaim, claims, volumes, pods, settle, clock, told } =
    await simulateVolumes(t);
  await pods.create({
    metadata: { name: 'recycler-for-v' },
    spec: { containers: [{ name: 'c', image: 'old' }], schedulerName: 'nobody' },
  });
  await addVolume('v', { persistentVolumeReclaimPolicy: 'Recycle' });
  await addClaim('a');
  await settle();
  await claims.delete('a');
  const message = 'Recycle failed: old recycler pod found, will retry later';
  assert.ok((await told()).includes(`v: Warning VolumeFailedRecycle ${message}`));
  await clock.advance(20_000);
  assert.equal((await pods.get('recycler-for-v')).spec?.containers?.[0]?.name, 'pv-recycler');
  await pods.delete('recycler-for-v');
  await settle();
  await volumes.patch('v', 'merge', { metadata: { finalizers: null } });
  await volumes.delete('v');
  await settle();
  assert.equal(await find(pods, 'recycler-for-v'), undefined);
});
