// The acceptance cases of device allocation that take more than the scheduler, by their number
// (node §20): the API server, controllers and nodes around it.

import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { isStatusError, type KubeObject } from '@keelson/apimachinery';
import type { Pod } from '@keelson/apimachinery/types/core.v1';
import type { Device, ResourceClaim } from '@keelson/apimachinery/types/resource.k8s.io.v1';
import type { Client } from '@keelson/client';
import type { ClusterOptions } from '../create-cluster.ts';
import { core, find, simulateCluster } from '../testing/simulated-cluster.ts';

const driver = 'gpu.example.com';
const otherDriver = 'nic.example.com';
const v1 = (group: string, resource: string) => ({ group, version: 'v1', resource });
const devices = (resource: string) => v1('resource.k8s.io', resource);
const claimSpec = { devices: { requests: [{ name: 'r', exactly: { deviceClassName: 'gpu' } }] } };

async function setUp(t: TestContext, options: ClusterOptions = {}) {
  const simulated = await simulateCluster(t, options);
  const { client, clock } = simulated;
  const pods = client.resource<Pod>(core('pods')).namespace('default');
  const claims = client.resource<ResourceClaim>(devices('resourceclaims')).namespace('default');
  const slices = client.resource(devices('resourceslices'));
  const events = client.resource<KubeObject>(core('events')).namespace('default');
  await client.resource(devices('deviceclasses')).create({
    metadata: { name: 'gpu' },
    spec: { selectors: [{ cel: { expression: `device.driver == "${driver}"` } }] },
  });
  /** `node-1` has these devices. */
  const offer = async (offered: readonly Device[], generation = 1) => {
    const name = `slice-${generation}`;
    const pool = { name: 'node-1', generation, resourceSliceCount: 1 };
    const spec = { driver, nodeName: 'node-1', pool, devices: [...offered] };
    await slices.create({ metadata: { name }, spec } as never);
  };
  const addClaim = (spec: object = claimSpec) =>
    claims.create({ metadata: { name: 'c' }, spec } as never);
  const addPod = (name: string, spec: object = {}) =>
    pods.create({
      metadata: { name },
      spec: {
        containers: [{ name: 'c', image: 'app' }],
        resourceClaims: [{ name: 'x', resourceClaimName: 'c' }],
        ...spec,
      },
    } as never);
  const said = async (reason: string) =>
    (await events.list()).items
      .filter((event) => event['reason'] === reason)
      .map((event) => String(event['message']));
  const phaseOf = async (name: string) => {
    const pod = await find(pods, name);
    if (pod === undefined) return 'gone';
    return pod.metadata.deletionTimestamp === undefined ? pod.status?.phase : 'Terminating';
  };
  const wait = (ms: number) => clock.advance(ms);
  return { ...simulated, pods, claims, slices, offer, addClaim, addPod, said, phaseOf, wait };
}

test('node §20 (7): a claim that is deleted stays until nobody uses it', async (t) => {
  const { addClaim, addPod, claims, offer, phaseOf, pods, wait } = await setUp(t, { nodes: 1 });
  await offer([{ name: 'g0' }]);
  await addClaim();
  await addPod('p');
  await wait(10_000);
  assert.equal(await phaseOf('p'), 'Running');
  await claims.delete('c');
  await wait(60_000);
  const going = await claims.get('c');
  assert.notEqual(going.metadata.deletionTimestamp, undefined);
  assert.deepEqual(going.metadata.finalizers, ['resource.kubernetes.io/delete-protection']);
  assert.equal(going.status?.reservedFor?.[0]?.name, 'p');
  assert.equal(await phaseOf('p'), 'Running');
  await pods.delete('p');
  await wait(60_000);
  assert.equal(await phaseOf('p'), 'gone');
  assert.equal(await find(claims, 'c'), undefined);
});

