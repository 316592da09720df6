import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { createSeededRandom } from '@keelson/apimachinery';
import type {
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
} from '@keelson/apimachinery/types/core.v1';
import type { StorageClass } from '@keelson/apimachinery/types/storage.k8s.io.v1';
import { core, find, simulateCluster } from '../testing/simulated-cluster.ts';

const classesResource = { group: 'storage.k8s.io', version: 'v1', resource: 'storageclasses' };
const driver = 'disk.simulated.keelson.dev';

async function setUp(t: TestContext) {
  const simulated = await simulateCluster(t);
  const { client, clock } = simulated;
  const volumes = client.resource<PersistentVolume>(core('persistentvolumes'));
  const claims = client
    .resource<PersistentVolumeClaim>(core('persistentvolumeclaims'))
    .namespace('default');
  const classes = client.resource<StorageClass>(classesResource);
  const pods = client.resource<Pod>(core('pods')).namespace('default');
  const events = client.resource(core('events')).namespace('default');
  const settle = () => clock.advance(1_000);
  const addClass = (name: string, more: Partial<StorageClass> = {}) =>
    classes.create({ metadata: { name }, provisioner: driver, ...more });
  const addVolume = (name: string, storage: string, spec: object = {}) =>
    volumes.create({
      metadata: { name },
      spec: {
        capacity: { storage },
        accessModes: ['ReadWriteOnce'],
        storageClassName: 'c',
        hostPath: { path: '/x' },
        ...spec,
      },
    });
  const addClaim = (name: string, spec: object = {}) =>
    claims.create({
      metadata: { name },
      spec: {
        storageClassName: 'c',
        accessModes: ['ReadWriteOnce'],
        resources: { requests: { storage: '1Gi' } },
        ...spec,
      },
    });
  const phases = async () => {
    await settle();
    const of = async (items: Promise<{ items: (PersistentVolume | PersistentVolumeClaim)[] }>) =>
      (await items).items
        .map(({ metadata, status }) => `${metadata.name}:${status?.phase}`)
        .toSorted();
    return [...(await of(claims.list())), ...(await of(volumes.list()))];
  };
  const reasons = async () => {
    await settle();
    return [
      ...new Set((await events.list()).items.map((e) => (e as { reason?: string }).reason)),
    ].toSorted();
  };
  return {
    ...simulated,
    volumes,
    claims,
    classes,
    pods,
    settle,
    addClass,
    addVolume,
    addClaim,
    phases,
    reasons,
  };
}

test('claims and volumes are bound, released, removed and lost', async (t) => {
  const { addVolume, addClaim, claims, volumes, phases, reasons } = await setUp(t);
  await addVolume('v', '5Gi');
  await addVolume('w', '5Gi', { persistentVolumeReclaimPolicy: 'Delete' });
  await addClaim('a');
  assert.deepEqual(await phases(), ['a:Bound', 'v:Bound', 'w:Available']);
  await addClaim('b', { volumeName: 'w' });
  await addClaim('c', { volumeName: 'none' });
  assert.deepEqual(await phases(), ['a:Bound', 'b:Bound', 'c:Pending', 'v:Bound', 'w:Bound']);
  await claims.delete('a');
  await claims.delete('b');
  assert.deepEqual(await phases(), ['c:Pending', 'v:Released', 'w:Failed']);
  assert.equal(
    (await volumes.get('w')).status?.message,
    'host_path deleter only supports /tmp/.+ but received provided /x',
  );
  await addVolume('none', '5Gi');
  assert.deepEqual(await phases(), ['c:Bound', 'none:Bound', 'v:Released', 'w:Failed']);
  await volumes.patch('none', 'merge', { metadata: { finalizers: null } });
  await volumes.delete('none');
  assert.deepEqual(await phases(), ['c:Lost', 'v:Released', 'w:Failed']);
  assert.deepEqual(await reasons(), ['ClaimLost', 'VolumeFailedDelete']);
});

test('a volume that was kept by hand is kept again when its claim took another one', async (t) => {
  const { addVolume, addClaim, volumes, phases } = await setUp(t);
  await addVolume('v', '5Gi');
  const { uid = '' } = (await addClaim('a')).metadata;
  assert.deepEqual(await phases(), ['a:Bound', 'v:Bound']);
  await addVolume('w', '5Gi', { claimRef: { namespace: 'default', name: 'a', uid } });
  assert.deepEqual(await phases(), ['a:Bound', 'v:Bound', 'w:Available']);
  const { claimRef } = (await volumes.get('w')).spec ?? {};
  assert.deepEqual([claimRef?.name, claimRef?.uid], ['a', undefined]);
});

