import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import fc from 'fast-check';
import type { ControllerRevision, StatefulSet } from '@keelson/apimachinery/types/apps.v1';
import type { PersistentVolumeClaim, Pod } from '@keelson/apimachinery/types/core.v1';
import type { ClusterOptions } from '../create-cluster.ts';
import { core, namesIn, simulateCluster } from '../testing/simulated-cluster.ts';

const apps = (resource: string) => ({ group: 'apps', version: 'v1', resource });
const labels = { app: 'db' };
const template = (image: string) => ({
  metadata: { labels },
  spec: { containers: [{ name: 'c', image }] },
});
const claimTemplate = {
  metadata: { name: 'data' },
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
};

async function setUp(t: TestContext, spec: object, options: ClusterOptions = {}) {
  const simulated = await simulateCluster(t, options);
  const { client, clock } = simulated;
  const sets = client.resource<StatefulSet>(apps('statefulsets')).namespace('default');
  const revisions = client
    .resource<ControllerRevision>(apps('controllerrevisions'))
    .namespace('default');
  const pods = client.resource<Pod>(core('pods')).namespace('default');
  const claims = client
    .resource<PersistentVolumeClaim>(core('persistentvolumeclaims'))
    .namespace('default');
  const events = client.resource(core('events')).namespace('default');
  const settle = () => clock.advance(5_000);
  const change = async (more: object) => {
    await sets.patch('db', 'merge', { spec: more } as never);
    await settle();
  };
  await sets.create({
    metadata: { name: 'db' },
    spec: {
      serviceName: 'db',
      selector: { matchLabels: labels },
      template: template('app:1'),
      ...spec,
    },
  } as StatefulSet);
  await settle();
  const ready = async (name: string, status = 'True') => {
    const lastTransitionTime = new Date(clock.now()).toISOString().replace(/\.\d+Z/, 'Z');
    const conditions = [{ type: 'Ready', status, lastTransitionTime }];
    await pods.patch(
      name,
      'strategic',
      { status: { phase: 'Running', conditions } },
      { subresource: 'status' },
    );
    await settle();
  };
  const isReady = ({ status }: Pod) =>
    status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') === true;
  /** One after the other, until there is nothing to do. */
  const readyAll = async () => {
    for (;;) {
      const waiting = (await pods.list()).items.find((pod) => !isReady(pod));
      if (waiting === undefined) return;
      await ready(waiting.metadata.name ?? '');
    }
  };
  const images = async () =>
    Object.fromEntries(
      (await pods.list()).items.map((pod) => [
        pod.metadata.name,
        pod.spec.containers?.[0]?.image?.split(':')[1],
      ]),
    );
  const status = async () => (await sets.get('db')).status;
  const told = async (reason: string) =>
    (await events.list()).items
      .filter((event) => event.reason === reason)
      .map(({ message }) => message as string);
  return {
    ...simulated,
    told,
    sets,
    pods,
    claims,
    revisions,
    events,
    settle,
    change,
    ready,
    readyAll,
    images,
    status,
  };
}

test('pods come in order, each once the one before is available', async (t) => {
  const { pods, ready, status, clock, warnings } = await setUp(t, {
    replicas: 3,
    minReadySeconds: 20,
  });
  assert.deepEqual(await namesIn(pods), ['db-0']);
  await ready('db-0');
  assert.deepEqual(await namesIn(pods), ['db-0']);
  await clock.advance(20_000);
  assert.deepEqual(await namesIn(pods), ['db-0', 'db-1']);
  const [{ metadata, spec } = { metadata: {}, spec: undefined }] = (await pods.list()).items;
  assert.equal(metadata.labels?.['statefulset.kubernetes.io/pod-name'], 'db-0');
  assert.equal(metadata.labels?.['apps.kubernetes.io/pod-index'], '0');
  assert.deepEqual([spec?.hostname, spec?.subdomain], ['db-0', 'db']);
  const { replicas, readyReplicas, availableReplicas } = (await status()) ?? {};
  assert.deepEqual([replicas, readyReplicas, availableReplicas], [2, 1, 1]);
  assert.deepEqual(warnings, []);
});

test('in parallel they do not wait; ordinals may start anywhere', async (t) => {
  const { pods, change } = await setUp(t, {
    replicas: 3,
    podManagementPolicy: 'Parallel',
    ordinals: { start: 5 },
  });
  assert.deepEqual(await namesIn(pods), ['db-5', 'db-6', 'db-7']);
  await change({ replicas: 1 });
  assert.deepEqual(await namesIn(pods), ['db-5']);
});

