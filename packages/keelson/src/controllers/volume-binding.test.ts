// Claims and volumes that do not simply fit: what they say in the end, and what was told about them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { simulateVolumes } from '../testing/simulated-volumes.ts';

const provisioner = 'volume.kubernetes.io/storage-provisioner';

test('a claim that names its volume', async (t) => {
  const mismatch = (why: string) =>
    `a: Warning VolumeMismatch Cannot bind to requested volume "v": ${why}`;
  const rows: [what: string, volume: object, phase: string, told: string[]][] = [
    ['fits', {}, 'Bound', []],
    [
      'too small',
      { capacity: { storage: '1Mi' } },
      'Pending',
      [mismatch('requested PV is too small')],
    ],
    [
      'of another class',
      { storageClassName: 'x' },
      'Pending',
      [mismatch('storageClassName does not match')],
    ],
    ['for blocks', { volumeMode: 'Block' }, 'Pending', [mismatch('incompatible volumeMode')]],
    [
      'of other modes',
      { accessModes: ['ReadOnlyMany'] },
      'Pending',
      [mismatch('incompatible accessMode')],
    ],
    [
      'kept for another',
      { claimRef: { namespace: 'default', name: 'b' } },
      'Pending',
      ['a: Warning FailedBinding volume "v" already bound to a different claim.'],
    ],
    [
      'kept for it, however small',
      { claimRef: { namespace: 'default', name: 'a' }, capacity: { storage: '1Mi' } },
      'Bound',
      [],
    ],
  ];
  for (const [what, spec, phase, expected] of rows) {
    const { addVolume, addClaim, claims, told } = await simulateVolumes(t);
    await addVolume('v', spec);
    await addClaim('a', { volumeName: 'v' });
    assert.deepEqual(await told(), expected, what);
    assert.equal((await claims.get('a')).status?.phase, phase, what);
  }
});

test('a volume that names its claim, for another mode of volumes', async (t) => {
  const { addVolume, addClaim, volumes, told } = await simulateVolumes(t);
  const { uid = '' } = (await addClaim('a')).metadata;
  const claimRef = { namespace: 'default', name: 'a', uid };
  await addVolume('v', { volumeMode: 'Block', claimRef });
  const why = 'due to incompatible volumeMode.';
  assert.deepEqual(await told(), [
    `a: Normal FailedBinding no persistent volumes available for this claim and no storage class is set`,
    `a: Warning VolumeMismatch Cannot bind PersistentVolume "v" to requested PersistentVolumeClaim ${why}`,
    `v: Warning VolumeMismatch Cannot bind PersistentVolume to requested PersistentVolumeClaim "a" ${why}`,
  ]);
  assert.deepEqual((await volumes.get('v')).spec?.claimRef?.uid, uid);
});

test('a volume that was kept by hand keeps all but the uid of a claim that has another', async (t) => {
  const { addVolume, addClaim, volumes, settle } = await simulateVolumes(t);
  await addVolume('v');
  const { uid = '', resourceVersion = '' } = (await addClaim('a')).metadata;
  await settle();
  const claimRef = { kind: 'PersistentVolumeClaim', namespace: 'default', name: 'a' };
  await addVolume('w', { claimRef: { ...claimRef, uid, resourceVersion } });
  await settle();
  const kept = (await volumes.get('w')).spec?.claimRef;
  assert.deepEqual(kept, { ...claimRef, resourceVersion });
});

test('plugins in the tree make no volumes', async (t) => {
  const hostPath = 'kubernetes.io/host-path';
  const rows: [what: string, storageClass: object, claim: object, message: string][] = [
    [
      'hostPath',
      { provisioner: hostPath },
      {},
      'Failed to create provisioner: provisioning in volume plugin "kubernetes.io/host-path" is disabled',
    ],
    [
      'mount options',
      { provisioner: hostPath, mountOptions: ['a', 'b'] },
      {},
      'Mount options are not supported by the provisioner but StorageClass "c" has mount options [a b]',
    ],
    [
      'a data source',
      { provisioner: hostPath },
      { dataSource: { kind: 'PersistentVolumeClaim', name: 'other' } },
      'plugin "kubernetes.io/host-path" is not a CSI plugin. Only CSI plugin can provision a claim with a datasource',
    ],
    ['NFS', { provisioner: 'kubernetes.io/nfs' }, {}, 'no provisionable volume plugin matched'],
    [
      'unknown',
      { provisioner: 'kubernetes.io/rbd' },
      {},
      'no volume plugin matched name: kubernetes.io/rbd',
    ],
  ];
  for (const [what, storageClass, spec, message] of rows) {
    const { addClaim, classes, claims, told } = await simulateVolumes(t);
    await classes.create({ metadata: { name: 'c' }, ...storageClass });
    await addClaim('a', { storageClassName: 'c', ...spec });
    assert.deepEqual(await told(), [`a: Warning ProvisioningFailed ${message}`], what);
    const { annotations } = (await claims.get('a')).metadata;
    const isNamed = what === 'hostPath' || what === 'mount options';
    assert.equal(annotations?.[provisioner], isNamed ? hostPath : undefined, what);
  }
});

test('a claim from before there was a default class gets the newest', async (t) => {
  const isDefault = { 'storageclass.kubernetes.io/is-default-class': 'true' };
  const { addClaim, classes, claims, settle, clock } = await simulateVolumes(t);
  await addClaim('a', { storageClassName: undefined });
  await addClaim('none');
  await settle();
  for (const name of ['old', 'z', 'new']) {
    if (name === 'z') await clock.advance(2_000);
    const metadata = { name, annotations: name === 'old' ? {} : isDefault };
    await classes.create({ metadata, provisioner: 'disk.example.com' });
  }
  await settle();
  assert.equal((await claims.get('a')).spec?.storageClassName, 'z');
  assert.equal((await claims.get('none')).spec?.storageClassName, '');
});

test('what a bound claim says of its volume', async (t) => {
  const { addVolume, addClaim, claims, settle } = await simulateVolumes(t);
  const beforeResize = 'volume.alpha.kubernetes.io/pre-resize-capacity';
  await addVolume('v', {}, { annotations: { [beforeResize]: '3Gi' } });
  await addVolume(
    'w',
    { volumeAttributesClassName: 'fast', csi: { driver: 'd', volumeHandle: 'h' } },
    { annotations: { [beforeResize]: 'much' } },
  );
  await addClaim('a');
  await addClaim('b', { volumeAttributesClassName: 'fast' });
  await settle();
  const of = async (name: string) => {
    const { capacity, currentVolumeAttributesClassName } = (await claims.get(name)).status ?? {};
    return [capacity?.['storage'], currentVolumeAttributesClassName];
  };
  assert.deepEqual(await of('a'), ['3Gi', undefined]);
  assert.deepEqual(await of('b'), ['5Gi', 'fast']);
});
