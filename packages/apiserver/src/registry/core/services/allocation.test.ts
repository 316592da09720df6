import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { createSeededRandom, isStatusError, statusErrors } from '@keelson/apimachinery';
import type { KubeObject } from '@keelson/apimachinery';
import type { Service, ServiceSpec } from '@keelson/apimachinery/types/core.v1';
import type { ObjectChange, ObjectSource } from '../../../object-source.ts';
import { testContext } from '../../testing/run-strategy.ts';
import { createServiceAllocation } from './allocation.ts';
import { createClusterIps } from './cluster-ips.ts';
import { applyServiceDefaults } from './defaults.ts';
import { createNodePorts, type PortRange } from './node-ports.ts';

/** Objects that a test puts in place by itself. */
function createSource(objects: KubeObject[] = []) {
  const subscribers = new Set<(change: ObjectChange) => void>();
  const source: ObjectSource = {
    get: () => undefined,
    list: () => objects,
    subscribe(onChange) {
      subscribers.add(onChange);
      return () => void subscribers.delete(onChange);
    },
  };
  const tell = (change: ObjectChange) => subscribers.forEach((notify) => notify(change));
  return { source, tell };
}

function service(spec: Partial<ServiceSpec>, name = 'web'): Service {
  const object: Service = {
    metadata: { name, namespace: 'shop' },
    spec: { ports: [{ port: 80, protocol: 'TCP' }], ...structuredClone(spec) },
  };
  applyServiceDefaults(object);
  return object;
}

interface WorldOptions {
  readonly stored?: readonly Service[];
  readonly ranges?: readonly string[];
  readonly cidrs?: readonly KubeObject[];
  readonly range?: PortRange;
}

function createWorld({ stored = [], ranges = ['10.96.0.0/24'], cidrs = [], range }: WorldOptions) {
  const random = createSeededRandom(1);
  const services = createSource(stored as unknown as KubeObject[]);
  const addresses = new Map<string, KubeObject>();
  const allocation = createServiceAllocation({
    clusterIps: createClusterIps({
      ranges,
      random,
      serviceCidrs: createSource([...cidrs]).source,
      addresses: {
        has: (name) => addresses.has(name),
        async create(address) {
          const name = address.metadata.name ?? '';
          const what = { group: 'networking.k8s.io', resource: 'ipaddresses' };
          if (addresses.has(name)) throw statusErrors.alreadyExists(what, name);
          addresses.set(name, address as KubeObject);
        },
        async delete(name) {
          addresses.delete(name);
        },
      },
    }),
    nodePorts: createNodePorts({
      services: services.source,
      random,
      ...(range === undefined ? {} : { range }),
    }),
  });
  return { allocation, addresses, tell: services.tell };
}
let world = createWorld({});
beforeEach(() => {
  world = createWorld({});
});

/** Creates the Service as the store does, without storing it. */
async function create(object: Service, dryRun = false): Promise<Service> {
  const transaction = await world.allocation.beginCreate(object, { ...testContext, dryRun });
  transaction?.commit();
  return object;
}

async function update(object: Service, old: Service): Promise<Service> {
  const transaction = await world.allocation.beginUpdate(object, old, testContext);
  transaction?.commit();
  await new Promise(setImmediate);
  return object;
}

test('a Service gets an address of the upper part of the range, and an IPAddress holds it', async () => {
  const { spec } = await create(service({}));
  assert.match(spec.clusterIP ?? '', /^10\.96\.0\.(1[6-9]|[2-9]\d|1\d\d|2[0-4]\d|25[0-4])$/);
  assert.deepEqual(spec.clusterIPs, [spec.clusterIP]);
  assert.deepEqual([...world.addresses.keys()], [spec.clusterIP]);
  const held = world.addresses.get(spec.clusterIP ?? '');
  assert.deepEqual(held?.metadata.labels, {
    'ipaddress.kubernetes.io/ip-family': 'IPv4',
    'ipaddress.kubernetes.io/managed-by': 'ipallocator.k8s.io',
  });
  const parentRef = { resource: 'services', namespace: 'shop', name: 'web' };
  assert.deepEqual(held?.['spec'], { parentRef });
});

test('headless Services and names of outside hosts hold no address', async () => {
  await create(service({ clusterIP: 'None' }));
  await create(service({ type: 'ExternalName', externalName: 'db.example.com' }));
  assert.equal(world.addresses.size, 0);
});

test('an address is given once', async () => {
  await create(service({ clusterIP: '10.96.0.7' }));
  await assert.rejects(
    create(service({ clusterIP: '10.96.0.7' }, 'other')),
    /spec\.clusterIPs: Invalid value: \["10\.96\.0\.7"\]: failed to allocate IP 10\.96\.0\.7: provided IP is already allocated/,
  );
  assert.equal(world.addresses.size, 1);
});

test('an address outside of the ranges is refused', async () => {
  await assert.rejects(
    create(service({ clusterIP: '192.0.2.1' })),
    /failed to allocate IP 192\.0\.2\.1: the provided network does not match the current range/,
  );
});

test('ranges of ready ServiceCIDRs count, others do not', async () => {
  const cidr = (name: string, cidrs: string[], ready: string): KubeObject => ({
    metadata: { name },
    spec: { cidrs },
    status: { conditions: [{ type: 'Ready', status: ready }] },
  });
  const cidrs = [cidr('a', ['192.0.2.0/28'], 'True'), cidr('b', ['198.51.100.0/28'], 'False')];
  world = createWorld({ cidrs });
  await create(service({ clusterIP: '192.0.2.1' }));
  await assert.rejects(create(service({ clusterIP: '198.51.100.1' })), /does not match/);
});

