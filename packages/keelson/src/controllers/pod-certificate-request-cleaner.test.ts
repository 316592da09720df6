// Requests of pods for certificates last a quarter of an hour, where they are served.

import assert from 'node:assert/strict';
import { describe, it, test } from 'node:test';
import type { KubeObject } from '@keelson/apimachinery';
import {
  podCertificateRequest,
  podCertificateRequests,
} from '../testing/pod-certificate-request.ts';
import { core, namesIn, simulateCluster } from '../testing/simulated-cluster.ts';

const minute = 60_000;
const gates = { featureGates: { PodCertificateRequest: true } };
const account = 'podcertificaterequestcleaner';

describe('requests that are over are deleted', () => {
  for (const [emulatedVersion, version] of [
    ['1.34', 'v1alpha1'],
    ['1.35', 'v1beta1'],
    ['1.36', 'v1beta1'],
  ] as const)
    it(emulatedVersion, async (t) => {
      const { client, clock, leap, warnings } = await simulateCluster(t, {
        ...gates,
        emulatedVersion,
        runtimeConfig: `certificates.k8s.io/${version}=true`,
      });
      const requests = client
        .resource<KubeObject>(podCertificateRequests(version))
        .namespace('default');
      await requests.create(podCertificateRequest('old'));
      leap(8 * minute);
      await requests.create(podCertificateRequest('young'));
      await clock.advance(5 * minute);
      assert.deepEqual(await namesIn(requests), ['old', 'young']);
      await clock.advance(5 * minute);
      assert.deepEqual(await namesIn(requests), ['young']);
      await clock.advance(10 * minute);
      assert.deepEqual(await namesIn(requests), []);
      assert.deepEqual(warnings, []);
    });
});

test('who deletes them may do nothing else', async (t) => {
  const runtimeConfig = 'certificates.k8s.io/v1beta1=true';
  const { cluster } = await simulateCluster(t, { ...gates, runtimeConfig });
  const own = cluster.client({ name: `system:serviceaccount:kube-system:${account}` });
  const requests = own.resource(podCertificateRequests()).namespace('default');
  assert.deepEqual(await namesIn(requests), []);
  await assert.rejects(requests.create(podCertificateRequest('r')), /cannot create resource/);
  await assert.rejects(own.resource(core('pods')).list(), /cannot list resource "pods"/);
});

test('without the feature there is nobody to run', async (t) => {
  for (const options of [{}, gates]) {
    const { client, warnings } = await simulateCluster(t, options);
    const roles = { group: 'rbac.authorization.k8s.io', version: 'v1', resource: 'clusterroles' };
    const names = await namesIn(client.resource(roles));
    const hasRole = names.includes(`system:controller:${account}`);
    assert.equal(hasRole, 'featureGates' in options);
    assert.deepEqual(warnings, []);
  }
});
