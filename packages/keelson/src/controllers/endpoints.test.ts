import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { JsonValue } from '@keelson/apimachinery';
import type { Endpoints, Node, Pod, Service } from '@keelson/apimachinery/types/core.v1';
import type { EndpointSlice } from '@keelson/apimachinery/types/discovery.k8s.io.v1';
import { core, find, simulateCluster } from '../testing/simulated-cluster.ts';

const slicesResource = { group: 'discovery.k8s.io', version: 'v1', resource: 'endpointslices' };
const labels = { app: 'web' };

async function setUp(t: TestContext) {
  const simulated = await simulateCluster(t);
  const { client, clock } = simulated;
  const services = client.resource<Service>(core('services')).namespace('default');
  const pods = client.resource<Pod>(core('pods')).namespace('default');
  const nodes = client.resource<Node>(core('nodes'));
  const slices = client.resource<EndpointSlice>(slicesResource).namespace('default');
  const endpoints = client.resource<Endpoints>(core('endpoints')).namespace('default');
  const settle = () => clock.advance(5_000);
  await nodes.create({
    metadata: { name: 'n', labels: { 'topology.kubernetes.io/zone': 'z' } },
    spec: {},
  });
  const addPod = async (name: string, ip: string, { isReady = true, spec = {} } = {}) => {
    const containers = [
      { name: 'c', image: 'app', ports: [{ name: 'http', containerPort: ip.length }] },
    ];
    await pods.create({ metadata: { name, labels }, spec: { nodeName: 'n', containers, ...spec } });
    const conditions = [{ type: 'Ready', status: isReady ? 'True' : 'False' }];
    await setStatus(name, {
      phase: 'Running',
      podIPs: ip.split(',').map((i) => ({ ip: i })),
      podIP: ip.split(',')[0] ?? '',
      conditions,
    });
  };
  const setStatus = (name: string, status: JsonValue) =>
    pods.patch(name, 'merge', { status }, { subresource: 'status' });
  const addService = (spec: object, metadata: object = {}) =>
    services.create({
      metadata: { name: 'web', ...metadata },
      spec: { selector: labels, ports: [{ port: 80, targetPort: 8080 }], ...spec },
    });
  const list = async () => {
    await settle();
    return (await slices.list({ labelSelector: 'kubernetes.io/service-name=web' })).items;
  };
  /** `address:ready/serving/terminating` of all slices. */
  const seen = async () =>
    (await list())
      .flatMap((slice) => slice.endpoints ?? [])
      .map(({ addresses, conditions = {} }) =>
        [addresses?.join(), conditions.ready, conditions.serving, conditions.terminating].join(' '),
      )
      .toSorted();
  return {
    ...simulated,
    services,
    pods,
    nodes,
    slices,
    endpoints,
    settle,
    addPod,
    setStatus,
    addService,
    list,
    seen,
  };
}

test('ready, not ready, terminating and finished pods', async (t) => {
  const { addPod, addService, setStatus, pods, seen, endpoints, settle, warnings } = await setUp(t);
  await addPod('a', '10.0.0.1');
  await addPod('b', '10.0.0.2', { isReady: false });
  await addPod('c', '10.0.0.3');
  await addPod('d', '10.0.0.4');
  await pods.delete('c');
  await setStatus('d', { phase: 'Succeeded' });
  await addService({});
  assert.deepEqual(await seen(), [
    '10.0.0.1 true true false',
    '10.0.0.2 false false false',
    '10.0.0.3 false true true',
  ]);
  const subset = (await endpoints.get('web')).subsets?.[0];
  assert.deepEqual(
    subset?.addresses?.map(({ ip }) => ip),
    ['10.0.0.1'],
  );
  assert.deepEqual(
    subset?.notReadyAddresses?.map(({ ip }) => ip),
    ['10.0.0.2'],
  );
  assert.deepEqual(subset?.ports, [{ port: 8080, protocol: 'TCP' }]);
  await setStatus('b', { conditions: [{ type: 'Ready', status: 'True' }] });
  await pods.patch('a', 'merge', { metadata: { labels: { app: 'other' } } });
  await settle();
  assert.deepEqual(await seen(), ['10.0.0.2 true true false', '10.0.0.3 false true true']);
  assert.deepEqual(warnings, []);
});