test('pods go from the highest ordinal, and not while another is unhealthy', async (t) => {
  const { pods, change, ready, readyAll } = await setUp(t, { replicas: 3 });
  await readyAll();
  await ready('db-0', 'False');
  await change({ replicas: 1 });
  assert.deepEqual(await namesIn(pods), ['db-0', 'db-1', 'db-2']);
  await ready('db-0');
  assert.deepEqual(await namesIn(pods), ['db-0']);
});

test('an update goes from the highest ordinal down to the partition', async (t) => {
  const { change, ready, readyAll, images, status, revisions, sets } = await setUp(t, {
    replicas: 3,
  });
  await readyAll();
  const first = (await status())?.currentRevision;
  await change({
    template: template('app:2'),
    updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 1 } },
  });
  assert.deepEqual(await images(), { 'db-0': '1', 'db-1': '1', 'db-2': '2' });
  await ready('db-2');
  assert.deepEqual(await images(), { 'db-0': '1', 'db-1': '2', 'db-2': '2' });
  await ready('db-1');
  assert.deepEqual(await images(), { 'db-0': '1', 'db-1': '2', 'db-2': '2' });
  const { updatedReplicas, currentReplicas, currentRevision } = (await status()) ?? {};
  assert.deepEqual([updatedReplicas, currentReplicas, currentRevision], [2, 1, first]);
  await change({ updateStrategy: { rollingUpdate: { partition: 0 } } });
  await ready('db-0');
  assert.equal((await status())?.currentRevision, (await status())?.updateRevision);
  // Back to the first template: its revision is used again, as the last one.
  await change({ template: template('app:1') });
  await readyAll();
  assert.equal((await status())?.updateRevision, first);
  assert.equal((await revisions.list()).items.length, 2);
  assert.equal((await revisions.get(first ?? '')).revision, 3);
  assert.equal((await sets.get('db')).status?.readyReplicas, 3);
});

test('only so many old templates are remembered', async (t) => {
  const { change, readyAll, revisions } = await setUp(t, { replicas: 1, revisionHistoryLimit: 1 });
  for (const image of ['app:2', 'app:3', 'app:4']) {
    await readyAll();
    await change({ template: template(image) });
  }
  await readyAll();
  assert.equal((await revisions.list()).items.length, 2);
});

test('with OnDelete nothing is replaced by itself', async (t) => {
  const { change, readyAll, images, pods, settle } = await setUp(t, {
    replicas: 2,
    updateStrategy: { type: 'OnDelete' },
  });
  await readyAll();
  await change({ template: template('app:2') });
  assert.deepEqual(await images(), { 'db-0': '1', 'db-1': '1' });
  await pods.delete('db-0', { gracePeriodSeconds: 0 });
  await settle();
  assert.deepEqual(await images(), { 'db-0': '2', 'db-1': '1' });
});

test('a pod that ended is created again under its name', async (t) => {
  const { pods, settle, told } = await setUp(t, { replicas: 1 });
  const before = (await pods.get('db-0')).metadata.uid;
  await pods.patch('db-0', 'merge', { status: { phase: 'Failed' } }, { subresource: 'status' });
  await settle();
  const after = await pods.get('db-0');
  assert.notEqual(after.metadata.uid, before);
  assert.equal(after.status?.phase, 'Pending');
  const what = 'Pod db-0 in StatefulSet db successful';
  assert.deepEqual(await told('SuccessfulDelete'), [`Delete ${what}`]);
  assert.deepEqual(await told('SuccessfulCreate'), [`Create ${what}`]);
});