test('the simulated provisioner makes volumes and removes them', async (t) => {
  const { addClass, addClaim, claims, volumes, settle, phases, reasons, warnings } = await setUp(t);
  await addClass('c');
  await addClass('later', { volumeBindingMode: 'WaitForFirstConsumer' });
  await addClaim('a');
  await addClaim('b', { storageClassName: 'later' });
  await settle();
  const a = await claims.get('a');
  assert.deepEqual(a.status, {
    phase: 'Bound',
    accessModes: ['ReadWriteOnce'],
    capacity: { storage: '1Gi' },
  });
  assert.equal(a.spec?.volumeName, `pvc-${a.metadata.uid}`);
  assert.equal((await claims.get('b')).status?.phase, 'Pending');
  await claims.patch('b', 'merge', {
    metadata: { annotations: { 'volume.kubernetes.io/selected-node': 'n' } },
  });
  assert.equal((await phases()).filter((text) => text.endsWith(':Bound')).length, 4);
  await claims.delete('a');
  await claims.delete('b');
  await settle();
  assert.deepEqual((await volumes.list()).items, []);
  assert.deepEqual(await reasons(), [
    'ExternalProvisioning',
    'ProvisioningSucceeded',
    'WaitForFirstConsumer',
  ]);
  assert.deepEqual(warnings, []);
});

test('why a claim waits', async (t) => {
  const wait = {
    provisioner: 'kubernetes.io/no-provisioner',
    volumeBindingMode: 'WaitForFirstConsumer',
  };
  const rows: [
    what: string,
    storageClass: Partial<StorageClass> | undefined,
    claim: object,
    reason: string,
  ][] = [
    ['no such class', undefined, {}, 'ProvisioningFailed'],
    [
      'nobody provisions',
      { provisioner: 'kubernetes.io/no-provisioner' },
      {},
      'ProvisioningFailed',
    ],
    ['somebody else does', { provisioner: 'disk.example.com' }, {}, 'ExternalProvisioning'],
    [
      'an old name of a driver',
      { provisioner: 'kubernetes.io/aws-ebs' },
      {},
      'ExternalProvisioning',
    ],
    ['no consumer', wait, {}, 'WaitForFirstConsumer'],
    ['no class', undefined, { storageClassName: '' }, 'FailedBinding'],
  ];
  for (const [what, storageClass, spec, reason] of rows) {
    const { addClass, addClaim, reasons, phases } = await setUp(t);
    if (storageClass !== undefined) await addClass('c', storageClass);
    await addClaim('a', spec);
    assert.deepEqual(await reasons(), [reason], what);
    assert.deepEqual(await phases(), ['a:Pending'], what);
  }
});

test('ephemeral volumes have claims that belong to their pod', async (t) => {
  const { addClass, addClaim, claims, pods, settle, reasons } = await setUp(t);
  await addClass('c');
  await addClaim('p-taken', { storageClassName: 'gone' });
  const template = {
    metadata: { labels: { l: '1' } },
    spec: {
      storageClassName: 'c',
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage: '1Gi' } },
    },
  };
  const volume = (name: string) => ({ name, ephemeral: { volumeClaimTemplate: template } });
  await pods.create({
    metadata: { name: 'p' },
    spec: { containers: [{ name: 'c', image: 'app' }], volumes: [volume('data'), volume('taken')] },
  });
  await settle();
  const claim = await claims.get('p-data');
  assert.deepEqual(claim.metadata.labels, { l: '1' });
  assert.equal(claim.metadata.ownerReferences?.[0]?.name, 'p');
  assert.equal(claim.status?.phase, 'Bound');
  assert.equal((await claims.get('p-taken')).metadata.ownerReferences, undefined);
  assert.ok((await reasons()).includes('FailedBinding'));
  await pods.delete('p', { gracePeriodSeconds: 0 });
  await settle();
  assert.equal(await find(claims, 'p-data'), undefined);
});

test('whatever happens: one claim, one volume', async (t) => {
  const { addClass, addVolume, addClaim, claims, volumes, clock, settle, warnings } =
    await setUp(t);
  const random = createSeededRandom(5);
  const pick = (max: number) => Math.floor(random.float() * max);
  await addClass('c', { provisioner: 'kubernetes.io/no-provisioner' });
  await addClass('dynamic');
  for (let step = 0; step < 80; step++) {
    const known = (await claims.list()).items;
    const some = known[pick(known.length)]?.metadata.name;
    const size = `${1 + pick(5)}Gi`;
    const actions = [
      () =>
        addVolume(
          `v${step}`,
          size,
          pick(3) === 0 ? { claimRef: { namespace: 'default', name: `c${step + 1}` } } : {},
        ),
      () =>
        addClaim(`c${step}`, {
          storageClassName: pick(3) === 0 ? 'dynamic' : 'c',
          resources: { requests: { storage: size } },
        }),
      () => (some === undefined || pick(2) === 0 ? undefined : claims.delete(some)),
      () => clock.advance(pick(3_000)),
    ];
    await actions[pick(actions.length)]?.();
  }
  await settle();
  const bound = (await claims.list()).items.filter(({ status }) => status?.phase === 'Bound');
  assert.ok(bound.length > 0);
  const names = bound.map(({ spec }) => spec?.volumeName ?? '');
  assert.equal(new Set(names).size, names.length);
  for (const claim of bound) {
    const volume = await volumes.get(claim.spec?.volumeName ?? '');
    assert.equal(volume.spec?.claimRef?.uid, claim.metadata.uid);
    assert.equal(volume.status?.phase, 'Bound');
  }
  assert.deepEqual(warnings, []);
});
