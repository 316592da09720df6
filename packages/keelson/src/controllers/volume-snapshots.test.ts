import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { isStatusError, type JsonValue, type KubeObject } from '@keelson/apimachinery';
import type { PersistentVolumeClaim } from '@keelson/apimachinery/types/core.v1';
import { core, find, simulateCluster } from '../testing/simulated-cluster.ts';

const driver = 'disk.simulated.keelson.dev';
const rbac = (resource: string) => ({
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  resource,
});
const ofSnapshots = (resource: string) => ({
  group: 'snapshot.storage.k8s.io',
  version: 'v1',
  resource,
});
const storageClasses = { group: 'storage.k8s.io', version: 'v1', resource: 'storageclasses' };
const allowed = 'snapshot.storage.kubernetes.io/allow-volume-mode-change';

interface Snapshot extends KubeObject {
  readonly spec: object;
  readonly status?: Readonly<Record<string, JsonValue>>;
}
interface Content extends KubeObject {
  readonly spec: Readonly<Record<string, JsonValue>>;
  readonly status?: Readonly<Record<string, JsonValue>>;
}

/** A block claim `data`, and a snapshot class for each policy. */
async function setUp(t: TestContext) {
  const simulated = await simulateCluster(t, { snapshots: true });
  const { client, clock } = simulated;
  const claims = client
    .resource<PersistentVolumeClaim>(core('persistentvolumeclaims'))
    .namespace('default');
  const snapshots = client.resource<Snapshot>(ofSnapshots('volumesnapshots')).namespace('default');
  const contents = client.resource<Content>(ofSnapshots('volumesnapshotcontents'));
  const classes = client.resource(ofSnapshots('volumesnapshotclasses'));
  await client.resource(storageClasses).create({ metadata: { name: 'c' }, provisioner: driver });
  for (const deletionPolicy of ['Delete', 'Retain'])
    await classes.create({
      metadata: { name: deletionPolicy.toLowerCase() },
      driver,
      deletionPolicy,
    });
  const addClaim = (name: string, spec: object = {}) =>
    claims.create({
      metadata: { name },
      spec: {
        storageClassName: 'c',
        accessModes: ['ReadWriteOnce'],
        volumeMode: 'Block',
        resources: { requests: { storage: '2Gi' } },
        ...spec,
      },
    });
  const restore = (name: string, spec: object = {}) =>
    addClaim(name, {
      dataSource: { apiGroup: 'snapshot.storage.k8s.io', kind: 'VolumeSnapshot', name: 's' },
      ...spec,
    });
  await addClaim('data');
  await clock.advance(2_000);
  return {
    ...simulated,
    claims,
    snapshots,
    contents,
    classes,
    addClaim,
    restore,
    wait: (seconds: number) => clock.advance(seconds * 1_000),
    take: async (spec: object = { volumeSnapshotClassName: 'delete' }) => {
      const source = { persistentVolumeClaimName: 'data' };
      await snapshots.create({ metadata: { name: 's' }, spec: { source, ...spec } });
      await clock.advance(3_000);
    },
    onlyContent: async () => {
      const { items } = await contents.list();
      assert.equal(items.length, 1);
      return items[0] as Content;
    },
    phase: async (name: string) => (await claims.get(name)).status?.phase,
    /** Messages of events with that reason, in their order. */
    said: async (reason: string) => {
      await clock.advance(1_000);
      const { items } = await client.resource(core('events')).namespace('default').list();
      return items.filter((event) => event['reason'] === reason).map((event) => event['message']);
    },
  };
}

test('a snapshot is taken, and a volume made from it', async (t) => {
  const { take, snapshots, onlyContent, restore, wait, phase, claims, said, warnings } =
    await setUp(t);
  await take();
  const content = await onlyContent();
  const { uid } = (await snapshots.get('s')).metadata;
  assert.equal(content.metadata.name, `snapcontent-${uid}`);
  assert.equal(content.spec['sourceVolumeMode'], 'Block');
  assert.deepEqual(content.spec['deletionPolicy'], 'Delete');
  const { status = {} } = await snapshots.get('s');
  assert.deepEqual(
    [status['readyToUse'], status['restoreSize'], status['boundVolumeSnapshotContentName']],
    [true, '2Gi', content.metadata.name],
  );
  assert.match(String(status['creationTime']), /^\d{4}-/);
  assert.deepEqual((await claims.get('data')).metadata.finalizers, [
    'kubernetes.io/pvc-protection',
  ]);
  await restore('copy');
  await wait(5);
  assert.equal(await phase('copy'), 'Bound');
  assert.deepEqual(await said('SnapshotReady'), ['Snapshot default/s is ready to use.']);
  assert.deepEqual(warnings, []);
});