test('who publishes everything gets everything that has an address', async (t) => {
  const { addPod, addService, seen, endpoints } = await setUp(t);
  await addPod('a', '10.0.0.1', { isReady: false });
  await addPod('b', '10.0.0.2', { isReady: false, spec: { nodeName: 'gone' } });
  await addService({ publishNotReadyAddresses: true });
  assert.deepEqual(await seen(), ['10.0.0.1 true false false', '10.0.0.2 true false false']);
  const [subset] = (await endpoints.get('web')).subsets ?? [];
  assert.deepEqual(
    subset?.addresses?.map(({ ip }) => ip),
    ['10.0.0.1', '10.0.0.2'],
  );
});

test('named ports, hostnames, zones and hints come from the pod and its node', async (t) => {
  const { addPod, addService, list, nodes } = await setUp(t);
  await addPod('a', '10.0.0.1', { spec: { hostname: 'h', subdomain: 'web' } });
  await addPod('b', '10.0.0.10');
  await addPod('c', '10.0.0.11', { spec: { hostname: 'h', subdomain: 'other' } });
  await addService({
    ports: [{ port: 80, targetPort: 'http' }],
    trafficDistribution: 'PreferClose',
  });
  const slices = await list();
  const bySize = slices.toSorted((x, y) => (x.endpoints ?? []).length - (y.endpoints ?? []).length);
  assert.deepEqual(
    bySize.map(({ ports }) => ports?.[0]?.port),
    [8, 9],
  );
  assert.deepEqual(bySize[0]?.endpoints?.[0]?.hostname, 'h');
  assert.deepEqual(
    bySize[1]?.endpoints?.map(({ hostname, nodeName, zone, hints }) => [
      hostname,
      nodeName,
      zone,
      hints,
    ]),
    [
      [undefined, 'n', 'z', { forZones: [{ name: 'z' }] }],
      [undefined, 'n', 'z', { forZones: [{ name: 'z' }] }],
    ],
  );
  await nodes.patch('n', 'merge', { metadata: { labels: { 'topology.kubernetes.io/zone': 'y' } } });
  assert.deepEqual(
    [...new Set((await list()).flatMap((s) => s.endpoints ?? []).map(({ zone }) => zone))],
    ['y'],
  );
});

test('Services without endpoints of their own', async (t) => {
  const rows: [what: string, spec: object, slices: number][] = [
    ['no pods: a placeholder', {}, 1],
    ['headless without ports', { clusterIP: 'None', ports: null }, 1],
    ['no selector', { selector: null }, 0],
    ['external name', { type: 'ExternalName', externalName: 'x.example' }, 0],
  ];
  for (const [what, spec, count] of rows) {
    const { addService, list, endpoints } = await setUp(t);
    await addService(spec);
    const found = await list();
    assert.equal(found.length, count, what);
    assert.ok(
      found.every((slice) => slice.endpoints === null && slice.ports === null),
      what,
    );
    assert.equal((await find(endpoints, 'web')) !== undefined, count > 0, what);
  }
});

test('slices hold at most a hundred endpoints', async (t) => {
  const { addPod, addService, list, endpoints } = await setUp(t);
  for (let n = 0; n < 130; n++) await addPod(`p${n}`, `10.1.0.${n}`);
  await addService({});
  const sizes = (await list()).map((slice) => slice.endpoints?.length ?? 0);
  assert.deepEqual(sizes.toSorted(), [100, 30]);
  assert.equal((await endpoints.get('web')).subsets?.[0]?.addresses?.length, 130);
});

test('what is deleted or changed by others comes back, and goes with its Service', async (t) => {
  const { addPod, addService, list, slices, services, endpoints, settle } = await setUp(t);
  await addPod('a', '10.0.0.1');
  await addService({}, { labels: { tier: 'x', 'service.kubernetes.io/headless': 'no' } });
  const [first] = await list();
  assert.deepEqual(first?.metadata.labels, {
    tier: 'x',
    'kubernetes.io/service-name': 'web',
    'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
  });
  const name = first?.metadata.name ?? '';
  await slices.patch(name, 'merge', { endpoints: [{ addresses: ['10.9.9.9'] }] });
  await endpoints.patch('web', 'merge', { subsets: null });
  assert.deepEqual(
    (await list())[0]?.endpoints?.map((e) => e.addresses),
    [['10.0.0.1']],
  );
  assert.equal((await endpoints.get('web')).subsets?.length, 1);
  await slices.delete(name);
  assert.equal((await list()).length, 1);
  await services.delete('web');
  assert.deepEqual(await list(), []);
  await settle();
  assert.equal(await find(endpoints, 'web'), undefined);
});