test('node §20 (8): access for administration is only for namespaces that are labelled', async (t) => {
  const { addClaim, addPod, client, claims, offer, phaseOf, wait } = await setUp(t, { nodes: 1 });
  const exactly = { deviceClassName: 'gpu', adminAccess: true };
  const spec = { devices: { requests: [{ name: 'r', exactly }] } };
  const label = (value: string) =>
    client.resource(core('namespaces')).patch('default', 'merge', {
      metadata: { labels: { 'resource.kubernetes.io/admin-access': value } },
    });
  const refusal =
    /is invalid: : Forbidden: admin access to devices requires the `resource\.kubernetes\.io\/admin-access: true` label on the containing namespace/;
  await assert.rejects(
    addClaim(spec),
    (error) => isStatusError(error) && refusal.test(error.message),
  );
  await label('yes');
  await assert.rejects(
    addClaim(spec),
    (error) => isStatusError(error) && refusal.test(error.message),
  );
  await label('true');
  await offer([{ name: 'g0' }]);
  await addClaim(spec);
  await addPod('p');
  await wait(10_000);
  assert.equal(await phaseOf('p'), 'Running');
  const results = (await claims.get('c')).status?.allocation?.devices?.results;
  assert.deepEqual(
    results?.map(({ device, adminAccess }) => [device, adminAccess]),
    [['g0', true]],
  );
  // Who administers the device does not have it.
  await claims.create({ metadata: { name: 'other' }, spec: claimSpec } as never);
  await addPod('user', { resourceClaims: [{ name: 'x', resourceClaimName: 'other' }] });
  await wait(10_000);
  assert.equal(await phaseOf('user'), 'Running');
});

const broken = (more: object = {}) => ({ key: 'broken', effect: 'NoExecute', ...more });
const tolerating = (more: object) => ({
  devices: {
    requests: [
      {
        name: 'r',
        exactly: {
          deviceClassName: 'gpu',
          tolerations: [{ key: 'broken', operator: 'Exists', ...more }],
        },
      },
    ],
  },
});

interface Eviction {
  readonly what: string;
  readonly claim?: object;
  readonly taint: object;
  /** After ten seconds, and after a minute. */
  readonly expected: readonly [string, string];
}

const evictions: readonly Eviction[] = [
  { what: 'it is not tolerated', taint: broken(), expected: ['gone', 'gone'] },
  {
    what: 'it is tolerated for a while',
    claim: tolerating({ tolerationSeconds: 30 }),
    taint: broken(),
    expected: ['Running', 'gone'],
  },
  {
    what: 'it is tolerated',
    claim: tolerating({}),
    taint: broken(),
    expected: ['Running', 'Running'],
  },
  {
    what: 'another one is tolerated',
    claim: tolerating({ key: 'warm' }),
    taint: broken(),
    expected: ['gone', 'gone'],
  },
  {
    what: 'it keeps only newcomers away',
    taint: broken({ effect: 'NoSchedule' }),
    expected: ['Running', 'Running'],
  },
];

for (const { what, claim, taint, expected } of evictions) {
  test(`node §20 (10): a device is tainted under a pod, and ${what}`, async (t) => {
    const { addClaim, addPod, offer, phaseOf, said, slices, wait } = await setUp(t, { nodes: 1 });
    await offer([{ name: 'g0' }]);
    await addClaim(claim);
    await addPod('p', { terminationGracePeriodSeconds: 0 });
    await wait(10_000);
    assert.equal(await phaseOf('p'), 'Running');
    const tainted = [{ name: 'g0', taints: [taint] }];
    await slices.patch('slice-1', 'merge', { spec: { devices: tainted as never } });
    await wait(10_000);
    const early = await phaseOf('p');
    await wait(50_000);
    assert.deepEqual([early, await phaseOf('p')], expected);
    const isEvicted = expected[1] === 'gone';
    assert.deepEqual(
      await said('DeviceTaintManagerEviction'),
      isEvicted ? ['Marking for deletion'] : [],
    );
  });
}

test('node §20 (10): a taint that goes away in time evicts nobody', async (t) => {
  const { addClaim, addPod, offer, phaseOf, said, slices, wait } = await setUp(t, { nodes: 1 });
  await offer([{ name: 'g0' }]);
  await addClaim(tolerating({ tolerationSeconds: 30 }));
  await addPod('p');
  await wait(10_000);
  const taint = (taints: readonly object[]) =>
    slices.patch('slice-1', 'merge', { spec: { devices: [{ name: 'g0', taints }] as never } });
  await taint([broken()]);
  await wait(10_000);
  await taint([]);
  await wait(60_000);
  assert.equal(await phaseOf('p'), 'Running');
  assert.deepEqual(await said('DeviceTaintManagerEviction'), ['Cancelling deletion']);
});