test('a full range is an internal error', async () => {
  world = createWorld({ ranges: ['10.96.0.0/30'] });
  await create(service({}, 'a'));
  await create(service({}, 'b'));
  await assert.rejects(create(service({}, 'c')), (error) => {
    assert.ok(isStatusError(error, 'InternalError'));
    assert.match(error.message, /failed to allocate a serviceIP: range is full/);
    return true;
  });
});

test('a dual-stack Service gets an address of each family', async () => {
  world = createWorld({ ranges: ['10.96.0.0/24', 'fd00::/112'] });
  const { spec } = await create(service({ ipFamilyPolicy: 'PreferDualStack' }));
  assert.deepEqual(spec.ipFamilies, ['IPv4', 'IPv6']);
  assert.match(spec.clusterIPs?.[1] ?? '', /^fd00::/);
  assert.equal(world.addresses.size, 2);
  const single = service({
    ...spec,
    ipFamilyPolicy: 'SingleStack',
    clusterIPs: spec.clusterIPs?.slice(0, 1) ?? [],
    ipFamilies: ['IPv4'],
  });
  await update(single, { metadata: {}, spec });
  assert.deepEqual([...world.addresses.keys()], [spec.clusterIP]);
});

test('a cluster of one family cannot give two', async () => {
  await assert.rejects(
    create(service({ ipFamilyPolicy: 'RequireDualStack' })),
    /spec\.ipFamilyPolicy: Invalid value: "RequireDualStack": this cluster is not configured for dual-stack services/,
  );
});

test('the address goes back when the Service becomes a name, is removed or is not written', async () => {
  const old = await create(service({}));
  const name = service({ type: 'ExternalName', externalName: 'db.example.com', ports: [] });
  await update(name, old);
  assert.equal(world.addresses.size, 0);

  const removed = await create(service({}));
  world.allocation.afterDelete(removed, testContext);
  const refused = await world.allocation.beginCreate(service({}, 'b'), testContext);
  refused?.rollback();
  await new Promise(setImmediate);
  assert.equal(world.addresses.size, 0);
});

test('an update keeps addresses and ports that it does not mention', async () => {
  const old = await create(service({ type: 'NodePort' }));
  const { spec } = await update(service({ type: 'NodePort' }), old);
  assert.equal(spec.clusterIP, old.spec.clusterIP);
  assert.equal(world.addresses.size, 1);
});

test('a dry run reserves nothing', async () => {
  const { spec } = await create(service({ type: 'NodePort' }), true);
  assert.equal(world.addresses.size, 0);
  assert.equal(spec.ports?.[0]?.nodePort, 32769);
});

test('node ports nobody asked for come from the upper part of the range', async () => {
  for (let i = 0; i < 20; i++) {
    const { spec } = await create(service({ type: 'NodePort' }, `s${i}`));
    const port = spec.ports?.[0]?.nodePort ?? 0;
    assert.ok(port >= 30086 && port <= 32767, String(port));
  }
});

const nodePort = (nodePort: number): Partial<ServiceSpec> => ({
  type: 'NodePort',
  ports: [{ port: 80, protocol: 'TCP', nodePort }],
});

test('a node port of a stored Service is taken until that Service is gone', async () => {
  const stored = service(nodePort(30080));
  world = createWorld({ stored: [stored] });
  const taken =
    /spec\.ports\[0\]\.nodePort: Invalid value: 30080: provided port is already allocated/;
  await assert.rejects(create(service(nodePort(30080), 'b')), taken);
  assert.equal(world.addresses.size, 0, 'the address was given back');
  world.tell({ type: 'DELETED', object: stored as unknown as KubeObject });
  await create(service(nodePort(30080), 'b'));
});

test('a node port outside of the range is refused', async () => {
  await assert.rejects(
    create(service(nodePort(20000))),
    /provided port is not in the valid range\. The range of valid ports is 30000-32767/,
  );
});

test('concurrent writes do not get the same node port', async () => {
  const first = await world.allocation.beginCreate(service(nodePort(30080)), testContext);
  await assert.rejects(create(service(nodePort(30080), 'b')), /already allocated/);
  first?.rollback();
  await create(service(nodePort(30080), 'b'));
});

test('ports of one number share a node port', async () => {
  const ports = [
    { name: 'tcp', port: 53, protocol: 'TCP' },
    { name: 'udp', port: 53, protocol: 'UDP' },
  ];
  const { spec } = await create(service({ type: 'NodePort', ports }));
  assert.equal(spec.ports?.[0]?.nodePort, spec.ports?.[1]?.nodePort);
});

test('a load balancer that keeps traffic local has a health check port', async () => {
  const local = { type: 'LoadBalancer', externalTrafficPolicy: 'Local' };
  const { spec } = await create(service(local));
  assert.ok((spec.healthCheckNodePort ?? 0) >= 30000);
  assert.notEqual(spec.healthCheckNodePort, spec.ports?.[0]?.nodePort);
});

test('a load balancer may do without node ports', async () => {
  const { spec } = await create(
    service({ type: 'LoadBalancer', allocateLoadBalancerNodePorts: false }),
  );
  assert.equal(spec.ports?.[0]?.nodePort, undefined);
});

test('a full range of node ports is an internal error', async () => {
  world = createWorld({ range: { first: 30000, last: 30000 } });
  world.tell({ type: 'ADDED', object: service(nodePort(30000)) as unknown as KubeObject });
  await assert.rejects(
    create(service({ type: 'NodePort' }, 'b')),
    /failed to allocate a nodePort: range is full/,
  );
});
