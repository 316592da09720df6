// Nothing of a cloud is in here; a cloud-controller-manager finds all that it needs: nodes that
// wait for it, and Services that it may hold.

import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { Event, Node, Pod, Service } from '@keelson/apimachinery/types/core.v1';
import { NodeDescriptionError } from '@keelson/node-agent';
import {
  balancerFinalizer,
  createCloudControllers,
  uninitialized,
} from './testing/cloud-controllers.ts';
import { core, find, simulateCluster } from './testing/simulated-cluster.ts';

const second = 1_000;
const containers = [{ name: 'c', image: 'app' }];
const withBalancer = { type: 'LoadBalancer', selector: { app: 'web' }, ports: [{ port: 80 }] };

async function setUp(t: TestContext, nodes: readonly string[]) {
  const simulated = await simulateCluster(t, { nodes });
  const { client, cluster, clock } = simulated;
  const services = client.resource<Service>(core('services')).namespace('default');
  return {
    ...simulated,
    cloud: await createCloudControllers(cluster),
    nodes: client.resource<Node>(core('nodes')),
    pods: client.resource<Pod>(core('pods')).namespace('default'),
    services,
    wait: (ms = second) => clock.advance(ms),
    /** As `kubectl get services` shows them: name and EXTERNAL-IP. */
    async shown() {
      const bytes = await client.send({
        method: 'GET',
        path: '/api/v1/namespaces/default/services',
        headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' },
      });
      const { columnDefinitions, rows } = JSON.parse(Buffer.from(bytes).toString()) as {
        readonly columnDefinitions: readonly { readonly name: string }[];
        readonly rows: readonly { readonly cells: readonly unknown[] }[];
      };
      const at = columnDefinitions.findIndex(({ name }) => name === 'External-IP');
      return Object.fromEntries(rows.map(({ cells }) => [cells[0], cells[at]]));
    },
  };
}

test('a node waits for its cloud, and pods for the node', async (t) => {
  const { client, cloud, nodes, pods, wait, warnings } = await setUp(t, [
    'edge,label:rack=r1,taint:soft:PreferNoSchedule,cloud-provider=external',
  ]);
  const tolerations = [{ key: uninitialized, operator: 'Exists' }];
  await pods.create({ metadata: { name: 'web' }, spec: { containers } });
  await pods.create({ metadata: { name: 'manager' }, spec: { containers, tolerations } });
  await wait();
  const before = await nodes.get('edge');
  const own = before.status?.addresses ?? [];
  assert.deepEqual(before.spec.taints, [
    { key: 'soft', effect: 'PreferNoSchedule' },
    { key: uninitialized, value: 'true', effect: 'NoSchedule' },
  ]);
  assert.equal(before.spec.providerID, undefined);
  assert.deepEqual(
    own.map(({ type }) => type),
    ['InternalIP', 'Hostname'],
  );
  const provided = before.metadata.annotations?.['alpha.kubernetes.io/provided-node-ip'];
  assert.equal(provided, own[0]?.address);

  const phases = async () =>
    Object.fromEntries(
      (await pods.list()).items.map(({ metadata, status }) => [metadata.name, status?.phase]),
    );
  assert.deepEqual(await phases(), { web: 'Pending', manager: 'Running' });
  const events = (await client.resource<Event>(core('events')).namespace('default').list()).items;
  const why = events.find(({ reason }) => reason === 'FailedScheduling')?.message;
  assert.match(why ?? '', /1 node\(s\) had untolerated taint/);

  await cloud.initializeNodes();
  await wait(10 * second);
  assert.deepEqual(await phases(), { web: 'Running', manager: 'Running' });
  assert.equal((await pods.get('web')).status?.hostIP, provided);
  const completed = async () => {
    const { metadata, spec, status } = await nodes.get('edge');
    const { rack, 'topology.kubernetes.io/zone': zone } = metadata.labels ?? {};
    const addresses = status?.addresses?.map(({ type, address }) => `${type} ${address}`);
    return { rack, zone, providerID: spec.providerID, taints: spec.taints?.length, addresses };
  };
  const expected = {
    rack: 'r1',
    zone: 'zone-a',
    providerID: 'example://region-1/edge',
    taints: 1,
    addresses: [`InternalIP ${provided}`, 'ExternalIP 198.51.100.7', 'Hostname edge'],
  };
  assert.deepEqual(await completed(), expected);
  // Longer than a kubelet takes to write its status again.
  await wait(600 * second);
  assert.deepEqual(await completed(), expected);
  await assert.rejects(
    nodes.patch('edge', 'merge', { spec: { providerID: 'example://other' } }),
    /may not change providerID except from "" to valid/,
  );
  assert.deepEqual(warnings, []);
});

test('other nodes wait for nobody', async (t) => {
  const { nodes } = await setUp(t, ['plain']);
  const { metadata, spec } = await nodes.get('plain');
  assert.deepEqual(spec.taints ?? [], []);
  assert.equal(metadata.annotations?.['alpha.kubernetes.io/provided-node-ip'], undefined);
});

test('a load balancer is pending until its cloud has it, and goes first', async (t) => {
  const { cloud, services, shown, wait } = await setUp(t, []);
  await services.create({ metadata: { name: 'web' }, spec: withBalancer });
  const own = { ...withBalancer, loadBalancerClass: 'example.com/own' };
  await services.create({ metadata: { name: 'own' }, spec: own });
  await services.create({ metadata: { name: 'plain' }, spec: { ports: [{ port: 80 }] } });
  await wait();
  const external = async () => {
    const { web, own, plain } = await shown();
    return { web, own, plain };
  };
  assert.deepEqual(await external(), { web: '<pending>', own: '<pending>', plain: '<none>' });
  assert.ok((await services.get('web')).spec.ports?.[0]?.nodePort);
  await cloud.balanceServices();
  assert.deepEqual(await external(), { web: '203.0.113.10', own: '<pending>', plain: '<none>' });
  assert.equal((await services.get('web')).status?.loadBalancer?.ingress?.[0]?.ipMode, 'VIP');
  await assert.rejects(
    services.patch('own', 'merge', { spec: { loadBalancerClass: 'example.com/other' } }),
    /may not change once set/,
  );

  await services.delete('own');
  assert.equal(await find(services, 'own'), undefined);
  await services.delete('web');
  await wait(60 * second);
  const { metadata } = await services.get('web');
  assert.ok(metadata.deletionTimestamp);
  assert.deepEqual(metadata.finalizers, [balancerFinalizer]);
  await cloud.balanceServices();
  assert.equal(await find(services, 'web'), undefined);
});

test('a Service that needs no balancer any more loses it, and stays', async (t) => {
  const { cloud, services, shown } = await setUp(t, []);
  await services.create({ metadata: { name: 'web' }, spec: withBalancer });
  await cloud.balanceServices();
  await services.patch('web', 'merge', { spec: { type: 'ClusterIP' } });
  await cloud.balanceServices();
  assert.deepEqual((await services.get('web')).metadata.finalizers ?? [], []);
  assert.equal((await shown())['web'], '<none>');
});

test('nodes that cannot be described start no cluster', (t) =>
  assert.rejects(setUp(t, ['edge,cloud-provider=aws']), NodeDescriptionError));