const driverCalls = async (client: Client) => {
  const path = '/api/v1/nodes/node-1/proxy/metrics';
  const text = Buffer.from(await client.send({ method: 'GET', path })).toString();
  const value = (series: RegExp) => Number(series.exec(text)?.[1] ?? 0);
  const calls = (method: string) =>
    value(new RegExp(`_count\\{driver_name="${driver}",.*DRAPlugin/${method}"\\} (\\d+)`));
  return {
    prepared: calls('NodePrepareResources'),
    unprepared: calls('NodeUnprepareResources'),
    inUse: value(new RegExp(`dra_resource_claims_in_use\\{driver_name="${driver}"\\} (\\d+)`)),
  };
};

test('node §20 (11): devices are prepared once, whatever happens to the kubelet', async (t) => {
  const { addClaim, addPod, client, cluster, offer, phaseOf, pods, wait } = await setUp(t, {
    nodes: 1,
  });
  await offer([{ name: 'g0' }]);
  await addClaim();
  await addPod('p');
  await addPod('q');
  await wait(10_000);
  assert.deepEqual([await phaseOf('p'), await phaseOf('q')], ['Running', 'Running']);
  assert.deepEqual(await driverCalls(client), { prepared: 1, unprepared: 0, inUse: 1 });
  // The machine of the node is stopped for a while.
  const nodes = client.resource(core('nodes'));
  const simulate = (state: string | null) =>
    nodes.patch('node-1', 'merge', {
      metadata: { annotations: { 'keelson.dev/simulate': state } },
    });
  await simulate('stopped');
  await wait(5_000);
  await simulate(null);
  await wait(60_000);
  assert.deepEqual(await driverCalls(client), { prepared: 1, unprepared: 0, inUse: 1 });
  // Its kubelet is another process, which knows what the one before has done.
  const fork = await cluster.fork();
  t.after(() => fork.close());
  await wait(60_000);
  const anew = fork.client();
  assert.deepEqual(await driverCalls(anew), { prepared: 0, unprepared: 0, inUse: 1 });
  const forked = anew.resource<Pod>(core('pods')).namespace('default');
  assert.equal((await forked.get('p')).status?.phase, 'Running');
  // The first of the pods that goes leaves the devices to the other one.
  await pods.delete('p');
  await wait(60_000);
  assert.deepEqual(await driverCalls(client), { prepared: 1, unprepared: 0, inUse: 1 });
  await pods.delete('q');
  await wait(60_000);
  assert.deepEqual(await driverCalls(client), { prepared: 1, unprepared: 1, inUse: 0 });
});

test('node §20 (12): a pod that names its node itself gets no device, and may use what is there', async (t) => {
  const { addClaim, addPod, claims, offer, phaseOf, said, wait } = await setUp(t, { nodes: 1 });
  await offer([{ name: 'g0' }]);
  await addClaim();
  await addPod('forged', { nodeName: 'node-1' });
  await wait(60_000);
  assert.equal(await phaseOf('forged'), 'Pending');
  assert.equal((await claims.get('c')).status?.allocation, undefined);
  assert.deepEqual(await said('FailedPrepareDynamicResources'), [
    'Failed to prepare dynamic resources: prepare dynamic resources: ResourceClaim c: not allocated',
  ]);
  // One that came by the scheduler gets the device; who bypassed it is let in by the controller.
  await addPod('honest');
  await wait(150_000);
  assert.deepEqual([await phaseOf('honest'), await phaseOf('forged')], ['Running', 'Running']);
  const users = (await claims.get('c')).status?.reservedFor?.map(({ name }) => name);
  assert.deepEqual(users?.toSorted(), ['forged', 'honest']);
});

