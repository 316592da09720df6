import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '@keelson/apimachinery';
import type { Event, Pod } from '@keelson/apimachinery/types/core.v1';
import { core, find, namesIn, simulateCluster } from '../testing/simulated-cluster.ts';
import { simulateVolumes } from '../testing/simulated-volumes.ts';

const claimFinalizer = 'kubernetes.io/pvc-protection';
const volumeFinalizer = 'kubernetes.io/pv-protection';

test('which pods keep a claim that is deleted', async (t) => {
  const named = { persistentVolumeClaim: { claimName: 'p-d' } };
  const template = {
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
  };
  const own = { ephemeral: { volumeClaimTemplate: template } };
  interface Row {
    readonly volume: object;
    readonly nodeName?: string;
    readonly phase?: string;
    /** The pod is deleted, and a finalizer holds it. */
    readonly graceSeconds?: number;
    /** The claim is there before the pod: it belongs to nobody. */
    readonly isForeign?: boolean;
    readonly isKept: boolean;
  }
  const rows: [what: string, Row][] = [
    ['one on a node', { volume: named, nodeName: 'n', isKept: true }],
    ['one that waits for a node', { volume: named, isKept: false }],
    ['one that failed', { volume: named, nodeName: 'n', phase: 'Failed', isKept: true }],
    ['one that ended well', { volume: named, nodeName: 'n', phase: 'Succeeded', isKept: true }],
    ['one that is shut down', { volume: named, nodeName: 'n', graceSeconds: 0, isKept: true }],
    ['another claim', { volume: { emptyDir: {} }, nodeName: 'n', isKept: false }],
    ['its own', { volume: own, nodeName: 'n', isKept: true }],
    ['its own, going', { volume: own, nodeName: 'n', graceSeconds: 30, isKept: true }],
    ['its own, shut down', { volume: own, nodeName: 'n', graceSeconds: 0, isKept: false }],
    ['not its own', { volume: own, nodeName: 'n', isForeign: true, isKept: false }],
  ];
  for (const [what, row] of rows) {
    const { volume, nodeName, phase, graceSeconds, isForeign = !('ephemeral' in volume) } = row;
    const { addClaim, claims, pods, settle } = await simulateVolumes(t);
    if (isForeign) await addClaim('p-d');
    await pods.create({
      metadata: { name: 'p', finalizers: graceSeconds === undefined ? [] : ['example.com/held'] },
      spec: {
        ...(nodeName === undefined ? {} : { nodeName }),
        schedulerName: 'nobody',
        containers: [{ name: 'c', image: 'app' }],
        volumes: [{ name: 'd', ...volume }],
      },
    });
    await settle();
    if (phase !== undefined)
      await pods.patch('p', 'merge', { status: { phase } }, { subresource: 'status' });
    if (graceSeconds !== undefined) await pods.delete('p', { gracePeriodSeconds: graceSeconds });
    // Where it was in the way, the pod gets its own as soon as it is gone.
    const { uid } = (await claims.get('p-d')).metadata;
    await claims.delete('p-d');
    await settle();
    assert.equal((await find(claims, 'p-d'))?.metadata.uid === uid, row.isKept, what);
  }
});

test('a claim goes when the last pod that keeps it does', async (t) => {
  const { addClaim, claims, pods, settle } = await simulateVolumes(t);
  await addClaim('a');
  for (const name of ['p', 'q'])
    await pods.create({
      metadata: { name },
      spec: {
        nodeName: 'n',
        containers: [{ name: 'c', image: 'app' }],
        volumes: [{ name: 'd', persistentVolumeClaim: { claimName: 'a' } }],
      },
    });
  await claims.delete('a');
  await settle();
  await pods.delete('p', { gracePeriodSeconds: 0 });
  await settle();
  assert.ok(await find(claims, 'a'));
  await pods.delete('q', { gracePeriodSeconds: 0 });
  await settle();
  assert.equal(await find(claims, 'a'), undefined);
});

test('a finalizer that somebody took away is given back', async (t) => {
  const { addClaim, addVolume, claims, volumes, settle } = await simulateVolumes(t);
  await addClaim('a');
  await addVolume('v');
  await settle();
  const without = { metadata: { finalizers: ['example.com/held'] } };
  await claims.patch('a', 'merge', without);
  await volumes.patch('v', 'merge', without);
  await settle();
  const held = (own: string) => ['example.com/held', own];
  assert.deepEqual((await claims.get('a')).metadata.finalizers, held(claimFinalizer));
  assert.deepEqual((await volumes.get('v')).metadata.finalizers, held(volumeFinalizer));
  await claims.delete('a');
  await settle();
  assert.deepEqual((await claims.get('a')).metadata.finalizers, ['example.com/held']);
});

