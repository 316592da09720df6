// Nodes get addresses for their pods, where the cluster has some for them.

import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { Event, Node } from '@keelson/apimachinery/types/core.v1';
import type { NodeCidrSettings } from '@keelson/controllers';
import { metricValues } from '../testing/metric-values.ts';
import { core, simulateCluster } from '../testing/simulated-cluster.ts';

async function setUp(t: TestContext, nodeCidrs: NodeCidrSettings) {
  const simulated = await simulateCluster(t, { controllerSettings: { nodeCidrs } });
  const { client, clock } = simulated;
  const nodes = client.resource<Node>(core('nodes'));
  return {
    ...simulated,
    nodes,
    add: async (name: string, ...podCIDRs: readonly string[]) => {
      const [podCIDR] = podCIDRs;
      const spec = podCIDR === undefined ? {} : { podCIDR, podCIDRs: [...podCIDRs] };
      await nodes.create({ metadata: { name }, spec });
      await clock.advance(100);
    },
    /** Of each node, its blocks. */
    async given() {
      const { items } = await nodes.list();
      return Object.fromEntries(
        items.map(({ metadata, spec }) => [metadata.name, spec.podCIDRs?.join() ?? 'none']),
      );
    },
    async told() {
      const events = client.resource<Event>(core('events')).namespace('default');
      return (await events.list()).items
        .filter(({ source }) => source?.component === 'cidrAllocator')
        .map(({ type, message, involvedObject: { kind } }) => `${type} ${kind}: ${message}`);
    },
  };
}

test('a block for each node, which is its own until it is gone', async (t) => {
  const { add, clock, given, nodes, warnings } = await setUp(t, { clusterCidr: '10.244.0.0/22' });
  await add('own', '10.244.1.0/24');
  await add('a');
  await add('b');
  const three = { own: '10.244.1.0/24', a: '10.244.0.0/24', b: '10.244.2.0/24' };
  assert.deepEqual(await given(), three);
  assert.equal((await nodes.get('a')).spec.podCIDR, '10.244.0.0/24');
  await nodes.patch('a', 'merge', { metadata: { labels: { rack: 'r1' } } });
  await clock.advance(60_000);
  assert.deepEqual(await given(), three);
  for (const name of ['a', 'own']) await nodes.delete(name);
  for (const name of ['c', 'd', 'e']) await add(name);
  assert.deepEqual(await given(), {
    b: '10.244.2.0/24',
    c: '10.244.3.0/24',
    d: '10.244.0.0/24',
    e: '10.244.1.0/24',
  });
  assert.deepEqual(warnings, []);
});

test('one of each family, and none of those of Services', async (t) => {
  const { add, client, given } = await setUp(t, {
    clusterCidr: '10.96.0.0/15,fd00:10::/60',
    maskSizeIpv4: 20,
    maskSizeIpv6: 62,
  });
  for (const name of ['a', 'b']) await add(name);
  // 10.96.0.0/16 is the range of Services.
  assert.deepEqual(await given(), {
    a: '10.97.0.0/20,fd00:10::/62',
    b: '10.97.16.0/20,fd00:10:0:4::/62',
  });
  const share = 'node_ipam_controller_cidrset_usage_cidrs{clusterCIDR="fd00:10::/60"}';
  assert.equal(await metricValues(client).value(share), 0.5);
});

test('without a block left a node is told so, and gets the next that is free', async (t) => {
  const { add, clock, given, nodes, told } = await setUp(t, {
    clusterCidr: '10.244.0.0/24,fd00:10::/60',
  });
  await add('a');
  await add('b');
  assert.deepEqual(await given(), { a: '10.244.0.0/24,fd00:10::/64', b: 'none' });
  assert.deepEqual(await told(), ['Normal Node: Node b status is now: CIDRNotAvailable']);
  await nodes.delete('a');
  await clock.advance(120_000);
  // The block of the other family, which b could not use alone, was not lost.
  assert.match((await given())['b'] ?? '', /^10\.244\.0\.0\/24,fd00:10:/);
});

test('what a node has from elsewhere is left alone, and takes nothing', async (t) => {
  const { add, given, warnings } = await setUp(t, { clusterCidr: '10.244.0.0/23' });
  await add('stranger', '192.168.0.0/24');
  for (const name of ['a', 'b']) await add(name);
  assert.deepEqual(await given(), {
    stranger: '192.168.0.0/24',
    a: '10.244.0.0/24',
    b: '10.244.1.0/24',
  });
  assert.deepEqual(
    warnings.map((text) => text.replace(/ \{.*/, '')),
    ['addresses of a node are not of the cluster'],
  );
});

test('a block that cannot be written stays the node’s until it can', async (t) => {
  const { add, client, clock, given, told } = await setUp(t, { clusterCidr: '10.244.0.0/22' });
  const admission = (resource: string) =>
    client.resource({ group: 'admissionregistration.k8s.io', version: 'v1', resource });
  const resourceRules = [
    { apiGroups: [''], apiVersions: ['v1'], resources: ['nodes'], operations: ['UPDATE'] },
  ];
  await admission('validatingadmissionpolicies').create({
    metadata: { name: 'no-blocks' },
    spec: {
      matchConstraints: { resourceRules },
      validations: [{ expression: "object.metadata.name != 'a' || !has(object.spec.podCIDR)" }],
    },
  });
  await admission('validatingadmissionpolicybindings').create({
    metadata: { name: 'no-blocks' },
    spec: { policyName: 'no-blocks', validationActions: ['Deny'] },
  });
  await clock.advance(2_000);
  for (const name of ['a', 'b']) await add(name);
  assert.deepEqual(await given(), { a: 'none', b: '10.244.1.0/24' });
  assert.deepEqual(await told(), ['Normal Node: Node a status is now: CIDRAssignmentFailed']);
  await admission('validatingadmissionpolicybindings').delete('no-blocks');
  await clock.advance(120_000);
  assert.deepEqual(await given(), { a: '10.244.0.0/24', b: '10.244.1.0/24' });
});

test('controllers that come later know what is given', async (t) => {
  const { add, cluster, clock, given } = await setUp(t, { clusterCidr: '10.244.0.0/22' });
  for (const name of ['a', 'b']) await add(name);
  const later = await cluster.fork();
  t.after(() => later.close());
  const nodes = later.client().resource<Node>(core('nodes'));
  await clock.advance(1_000);
  await nodes.create({ metadata: { name: 'c' }, spec: {} });
  await clock.advance(1_000);
  assert.deepEqual(await given(), { a: '10.244.0.0/24', b: '10.244.1.0/24' });
  assert.equal((await nodes.get('c')).spec.podCIDR, '10.244.2.0/24');
});

test('without the setting nodes get nothing', async (t) => {
  const { client, clock } = await simulateCluster(t, { nodes: 1 });
  await clock.advance(10_000);
  const node = await client.resource<Node>(core('nodes')).get('node-1');
  assert.equal(node.spec.podCIDRs, undefined);
});