test('who may change the mode of a volume', async (t) => {
  const refusal = (name: string, why: string) =>
    'failed to provision volume with StorageClass "c": error getting handle for DataSource Type ' +
    'VolumeSnapshot by Name s: requested volume default/copy modifies the mode of the source ' +
    `volume but does not have permission to do so. ${why.replace('CONTENT', name)}`;
  const rows: [what: string, annotation: string | undefined, mode: string, why?: string][] = [
    ['the same mode', undefined, 'Block'],
    ['the same mode, and a no', 'false', 'Block'],
    [
      'nobody has allowed it',
      undefined,
      'Filesystem',
      `${allowed} annotation is not present on snapshotcontent CONTENT`,
    ],
    ['no', 'false', 'Filesystem', `${allowed} is set to false on snapshotcontent CONTENT`],
    [
      'neither yes nor no',
      'yes',
      'Filesystem',
      `failed to convert ${allowed} annotation value to boolean with error: strconv.ParseBool: ` +
        'parsing "yes": invalid syntax',
    ],
    ['yes', 'true', 'Filesystem'],
  ];
  for (const [what, annotation, volumeMode, why] of rows) {
    const { take, onlyContent, contents, restore, wait, phase, said } = await setUp(t);
    await take();
    const { name = '' } = (await onlyContent()).metadata;
    const annotate = (value: string) =>
      contents.patch(name, 'merge', { metadata: { annotations: { [allowed]: value } } });
    if (annotation !== undefined) await annotate(annotation);
    await restore('copy', { volumeMode });
    await wait(5);
    assert.equal(await phase('copy'), why === undefined ? 'Bound' : 'Pending', what);
    const told = await said('ProvisioningFailed');
    assert.deepEqual([...new Set(told)], why === undefined ? [] : [refusal(name, why)], what);
    await annotate('true');
    await wait(60);
    assert.equal(await phase('copy'), 'Bound', `${what}, and then yes`);
  }
});

test('the annotation is for those who may change contents', async (t) => {
  const { cluster, client, take, onlyContent } = await setUp(t);
  await take();
  const { name = '' } = (await onlyContent()).metadata;
  await client
    .resource(rbac('rolebindings'))
    .namespace('default')
    .create({
      metadata: { name: 'alice' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'admin' },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'alice' }],
    } as unknown as KubeObject);
  const patch = { metadata: { annotations: { [allowed]: 'true' } } };
  const asAlice = () =>
    cluster
      .client({ name: 'alice' })
      .resource(ofSnapshots('volumesnapshotcontents'))
      .patch(name, 'merge', patch);
  await assert.rejects(asAlice(), (error) => isStatusError(error, 'Forbidden'));
});

test('what the source was cannot be changed', async (t) => {
  const { take, onlyContent, contents } = await setUp(t);
  await take();
  const { name = '' } = (await onlyContent()).metadata;
  for (const sourceVolumeMode of ['Filesystem', null])
    await assert.rejects(contents.patch(name, 'merge', { spec: { sourceVolumeMode } }), (error) =>
      isStatusError(error, 'Invalid'),
    );
});

test('a content whose mode nobody knows may become anything', async (t) => {
  const { contents, snapshots, restore, wait, phase } = await setUp(t);
  const reference = { kind: 'VolumeSnapshot', namespace: 'default', name: 's' };
  await contents.create({
    metadata: { name: 'made-by-hand' },
    spec: {
      deletionPolicy: 'Retain',
      driver,
      source: { snapshotHandle: 'h' },
      volumeSnapshotRef: reference,
    },
  });
  const source = { volumeSnapshotContentName: 'made-by-hand' };
  await snapshots.create({ metadata: { name: 's' }, spec: { source } });
  await wait(3);
  assert.equal((await snapshots.get('s')).status?.['readyToUse'], true);
  await restore('copy', { volumeMode: 'Filesystem' });
  await wait(5);
  assert.equal(await phase('copy'), 'Bound');
});

test('what is deleted with a snapshot, and what stays', async (t) => {
  for (const [policy, left] of [
    ['delete', 0],
    ['retain', 1],
  ] as const) {
    const { take, snapshots, contents, onlyContent, wait } = await setUp(t);
    await take({ volumeSnapshotClassName: policy });
    const { name = '' } = (await onlyContent()).metadata;
    await contents.delete(name);
    await wait(5);
    assert.equal((await onlyContent()).metadata.name, name, 'kept for its snapshot');
    await snapshots.delete('s');
    await wait(5);
    assert.equal(await find(snapshots, 's'), undefined, policy);
    // Somebody wanted the content to go, and nothing holds it any more.
    assert.deepEqual((await contents.list()).items, [], policy);
    await take({ volumeSnapshotClassName: policy });
    await snapshots.delete('s');
    await wait(5);
    assert.equal(await find(snapshots, 's'), undefined, policy);
    assert.equal((await contents.list()).items.length, left, policy);
  }
});