const byResource = (spec: object = {}) => {
  const amounts = { 'deviceclass.resource.kubernetes.io/gpu': '1' };
  const resources = { requests: amounts, limits: amounts };
  return { containers: [{ name: 'c', image: 'app', resources }], resourceClaims: [], ...spec };
};
const extended = ({ status }: Pod) => status?.extendedResourceClaimStatus;

test('a device by the name of a resource: its claim comes and goes with the pod', async (t) => {
  const { addPod, claims, offer, phaseOf, pods, wait } = await setUp(t, { nodes: 1 });
  await offer([{ name: 'g0' }]);
  await addPod('p', byResource());
  await addPod('q', byResource());
  await wait(10_000);
  const [placed = '', waiting = ''] = (await phaseOf('p')) === 'Running' ? ['p', 'q'] : ['q', 'p'];
  assert.deepEqual([await phaseOf(placed), await phaseOf(waiting)], ['Running', 'Pending']);
  const { items } = await claims.list();
  assert.equal(items.length, 1);
  const [claim] = items;
  const name = claim?.metadata.name ?? '';
  assert.match(name, new RegExp(`^${placed}-extended-resources-`));
  const { metadata } = await pods.get(placed);
  assert.deepEqual(claim?.metadata.annotations, {
    'resource.kubernetes.io/extended-resource-claim': 'true',
  });
  assert.deepEqual(claim?.metadata.ownerReferences, [
    { apiVersion: 'v1', kind: 'Pod', name: placed, uid: metadata.uid, controller: true },
  ]);
  assert.deepEqual(claim?.status?.reservedFor, [
    { resource: 'pods', name: placed, uid: metadata.uid },
  ]);
  assert.deepEqual(extended(await pods.get(placed)), {
    requestMappings: [
      {
        containerName: 'c',
        resourceName: 'deviceclass.resource.kubernetes.io/gpu',
        requestName: 'container-0-request-0',
      },
    ],
    resourceClaimName: name,
  });
  assert.equal(extended(await pods.get(waiting)), undefined);
  await pods.delete(placed);
  await wait(60_000);
  assert.deepEqual([await phaseOf(placed), await phaseOf(waiting)], ['gone', 'Running']);
  assert.deepEqual(
    (await claims.list()).items.map(({ metadata: left }) => left.name),
    [extended(await pods.get(waiting))?.resourceClaimName],
  );
});

test('a device by the name of a resource: a pod that is not bound leaves no claim', async (t) => {
  const { addPod, claims, client, offer, phaseOf, pods, said, wait } = await setUp(t, { nodes: 1 });
  const admission = (resource: string) =>
    client.resource(v1('admissionregistration.k8s.io', resource));
  const rule = {
    apiGroups: [''],
    apiVersions: ['v1'],
    operations: ['*'],
    resources: ['pods/binding'],
  };
  await admission('validatingadmissionpolicies').create({
    metadata: { name: 'no' },
    spec: {
      matchConstraints: { resourceRules: [rule] },
      validations: [{ expression: 'false', message: 'not now' }],
    },
  } as never);
  await admission('validatingadmissionpolicybindings').create({
    metadata: { name: 'no' },
    spec: { policyName: 'no', validationActions: ['Deny'] },
  } as never);
  await offer([{ name: 'g0' }]);
  await wait(1_000);
  await addPod('p', byResource());
  await wait(500);
  assert.match((await said('FailedScheduling'))[0] ?? '', /not now/);
  assert.deepEqual((await claims.list()).items, []);
  await admission('validatingadmissionpolicybindings').delete('no');
  await wait(60_000);
  assert.equal(await phaseOf('p'), 'Running');
  // It is the claim of this attempt that the pod names, not of the one before.
  const names = (await claims.list()).items.map(({ metadata }) => metadata.name);
  assert.deepEqual(names, [extended(await pods.get('p'))?.resourceClaimName]);
});

test('a device by the name of a resource: of a pod that is done nothing is left', async (t) => {
  const { addPod, claims, offer, phaseOf, wait } = await setUp(t, { nodes: 1 });
  await offer([{ name: 'g0' }]);
  await addPod('p', byResource({ restartPolicy: 'Never' }));
  await wait(300_000);
  assert.equal(await phaseOf('p'), 'Succeeded');
  assert.deepEqual((await claims.list()).items, []);
});

