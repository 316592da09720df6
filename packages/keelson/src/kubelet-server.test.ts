import assert from 'node:assert/strict';
import { request } from 'node:https';
import { test } from 'node:test';
import { systemClock, systemRandom } from '@keelson/apimachinery';
import { openKubeletServer } from '@keelson/node-agent';
import { createPki, frontProxyName, kubeletClientCommonName } from './pki.ts';

const dependencies = { clock: systemClock, random: systemRandom };
const names = { dnsNames: [], ipAddresses: ['127.0.0.1'] };

test('the kubelets answer the API server and nobody else', async (t) => {
  const pki = createPki(dependencies, names);
  const strange = createPki(dependencies, names);
  const errors: unknown[] = [];
  const server = await openKubeletServer({
    nodes: new Map(),
    nodeObject: () => undefined,
    identity: { certificate: pki.serving.certificatePem, key: pki.serving.privateKeyPem },
    kubeletClient: {
      authority: pki.authority.certificatePem,
      commonName: kubeletClientCommonName,
    },
    metricsClient: { authority: pki.frontProxy.authorityPem, commonName: frontProxyName },
    clock: systemClock,
    onError: (error) => errors.push(error),
  });
  t.after(() => server.close());
  const get = (path: string, pair?: { certificatePem: string; privateKeyPem: string }) =>
    new Promise<number>((resolve, reject) => {
      const sent = request({
        host: '127.0.0.1',
        port: server.port,
        path,
        ca: pki.authority.certificatePem,
        agent: false,
        ...(pair && { cert: pair.certificatePem, key: pair.privateKeyPem }),
      });
      sent.on('response', (answer) => {
        answer.resume();
        resolve(answer.statusCode ?? 0);
      });
      sent.on('error', reject);
      sent.end();
    });
  const [kubelet, metrics] = ['/pods', '/apis/metrics.k8s.io/v1beta1'];
  const rows = [
    ['nobody', undefined, [401, 401]],
    ['an administrator', pki.admin, [403, 403]],
    ['the API server of another cluster', strange.kubeletClient, [401, 401]],
    ['the aggregator of another cluster', strange.frontProxy.client, [401, 401]],
    // 404: there is no node here.
    ['the API server', pki.kubeletClient, [404, 403]],
    ['the aggregator', pki.frontProxy.client, [403, 200]],
  ] as const;
  for (const [who, pair, expected] of rows)
    assert.deepEqual([await get(kubelet, pair), await get(metrics, pair)], expected, who);
  assert.deepEqual(errors, []);
});