test('a class of attributes stays while a claim or a volume has it', async (t) => {
  const resource = { group: 'storage.k8s.io', version: 'v1', resource: 'volumeattributesclasses' };
  const csi = { driver: 'd', volumeHandle: 'h' };
  type Volumes = Awaited<ReturnType<typeof simulateVolumes>>;
  const withoutClaim = ({ claims }: Volumes) => claims.delete('a');
  const bound =
    (status: object) =>
    async ({ addVolume, addClaim, claims, settle }: Volumes) => {
      await addVolume('v');
      await addClaim('a');
      await settle();
      await claims.patch('a', 'merge', { status: { ...status } }, { subresource: 'status' });
    };
  const rows: [
    what: string,
    use: (v: Volumes) => Promise<unknown>,
    free: (v: Volumes) => Promise<unknown>,
  ][] = [
    [
      'a claim is to have it',
      ({ addClaim }) => addClaim('a', { volumeAttributesClassName: 'fast' }),
      withoutClaim,
    ],
    [
      'a volume has it',
      ({ addVolume }) => addVolume('v', { csi, volumeAttributesClassName: 'fast' }),
      ({ volumes }) =>
        volumes.patch('v', 'merge', { spec: { volumeAttributesClassName: 'other' } }),
    ],
    ['a claim has it', bound({ currentVolumeAttributesClassName: 'fast' }), withoutClaim],
    [
      'a claim is being given it',
      bound({ modifyVolumeStatus: { targetVolumeAttributesClassName: 'fast', status: 'Pending' } }),
      withoutClaim,
    ],
  ];
  for (const [what, use, free] of rows) {
    const simulated = await simulateVolumes(t);
    const classes = simulated.client.resource(resource);
    for (const name of ['fast', 'other'])
      await classes.create({
        metadata: { name },
        driverName: 'd',
        parameters: { iops: '9' },
      } as KubeObject);
    await use(simulated);
    await simulated.settle();
    for (const name of ['fast', 'other']) await classes.delete(name);
    await simulated.settle();
    assert.deepEqual(await namesIn(classes), ['fast'], what);
    await free(simulated);
    await simulated.settle();
    assert.deepEqual(await namesIn(classes), [], what);
  }
});

test('since when a claim is not used, by its gate', async (t) => {
  const featureGates = { PersistentVolumeClaimUnusedSinceTime: true };
  const { addClaim, claims, pods, settle, clock } = await simulateVolumes(t, { featureGates });
  const condition = async () => {
    await settle();
    const [found, ...others] = (await claims.get('a')).status?.conditions ?? [];
    assert.deepEqual(others, []);
    const { type, status, reason, message, lastTransitionTime } = found ?? {};
    return { words: [type, status, reason, message].join(', '), since: lastTransitionTime };
  };
  const unused = 'Unused, True, NoPodsUsingPVC, No pods are currently referencing this PVC';
  const used = 'Unused, False, PodUsingPVC, A pod is currently referencing this PVC';
  await addClaim('a');
  const first = await condition();
  assert.equal(first.words, unused);
  for (const name of ['p', 'q'])
    await pods.create({
      metadata: { name },
      spec: {
        schedulerName: 'nobody',
        containers: [{ name: 'c', image: 'app' }],
        volumes: [{ name: 'd', persistentVolumeClaim: { claimName: 'a' } }],
      },
    });
  await clock.advance(5_000);
  const second = await condition();
  assert.deepEqual([second.words, second.since !== first.since], [used, true]);
  await pods.patch('p', 'merge', { status: { phase: 'Succeeded' } }, { subresource: 'status' });
  assert.deepEqual(await condition(), second);
  await clock.advance(5_000);
  await pods.delete('q', { gracePeriodSeconds: 0 });
  const third = await condition();
  assert.deepEqual([third.words, third.since !== second.since], [unused, true]);
});

test('without the gate a claim says nothing of its pods', async (t) => {
  const { addClaim, claims, settle } = await simulateVolumes(t);
  await addClaim('a');
  await settle();
  assert.equal((await claims.get('a')).status?.conditions, undefined);
});

test('why the claim of an ephemeral volume is not made, and when it is', async (t) => {
  const { client, clock } = await simulateCluster(t);
  const [pods, claims, events, quotas] = [
    client.resource<Pod>(core('pods')).namespace('default'),
    client.resource(core('persistentvolumeclaims')).namespace('default'),
    client.resource<Event>(core('events')).namespace('default'),
    client.resource(core('resourcequotas')).namespace('default'),
  ];
  const spec = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } };
  const addPod = (name: string) =>
    pods.create({
      metadata: { name },
      spec: {
        schedulerName: 'nobody',
        containers: [{ name: 'c', image: 'app' }],
        volumes: [{ name: 'd', ephemeral: { volumeClaimTemplate: { spec } } }],
      },
    });
  const told = async (name: string) => {
    await clock.advance(1_000);
    return (await events.list()).items
      .filter(({ involvedObject }) => involvedObject.name === name)
      .map(({ message }) => message);
  };
  await claims.create({ metadata: { name: 'p-d' }, spec });
  await addPod('p');
  const notOwner = 'PVC default/p-d was not created for pod default/p (pod is not owner)';
  assert.deepEqual(await told('p'), [`ephemeral volume d: ${notOwner}`]);
  await claims.delete('p-d');
  await clock.advance(1_000);
  assert.equal((await claims.get('p-d')).metadata.ownerReferences?.[0]?.name, 'p');

  await quotas.create({
    metadata: { name: 'none' },
    spec: { hard: { persistentvolumeclaims: '0' } },
  });
  await clock.advance(1_000);
  await addPod('q');
  assert.match(
    (await told('q'))[0] ?? '',
    /^ephemeral volume d: create PVC q-d: persistentvolumeclaims "q-d" is forbidden: /,
  );
});
