// Ranges of cluster IPs: protected, ready, and deleted only when no Service needs them.

import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { Service } from '@keelson/apimachinery/types/core.v1';
import type { ServiceCIDR } from '@keelson/apimachinery/types/networking.k8s.io.v1';
import { core, find, simulateCluster } from '../testing/simulated-cluster.ts';

const resource = { group: 'networking.k8s.io', version: 'v1', resource: 'servicecidrs' };
const finalizer = 'networking.k8s.io/service-cidr-finalizer';

async function setUp(t: TestContext) {
  const { client, clock } = await simulateCluster(t);
  const cidrs = client.resource<ServiceCIDR>(resource);
  const services = client.resource<Service>(core('services')).namespace('default');
  return {
    clock,
    cidrs,
    services,
    create: (name: string, ...list: string[]) =>
      cidrs.create({ metadata: { name }, spec: { cidrs: list } }),
    /** A Service with this address. */
    use: (clusterIP: string) =>
      services.create({ metadata: { name: 's' }, spec: { clusterIP, ports: [{ port: 80 }] } }),
    async readiness(name: string) {
      const conditions = (await cidrs.get(name)).status?.conditions ?? [];
      return conditions.map(({ type, status, reason, message }) => ({
        type,
        status,
        reason,
        message,
      }));
    },
  };
}

const blocked = {
  type: 'Ready',
  status: 'False',
  reason: 'Terminating',
  message:
    'There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR',
};

test('a range is protected and ready, and says so once', async (t) => {
  const { clock, cidrs, create, readiness } = await setUp(t);
  await create('extra', '10.200.0.0/24');
  await clock.advance(1_000);
  const { metadata } = await cidrs.get('extra');
  assert.deepEqual(metadata.finalizers, [finalizer]);
  assert.deepEqual(await readiness('extra'), [
    { type: 'Ready', status: 'True', reason: '', message: 'Kubernetes Service CIDR is ready' },
  ]);
  await clock.advance(60_000);
  assert.equal((await cidrs.get('extra')).metadata.resourceVersion, metadata.resourceVersion);
});

test('a range that nobody uses goes after ten seconds', async (t) => {
  const { clock, cidrs, create } = await setUp(t);
  await create('extra', '10.200.0.0/24');
  await clock.advance(1_000);
  await cidrs.delete('extra');
  await clock.advance(8_000);
  assert.ok(await find(cidrs, 'extra'));
  await clock.advance(3_000);
  assert.equal(await find(cidrs, 'extra'), undefined);
});

test('a range in use stays until the Service is gone', async (t) => {
  const { clock, cidrs, services, create, use, readiness } = await setUp(t);
  await create('extra', '10.200.0.0/24');
  await clock.advance(1_000);
  await use('10.200.0.7');
  await cidrs.delete('extra');
  await clock.advance(60_000);
  assert.deepEqual(await readiness('extra'), [blocked]);
  await services.delete('s');
  await clock.advance(1_000);
  assert.equal(await find(cidrs, 'extra'), undefined);
});

test('a range in use goes as soon as another one holds its addresses', async (t) => {
  const { clock, cidrs, create, use, readiness } = await setUp(t);
  await create('extra', '10.200.0.0/24');
  await clock.advance(1_000);
  await use('10.200.0.7');
  await cidrs.delete('extra');
  await clock.advance(20_000);
  assert.deepEqual(await readiness('extra'), [blocked]);
  await create('wider', '10.200.0.0/16');
  await clock.advance(1_000);
  assert.equal(await find(cidrs, 'extra'), undefined);
});