test('hand-written Endpoints are mirrored, unless they or their Service say otherwise', async (t) => {
  const { addService, endpoints, list, services } = await setUp(t);
  const skip = 'endpointslice.kubernetes.io/skip-mirror';
  await endpoints.create({
    metadata: { name: 'web', labels: { l: '1' }, annotations: { a: '1' } },
    subsets: [
      {
        addresses: [{ ip: '192.0.2.5', hostname: 'x' }, { ip: '2001:db8::1' }],
        notReadyAddresses: [{ ip: '192.0.2.6' }],
        ports: [{ name: 'p', port: 9 }],
      },
    ],
  });
  assert.deepEqual(await list(), []);
  assert.notEqual(await find(endpoints, 'web'), undefined);
  await addService({ selector: null });
  const mirrored = (await list()).toSorted((a, b) => (a.addressType < b.addressType ? -1 : 1));
  assert.deepEqual(
    mirrored.map((slice) => slice.endpoints),
    [
      [
        { addresses: ['192.0.2.5'], conditions: { ready: true }, hostname: 'x' },
        { addresses: ['192.0.2.6'], conditions: { ready: false } },
      ],
      [{ addresses: ['2001:db8::1'], conditions: { ready: true } }],
    ],
  );
  assert.deepEqual(mirrored[0]?.metadata.annotations, { a: '1' });
  const time = 'endpoints.kubernetes.io/last-change-trigger-time';
  const annotations = { a: null, b: '2', [time]: '2020-01-01T00:00:00Z' };
  await endpoints.patch('web', 'merge', { metadata: { annotations } });
  assert.deepEqual((await list())[0]?.metadata.annotations, { b: '2' });
  await endpoints.patch('web', 'merge', { metadata: { labels: { [skip]: 'true' } } });
  assert.deepEqual(await list(), []);
  await endpoints.patch('web', 'merge', { metadata: { labels: { [skip]: null } } });
  assert.equal((await list()).length, 2);
  await services.delete('web');
  assert.deepEqual(await list(), []);
  assert.equal(await find(endpoints, 'web'), undefined);
});

test('subsets of the same addresses are mirrored together', async (t) => {
  const { addService, endpoints, list } = await setUp(t);
  await addService({ selector: null });
  const addresses = [{ ip: '192.0.2.5' }];
  await endpoints.create({
    metadata: { name: 'web' },
    subsets: [
      { addresses, ports: [{ name: 'a', port: 1 }] },
      { addresses, ports: [{ name: 'b', port: 2 }] },
    ],
  });
  const ports = (await list()).map((slice) => slice.ports?.map(({ name }) => name).toSorted());
  assert.deepEqual(ports, [['a', 'b']]);
});

test('too many addresses, and what is none, are told and left out', async (t) => {
  const { addService, endpoints, list, client } = await setUp(t);
  await addService({ selector: null });
  const addresses = Array.from({ length: 1_005 }, (_, n) => ({ ip: `10.1.${n >> 8}.${n & 255}` }));
  const ports = [{ port: 9 }];
  await endpoints.create({ metadata: { name: 'web' }, subsets: [{ addresses, ports }] });
  assert.deepEqual(
    (await list()).map((slice) => slice.endpoints?.length),
    [1_000],
  );
  const events = client
    .resource<{ metadata: object; reason?: string; message?: string }>(core('events'))
    .namespace('default');
  const [told] = (await events.list({ fieldSelector: 'involvedObject.kind=Endpoints' })).items;
  assert.deepEqual(
    [told?.reason, told?.message],
    [
      'TooManyAddressesToMirror',
      'A max of 1000 addresses can be mirrored to EndpointSlices per Endpoints subset. ' +
        '5 addresses were skipped',
    ],
  );
});