test('claims are made for each pod and stay, unless they are not wanted to', async (t) => {
  const rows: [policy: object | undefined, afterScaling: string[], afterDeletion: string[]][] = [
    [undefined, ['data-db-0', 'data-db-1'], ['data-db-0', 'data-db-1']],
    [{ whenScaled: 'Delete' }, ['data-db-0'], ['data-db-0']],
    [{ whenDeleted: 'Delete' }, ['data-db-0', 'data-db-1'], []],
    [{ whenDeleted: 'Delete', whenScaled: 'Delete' }, ['data-db-0'], []],
  ];
  for (const [policy, afterScaling, afterDeletion] of rows) {
    const { claims, pods, change, readyAll, sets, clock } = await setUp(t, {
      replicas: 2,
      volumeClaimTemplates: [claimTemplate],
      ...(policy !== undefined && { persistentVolumeClaimRetentionPolicy: policy }),
    });
    await readyAll();
    assert.deepEqual(await namesIn(claims), ['data-db-0', 'data-db-1']);
    const [volume] = (await pods.get('db-1')).spec.volumes ?? [];
    assert.equal(volume?.persistentVolumeClaim?.claimName, 'data-db-1');
    await change({ replicas: 1 });
    await clock.advance(20_000);
    assert.deepEqual(await namesIn(claims), afterScaling, JSON.stringify(policy));
    await sets.delete('db', { propagationPolicy: 'Background' });
    await clock.advance(30_000);
    assert.deepEqual(await namesIn(pods), []);
    assert.deepEqual(await namesIn(claims), afterDeletion, JSON.stringify(policy));
  }
});

test('a pod of the right name is taken in, another one is not', async (t) => {
  const { pods, sets, settle, ready } = await setUp(t, { replicas: 1 });
  await pods.create({ metadata: { name: 'other', labels }, spec: template('app').spec } as Pod);
  const { uid } = (await pods.get('db-0')).metadata;
  const { spec, metadata: before } = await sets.get('db');
  await sets.delete('db', { propagationPolicy: 'Orphan' });
  await settle();
  assert.equal((await pods.get('db-0')).metadata.ownerReferences, undefined);
  await sets.create({ metadata: { name: 'db' }, spec });
  await ready('db-0');
  const { metadata } = await pods.get('db-0');
  assert.equal(metadata.uid, uid);
  const [owner] = metadata.ownerReferences ?? [];
  assert.notEqual(owner?.uid, before.uid);
  assert.equal(owner?.uid, (await sets.get('db')).metadata.uid);
  assert.equal((await pods.get('other')).metadata.ownerReferences, undefined);
});

test('a pod that had to be put right is told of', async (t) => {
  const { pods, ready, settle, told } = await setUp(t, { replicas: 1 });
  await ready('db-0');
  assert.deepEqual(await told('SuccessfulUpdate'), []);
  const nameLabel = 'statefulset.kubernetes.io/pod-name';
  await pods.patch('db-0', 'merge', { metadata: { labels: { [nameLabel]: null } } });
  await settle();
  assert.equal((await pods.get('db-0')).metadata.labels?.[nameLabel], 'db-0');
  const what = 'Update Pod db-0 in StatefulSet db successful';
  assert.deepEqual(await told('SuccessfulUpdate'), [what]);
});

test('of several that are not available the highest waits for those below', async (t) => {
  const { pods, change, ready, readyAll } = await setUp(t, { replicas: 3 });
  await readyAll();
  await ready('db-1', 'False');
  await ready('db-2', 'False');
  await change({ replicas: 1 });
  assert.deepEqual(await namesIn(pods), ['db-0', 'db-1', 'db-2']);
  await ready('db-1');
  assert.deepEqual(await namesIn(pods), ['db-0']);
});

const withClaims = { volumeClaimTemplates: [claimTemplate] };

test('claims that cannot be made are told, and so is the pod that waits for them', async (t) => {
  const { client, told, sets, pods, change } = await setUp(t, { replicas: 0, ...withClaims });
  const quotas = client.resource(core('resourcequotas')).namespace('default');
  const hard = { persistentvolumeclaims: '0' };
  await quotas.create({ metadata: { name: 'q' }, spec: { hard } });
  const status = { status: { hard, used: hard } };
  await quotas.patch('q', 'merge', status, { subresource: 'status' });
  await change({ replicas: 1 });
  const why =
    'persistentvolumeclaims "data-db-0" is forbidden: exceeded quota: q, ' +
    'requested: persistentvolumeclaims=1, used: persistentvolumeclaims=0, limited: persistentvolumeclaims=0';
  assert.deepEqual((await told('FailedCreate')).toSorted(), [
    `Create Claim data-db-0 for Pod db-0 in StatefulSet db failed error: ${why}`,
    `Create Pod db-0 in StatefulSet db failed error: failed to create PVC data-db-0: ${why}`,
  ]);
  assert.deepEqual(await namesIn(pods), []);
  assert.equal((await sets.get('db')).status?.replicas ?? 0, 0);
});