interface Report {
  readonly what: string;
  readonly node?: string;
  readonly verbs: readonly string[];
  readonly names?: readonly string[];
  readonly reported?: string;
  readonly release?: string;
  readonly refusal?: RegExp;
}

const reports: readonly Report[] = [
  { what: 'of its own node', node: 'node-1', verbs: ['associated-node:update'] },
  {
    what: 'of another node',
    node: 'node-2',
    verbs: ['associated-node:update'],
    refusal:
      /status\.devices: Forbidden: User \S+ cannot arbitrary-node:update resource "resourceclaims\/driver" in API group "resource\.k8s\.io" in the namespace "default"/,
  },
  {
    what: 'of its own node, by another verb',
    node: 'node-1',
    verbs: ['associated-node:patch'],
    refusal: /cannot associated-node:update resource "resourceclaims\/driver"/,
  },
  { what: 'of any node, if it may', node: 'node-2', verbs: ['arbitrary-node:update'] },
  { what: 'without a node, if it may', verbs: ['arbitrary-node:update'] },
  {
    what: 'without a node',
    verbs: ['associated-node:update'],
    refusal: /cannot arbitrary-node:update/,
  },
  {
    what: 'of another driver',
    node: 'node-1',
    verbs: ['associated-node:update'],
    names: [otherDriver],
    refusal: /cannot associated-node:update/,
  },
  {
    what: 'of another node, before the release that asks',
    node: 'node-2',
    verbs: ['associated-node:update'],
    release: '1.35',
  },
];

for (const { what, node, verbs, names = [driver], release, refusal } of reports) {
  test(`node §20 (13): a driver reports the status of a device ${what}`, async (t) => {
    const { addClaim, addPod, claims, client, cluster, offer, wait } = await setUp(t, {
      nodes: 1,
      ...(release !== undefined && { emulatedVersion: release }),
    });
    await offer([{ name: 'g0' }]);
    await addClaim();
    await addPod('p');
    await wait(10_000);
    const rbac = (resource: string) => client.resource(v1('rbac.authorization.k8s.io', resource));
    const status = { resources: ['resourceclaims/status'], verbs: ['get', 'update', 'patch'] };
    const report = { resources: ['resourceclaims/driver'], verbs, resourceNames: names };
    const rules = [status, report].map((rule) => ({ apiGroups: ['resource.k8s.io'], ...rule }));
    await rbac('clusterroles').create({ metadata: { name: 'driver' }, rules } as never);
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'driver' };
    const subjects = [{ kind: 'ServiceAccount', namespace: 'default', name: 'driver' }];
    const binding = { metadata: { name: 'driver' }, roleRef, subjects };
    await rbac('clusterrolebindings').create(binding as never);
    const asDriver = cluster
      .client({
        name: 'system:serviceaccount:default:driver',
        groups: ['system:serviceaccounts', 'system:authenticated'],
        ...(node !== undefined && { extra: { 'authentication.kubernetes.io/node-name': [node] } }),
      })
      .resource<ResourceClaim>(devices('resourceclaims'))
      .namespace('default');
    const claim = await claims.get('c');
    const device = { driver, pool: 'node-1', device: 'g0', data: { ready: true } };
    const reporting = asDriver.update(
      { ...claim, status: { ...claim.status, devices: [device] } },
      { subresource: 'status' },
    );
    if (refusal === undefined)
      assert.deepEqual((await reporting).status?.devices?.[0]?.data, { ready: true });
    else
      await assert.rejects(
        reporting,
        (error) => isStatusError(error) && refusal.test(error.message),
      );
    // Nobody takes devices away, or lets others use them, who may only report.
    const now = await claims.get('c');
    const freeing = asDriver.update({ ...now, status: {} }, { subresource: 'status' });
    if (release !== undefined) assert.equal((await freeing).status?.allocation, undefined);
    else
      await assert.rejects(freeing, {
        message:
          /status: Forbidden: User \S+ cannot update resource "resourceclaims\/binding" in API group "resource\.k8s\.io"/,
      });
  });
}
