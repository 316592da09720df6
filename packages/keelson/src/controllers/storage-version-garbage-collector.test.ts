// API servers that are gone, and what they said about what they store.

import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { StorageVersion } from '@keelson/apimachinery/types/internal.apiserver.k8s.io.v1alpha1';
import type { ClusterOptions } from '../create-cluster.ts';
import { find, simulateCluster } from '../testing/simulated-cluster.ts';
import {
  addIdentity,
  reportStorageVersions,
  storageVersion,
  storageVersionsResource,
  withStorageVersions,
} from '../testing/storage-versions.ts';

async function setUp(t: TestContext, options: ClusterOptions = {}) {
  const { client, clock, warnings } = await simulateCluster(t, {
    ...withStorageVersions,
    ...options,
  });
  const versions = client.resource<StorageVersion>(storageVersionsResource);
  return {
    client,
    clock,
    warnings,
    /** `a=v1 b=v2: v1`, by server, and what they have in common. */
    async told() {
      const found = await find(versions, storageVersion);
      if (found === undefined) return 'gone';
      const { storageVersions = [], commonEncodingVersion: common } = found.status ?? {};
      const servers = storageVersions.map((one) => `${one.apiServerID}=${one.encodingVersion}`);
      return `${servers.join(' ')}: ${common ?? 'none'}`;
    },
    reason: async () => (await versions.get(storageVersion)).status?.conditions?.[0]?.reason,
  };
}

test('a server whose Lease goes does not keep the others from agreeing', async (t) => {
  const { client, clock, told, reason, warnings } = await setUp(t);
  for (const name of ['a', 'b']) await addIdentity(client, name);
  await reportStorageVersions(client, { a: 'v1', b: 'v2' });
  await clock.advance(5_000);
  assert.equal(await told(), 'a=v1 b=v2: none');
  const leases = { group: 'coordination.k8s.io', version: 'v1', resource: 'leases' };
  await client.resource(leases).namespace('kube-system').delete('a');
  await clock.advance(5_000);
  assert.equal(await told(), 'b=v2: v2');
  assert.equal(await reason(), 'CommonEncodingVersionSet');
  await client.resource(leases).namespace('kube-system').delete('b');
  await clock.advance(5_000);
  assert.equal(await told(), 'gone');
  assert.deepEqual(warnings, []);
});

test('what nobody living reports goes, and a Lease of something else is no server', async (t) => {
  const { client, clock, told } = await setUp(t);
  await addIdentity(client, 'a');
  await addIdentity(client, 'b', 'kube-scheduler');
  await reportStorageVersions(client, { a: 'v1', b: 'v1', c: 'v1' });
  await clock.advance(5_000);
  assert.equal(await told(), 'a=v1: v1');
});

test('a server without identities leaves them alone', async (t) => {
  const featureGates = { StorageVersionAPI: true, APIServerIdentity: false };
  const { client, clock, told } = await setUp(t, { featureGates });
  await reportStorageVersions(client, { a: 'v1' });
  await clock.advance(60_000);
  assert.equal(await told(), 'a=v1: v1');
});