test('a pod on a node that nobody knows is left out, and told', async (t) => {
  const { addPod, addService, seen, client, warnings } = await setUp(t);
  await addPod('a', '10.0.0.1');
  await addPod('b', '10.0.0.2', { spec: { nodeName: 'gone' } });
  await addService({});
  assert.deepEqual(await seen(), ['10.0.0.1 true true false']);
  const events = client
    .resource<{ metadata: object; reason?: string; message?: string }>(core('events'))
    .namespace('default');
  const [told] = (await events.list({ fieldSelector: 'involvedObject.kind=Service' })).items;
  assert.deepEqual(
    [told?.reason, told?.message],
    [
      'FailedToUpdateEndpointSlices',
      'Error updating Endpoint Slices for Service default/web: ' +
        'skipping Pod b for Service default/web: Node gone Not Found',
    ],
  );
  assert.deepEqual(warnings, []);
});

test('the time of the change that is told goes with the next write', async (t) => {
  const { addPod, addService, list, services, pods, endpoints, settle } = await setUp(t);
  await addPod('a', '10.0.0.1');
  const created = (await addService({})).metadata.creationTimestamp;
  const time = 'endpoints.kubernetes.io/last-change-trigger-time';
  const timesNow = async () => {
    const [slice] = await list();
    const { metadata } = await endpoints.get('web');
    return [slice?.metadata.annotations?.[time], metadata.annotations?.[time]];
  };
  assert.deepEqual(await timesNow(), [created, created]);
  const at = '2030-01-01T00:00:00Z';
  const conditions = [{ type: 'Ready', status: 'False', lastTransitionTime: at }];
  await pods.patch('a', 'merge', { status: { conditions } }, { subresource: 'status' });
  assert.deepEqual(await timesNow(), [at, at]);
  // Other labels are no change of the network.
  await services.patch('web', 'merge', { metadata: { labels: { l: '1' } } });
  await settle();
  assert.deepEqual(await timesNow(), [undefined, undefined]);
});

test('hints by topology come with the annotation, and go with it', async (t) => {
  const { addPod, addService, list, nodes, services, client } = await setUp(t);
  const node = (name: string, zone: string) => ({
    metadata: { name, labels: { 'topology.kubernetes.io/zone': zone } },
    spec: {},
    status: { allocatable: { cpu: '2' }, conditions: [{ type: 'Ready', status: 'True' }] },
  });
  for (const [name, zone] of [
    ['n', 'z'],
    ['m', 'y'],
  ] as const) {
    await nodes.delete(name).catch(() => {});
    await nodes.create(node(name, zone));
  }
  for (const [name, nodeName] of [
    ['a', 'n'],
    ['b', 'n'],
    ['c', 'n'],
    ['d', 'm'],
  ] as const)
    await addPod(name, `10.0.0.${name.charCodeAt(0)}`, { spec: { nodeName } });
  const mode = 'service.kubernetes.io/topology-mode';
  await addService({ trafficDistribution: 'PreferClose' }, { annotations: { [mode]: 'Auto' } });
  const zones = async () =>
    (await list())
      .flatMap((slice) => slice.endpoints ?? [])
      .map(({ hints }) => hints?.forZones?.map(({ name }) => name).join())
      .toSorted();
  const events = client
    .resource<{ metadata: object; reason?: string; message?: string }>(core('events'))
    .namespace('default');
  const told = async () =>
    (await events.list({ fieldSelector: 'involvedObject.kind=Service' })).items
      .map(({ reason, message }) => `${reason}: ${message}`)
      .filter((text) => text.startsWith('Topology'));
  assert.deepEqual(await zones(), ['y', 'y', 'z', 'z']);
  const enabled =
    'TopologyAwareHintsEnabled: Topology Aware Hints has been enabled, addressType: IPv4';
  assert.deepEqual(await told(), [enabled]);
  // A zone that cannot do its part any more: nobody knows what to give it.
  const status = { conditions: [{ type: 'Ready', status: 'False' }] };
  await nodes.patch('m', 'merge', { status }, { subresource: 'status' });
  const none = [undefined, undefined, undefined, undefined];
  assert.deepEqual(await zones(), none);
  const insufficient =
    'TopologyAwareHintsDisabled: Insufficient Node information: allocatable CPU or zone not ' +
    'specified on one or more nodes, addressType: IPv4';
  assert.ok((await told()).includes(insufficient));
  await services.patch('web', 'merge', { metadata: { annotations: { [mode]: null } } });
  assert.deepEqual(await zones(), ['y', 'z', 'z', 'z']);
});
