import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { isStatusError, type KubeObject } from '@keelson/apimachinery';
import type { ConfigMap } from '@keelson/apimachinery/types/core.v1';
import { core, find, namesIn, simulateCluster } from '../testing/simulated-cluster.ts';

const publisher = 'kube-apiserver-serving-clustertrustbundle-publisher-controller';
const controllers = [publisher, 'root-ca-certificate-publisher-controller'];
const signerName = 'kubernetes.io/kube-apiserver-serving';
const bundles = {
  group: 'certificates.k8s.io',
  version: 'v1beta1',
  resource: 'clustertrustbundles',
} as const;

test('where the resource is not served nothing happens', async (t) => {
  const gates: Record<string, boolean>[] = [{}, { ClusterTrustBundle: true }];
  for (const featureGates of gates) {
    const { clock, warnings } = await simulateCluster(t, { controllers, featureGates });
    await clock.advance(60_000);
    assert.deepEqual(warnings, []);
  }
});

test('where it is served, it has the authority of the server', async (t) => {
  const simulated = await simulateCluster(t, {
    controllers,
    featureGates: { ClusterTrustBundle: true },
    runtimeConfig: 'certificates.k8s.io/v1beta1=true',
  }).catch(() => undefined);
  const resource = simulated?.client.resource<KubeObject & { spec?: object }>(bundles);
  try {
    await resource?.list();
  } catch (error) {
    if (!isStatusError(error, 'NotFound')) throw error;
    return t.skip('clustertrustbundles are not served');
  }
  if (simulated === undefined || resource === undefined)
    return t.skip('clustertrustbundles are not served');
  const { client, clock, warnings } = simulated;
  const root = await client
    .resource<ConfigMap>(core('configmaps'))
    .namespace('default')
    .get('kube-root-ca.crt');
  const trustBundle = root.data?.['ca.crt'] ?? '';
  const digest = createHash('sha256').update(trustBundle).digest('hex').slice(0, 24);
  const name = `kubernetes.io:kube-apiserver-serving:${digest}`;
  assert.deepEqual((await resource.get(name)).spec, { signerName, trustBundle });

  const stale = 'kubernetes.io:kube-apiserver-serving:0';
  await resource.create({ metadata: { name: stale }, spec: { signerName, trustBundle } });
  await resource.create({ metadata: { name: 'mine' }, spec: { trustBundle } });
  await resource.delete(name);
  await clock.advance(1_000);
  assert.deepEqual(await namesIn(resource), [name, 'mine']);
  assert.equal(await find(resource, stale), undefined);
  assert.deepEqual(warnings, []);
});