test('a content that is lost is not made again', async (t) => {
  const { take, snapshots, contents, onlyContent, wait } = await setUp(t);
  await take();
  const { name = '' } = (await onlyContent()).metadata;
  await contents.delete(name);
  await contents.patch(name, 'merge', { metadata: { finalizers: null } });
  await wait(5 * 60);
  assert.deepEqual((await contents.list()).items, []);
  const { status = {} } = await snapshots.get('s');
  assert.equal(status['readyToUse'], false);
  assert.deepEqual(status['error'], {
    ...(status['error'] as object),
    message: 'VolumeSnapshotContent is missing',
  });
  await snapshots.delete('s');
  await wait(5);
  assert.equal(await find(snapshots, 's'), undefined);
});

test('why there is no snapshot', async (t) => {
  const rows: [what: string, spec: object, message: RegExp][] = [
    [
      'no such claim',
      { source: { persistentVolumeClaimName: 'none' }, volumeSnapshotClassName: 'delete' },
      /^Failed to create snapshot content with error .*failed to retrieve PVC none/,
    ],
    [
      'the claim waits',
      { source: { persistentVolumeClaimName: 'waiting' }, volumeSnapshotClassName: 'delete' },
      /is not yet bound to a PV, will not attempt to take a snapshot/,
    ],
    [
      'no such class',
      { volumeSnapshotClassName: 'none' },
      /failed to retrieve snapshot class none/,
    ],
    ['no class', {}, /cannot find default snapshot class/],
    [
      'no such content',
      { source: { volumeSnapshotContentName: 'none' } },
      /^VolumeSnapshotContent is missing$/,
    ],
  ];
  for (const [what, spec, message] of rows) {
    const { take, snapshots, addClaim, warnings } = await setUp(t);
    await addClaim('waiting', { storageClassName: 'none' });
    await take(spec);
    const { status = {} } = await snapshots.get('s');
    assert.equal(status['readyToUse'], false, what);
    assert.match((status['error'] as { message: string }).message, message, what);
    assert.deepEqual(warnings, [], what);
  }
});

test('the default class of the driver is taken, and a mistake can be mended', async (t) => {
  const { take, snapshots, classes, wait } = await setUp(t);
  await take({});
  const annotations = { 'snapshot.storage.kubernetes.io/is-default-class': 'true' };
  await classes.patch('retain', 'merge', { metadata: { annotations } });
  await wait(5);
  const { status = {}, spec } = await snapshots.get('s');
  assert.deepEqual([status['readyToUse'], status['error']], [true, undefined]);
  assert.deepEqual(spec, {
    source: { persistentVolumeClaimName: 'data' },
    volumeSnapshotClassName: 'retain',
  });
});

test('why a claim is not made from its source', async (t) => {
  const dataSource = (kind: string, name: string, apiGroup?: string) => ({
    dataSource: { kind, name, ...(apiGroup !== undefined && { apiGroup }) },
  });
  const snapshot = (name: string) => dataSource('VolumeSnapshot', name, 'snapshot.storage.k8s.io');
  const rows: [what: string, spec: object, message: RegExp | undefined][] = [
    ['a snapshot', snapshot('s'), undefined],
    [
      'no such snapshot',
      snapshot('none'),
      /error getting snapshot none from api server: .*not found/,
    ],
    [
      'too small',
      { ...snapshot('s'), resources: { requests: { storage: '1Gi' } } },
      /requested volume size 1073741824 is less than the size 2147483648 for the source snapshot s$/,
    ],
    ['a claim', dataSource('PersistentVolumeClaim', 'data'), undefined],
    [
      'a claim of another mode',
      { ...dataSource('PersistentVolumeClaim', 'data'), volumeMode: 'Filesystem' },
      /must have the same volume mode for cloning\. {2}Source is Block, but new PVC requested Filesystem$/,
    ],
    ['no such claim', dataSource('PersistentVolumeClaim', 'none'), /"none" not found$/],
  ];
  for (const [what, spec, message] of rows) {
    const { take, addClaim, wait, phase, said } = await setUp(t);
    await take();
    await addClaim('copy', spec);
    await wait(5);
    assert.equal(await phase('copy'), message === undefined ? 'Bound' : 'Pending', what);
    const [told] = await said('ProvisioningFailed');
    if (message === undefined) assert.equal(told, undefined, what);
    else assert.match(String(told), message, what);
  }
});