test('a pod waits until a claim that goes is gone', async (t) => {
  const { claims, pods, change, settle, clock, told } = await setUp(t, {
    replicas: 0,
    ...withClaims,
  });
  await claims.create({
    ...claimTemplate,
    metadata: { name: 'data-db-0', finalizers: ['example.com/hold'] },
  } as PersistentVolumeClaim);
  await claims.delete('data-db-0');
  await change({ replicas: 1 });
  assert.deepEqual(await namesIn(pods), []);
  const message = 'Create Pod db-0 in StatefulSet db failed error: pvc data-db-0 is being deleted';
  assert.deepEqual(await told('FailedCreate'), [message]);
  await claims.patch('data-db-0', 'merge', { metadata: { finalizers: null } });
  await settle();
  await clock.advance(60_000);
  assert.deepEqual(await namesIn(pods), ['db-0']);
});

const both = { whenDeleted: 'Delete', whenScaled: 'Delete' };

test('claims belong to the set while their pods wait, or are told to change hands', async (t) => {
  const { claims, change, readyAll, told } = await setUp(t, {
    replicas: 1,
    ...withClaims,
    persistentVolumeClaimRetentionPolicy: both,
  });
  const ownersOf = async (name: string) =>
    ((await claims.get(name)).metadata.ownerReferences ?? []).map(({ kind, controller }) => [
      kind,
      controller,
    ]);
  assert.deepEqual(await ownersOf('data-db-0'), [['StatefulSet', true]]);
  assert.deepEqual(await told('SuccessfulUpdate'), []);
  await readyAll();
  assert.deepEqual(await told('SuccessfulUpdate'), []);
  await change({ persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain' } });
  assert.deepEqual(await ownersOf('data-db-0'), []);
  const what = 'Update Pod db-0 in StatefulSet db successful';
  assert.deepEqual(await told('SuccessfulUpdate'), [what]);
});

test('claims that others control are left to them', async (t) => {
  const other = { apiVersion: 'v1', kind: 'X', name: 'x', uid: 'x', controller: true };
  const earlier = { apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'db', uid: 'earlier' };
  const rows: [owner: object, policy: object, conflicts: boolean][] = [
    [other, both, true],
    [other, {}, false],
    [earlier, both, true],
    [{ ...other, controller: false }, {}, false],
  ];
  for (const [owner, policy, conflicts] of rows) {
    const { client, claims, change, told } = await setUp(
      t,
      { replicas: 0, ...withClaims, persistentVolumeClaimRetentionPolicy: policy },
      { controllers: ['*', '-garbage-collector-controller'] },
    );
    const metadata = { name: 'data-db-0', ownerReferences: [owner] };
    const { spec } = claimTemplate;
    await claims.create({ metadata, spec } as PersistentVolumeClaim);
    await change({ replicas: 1 });
    const kept = (await claims.get('data-db-0')).metadata.ownerReferences;
    assert.deepEqual(kept, [owner], JSON.stringify([owner, policy]));
    const why =
      'has a conflicting OwnerReference that acts as a manging controller, ' +
      'the retention policy is ignored for this claim';
    const expected = conflicts ? [`PersistentVolumeClaim data-db-0 ${why}`] : [];
    assert.deepEqual(await told('ConflictingController'), expected);
    assert.equal((await client.resource(core('pods')).list()).items.length, 1);
  }
});

test('in parallel what is refused for one is tried for as many as were due', async (t) => {
  const { client, change, told } = await setUp(t, {
    replicas: 0,
    podManagementPolicy: 'Parallel',
  });
  const quotas = client.resource(core('resourcequotas')).namespace('default');
  const hard = { pods: '1' };
  await quotas.create({ metadata: { name: 'q' }, spec: { hard } });
  const status = { status: { hard, used: { pods: '0' } } };
  await quotas.patch('q', 'merge', status, { subresource: 'status' });
  await change({ replicas: 5 });
  const whom = (messages: readonly string[]) =>
    new Set(messages.map((message) => /Pod (db-\d)/.exec(message)?.[1]));
  assert.deepEqual(whom(await told('SuccessfulCreate')), new Set(['db-0']));
  assert.deepEqual(whom(await told('FailedCreate')), new Set(['db-1', 'db-2']));
});

test('how many an update takes at a time, and what it does with those that never serve', async (t) => {
  // Of db-0 to db-3, where db-1 is not ready when the template changes.
  const rows: [isLimited: boolean, maxUnavailable: number, gone: string[]][] = [
    [false, 3, ['db-3']],
    [true, 3, ['db-2', 'db-3']],
    [true, 1, []],
  ];
  for (const [isLimited, maxUnavailable, gone] of rows) {
    const { pods, change, ready, readyAll } = await setUp(
      t,
      {
        replicas: 4,
        podManagementPolicy: 'Parallel',
        updateStrategy: { rollingUpdate: { maxUnavailable } },
      },
      { featureGates: { MaxUnavailableStatefulSet: isLimited } },
    );
    await readyAll();
    await ready('db-1', 'False');
    const before = (await pods.list()).items;
    await change({ template: template('app:2') });
    const uids = new Set((await pods.list()).items.map(({ metadata }) => metadata.uid));
    const missing = before.filter(({ metadata }) => !uids.has(metadata.uid));
    const names = missing.map(({ metadata }) => metadata.name);
    assert.deepEqual(names.toSorted(), gone, `${isLimited} ${maxUnavailable}`);
  }
});

test('a revision that an earlier release wrote is that of the same template', async (t) => {
  const { sets, revisions, pods, readyAll, settle, clock } = await setUp(t, { replicas: 1 });
  await readyAll();
  const [{ metadata, data, revision } = { metadata: {}, revision: 0 }] = (await revisions.list())
    .items;
  const { name = '', labels: of = {}, ownerReferences = [] } = metadata;
  const { spec } = data as { spec: { template: { metadata: object } } };
  const { template: stored } = spec;
  const earlier = { ...stored, metadata: { ...stored.metadata, creationTimestamp: null } };
  await revisions.delete(name);
  await revisions.create({
    metadata: { name, labels: of, ownerReferences },
    data: { spec: { template: earlier } },
    revision,
  });
  const { uid } = (await pods.get('db-0')).metadata;
  await sets.patch('db', 'merge', { metadata: { annotations: { look: 'again' } } });
  await settle();
  await clock.advance(60_000);
  const names = (await revisions.list()).items.map((known) => known.metadata.name);
  assert.deepEqual(names, [name]);
  assert.equal((await pods.get('db-0')).metadata.uid, uid);
});

test('whatever happens, ordinals come in order and all arrive', async (t) => {
  const step = fc.record({
    what: fc.constantFrom(
      'ready',
      'ready',
      'ready',
      'unready',
      'fail',
      'delete',
      'scale',
      'update',
    ),
    which: fc.nat(10),
    waitMs: fc.constantFrom(0, 20, 1_500),
  });
  const { pods, sets, clock, ready, readyAll, images, status, warnings } = await setUp(t, {
    replicas: 3,
  });
  const [steps = []] = fc.sample(fc.array(step, { minLength: 120, maxLength: 120 }), {
    seed: 11,
    numRuns: 1,
  });
  let image = 1;
  for (const { what, which, waitMs } of steps) {
    const before = await namesIn(pods);
    const name = before[which % Math.max(1, before.length)] ?? '';
    if (what === 'scale') await sets.patch('db', 'merge', { spec: { replicas: which % 5 } });
    else if (what === 'update')
      await sets.patch('db', 'merge', { spec: { template: template(`app:${++image}`) } } as never);
    else if (name !== '') {
      if (what === 'ready' || what === 'unready')
        await ready(name, what === 'ready' ? 'True' : 'False');
      if (what === 'fail')
        await pods.patch(name, 'merge', { status: { phase: 'Failed' } }, { subresource: 'status' });
      if (what === 'delete') await pods.delete(name, { gracePeriodSeconds: 0 });
    }
    await clock.advance(waitMs);
    const after = await namesIn(pods);
    // Whoever is new came after all ordinals below it.
    for (const added of after.filter((other) => !before.includes(other)))
      for (let below = 0; below < Number(added.split('-')[1]); below++)
        assert.ok(after.includes(`db-${below}`), `${added} without db-${below}`);
  }
  const { replicas = 0 } = (await sets.get('db')).spec;
  for (let round = 0; round < 12; round++) {
    await readyAll();
    await clock.advance(5_000);
  }
  const expected = Array.from({ length: replicas }, (_, i) => [`db-${i}`, String(image)]);
  assert.deepEqual(await images(), Object.fromEntries(expected));
  assert.equal((await status())?.updatedReplicas ?? 0, replicas);
  assert.deepEqual(warnings, []);
});
