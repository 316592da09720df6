// What is missed without the controllers of certificates, tokens and what is published of them.

import { generateKeyPairSync } from 'node:crypto';
import type { KubeObject } from '@keelson/apimachinery';
import type { CertificateSigningRequest } from '@keelson/apimachinery/types/certificates.k8s.io.v1';
import type { ConfigMap, Secret } from '@keelson/apimachinery/types/core.v1';
import { createCertificateRequest } from '@keelson/apiserver';
import { podCertificateRequest, podCertificateRequests } from '../pod-certificate-request.ts';
import { core, namesIn } from '../simulated-cluster.ts';
import { stateOf, type Scene, type Symptom } from './symptom.ts';

const hour = 3_600_000;
const day = 24 * hour;
const certificates = (resource: string, version = 'v1') => ({
  group: 'certificates.k8s.io',
  version,
  resource,
});
const requests = certificates('certificatesigningrequests');
const invalidSince = 'kubernetes.io/legacy-token-invalid-since';
const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });

async function requestCertificate(scene: Scene, commonName: string, group: string) {
  const pem = createCertificateRequest({ commonName, organizations: [group] }, privateKey, {});
  const kubelet = group === 'system:nodes' ? '-kubelet' : '';
  await scene.client.resource(requests).create({
    metadata: { name: 'r' },
    spec: {
      request: Buffer.from(pem).toString('base64'),
      signerName: `kubernetes.io/kube-apiserver-client${kubelet}`,
      usages: ['digital signature', 'client auth'],
    },
  });
}

function requestOf(scene: Scene): Promise<CertificateSigningRequest> {
  return scene.client.resource<CertificateSigningRequest>(requests).get('r');
}

function published(name: string): Symptom {
  return {
    act: (scene) =>
      scene.client.resource(core('namespaces')).create({ metadata: { name: 'shop' } }),
    see: (scene) => stateOf(scene.in(core('configmaps'), 'shop'), name),
    with: 'there',
    without: 'gone',
  };
}

async function createTokenSecret(scene: Scene, name: string): Promise<void> {
  const annotations = { 'kubernetes.io/service-account.name': 'default' };
  await scene
    .in<Secret>(core('secrets'))
    .create({ metadata: { name, annotations }, type: 'kubernetes.io/service-account-token' });
}

/** A token with which a machine may join, for as long as is said. */
async function createBootstrapToken(scene: Scene, lastsMs: number): Promise<void> {
  const expiration = new Date(scene.clock.now() + lastsMs).toISOString();
  const secret: Secret = {
    metadata: { name: 'bootstrap-token-abcdef' },
    type: 'bootstrap.kubernetes.io/token',
    stringData: {
      'token-id': 'abcdef',
      'token-secret': '0123456789abcdef',
      'usage-bootstrap-signing': 'true',
      expiration,
    },
  };
  await scene.in<Secret>(core('secrets'), 'kube-system').create(secret);
}

export const credentialSymptoms = {
  'serviceaccount-token-controller': {
    act: (scene) => createTokenSecret(scene, 't'),
    async see(scene) {
      const { data = {} } = await scene.in<Secret>(core('secrets')).get('t');
      return data['token'] === undefined ? 'empty' : 'a token';
    },
    with: 'a token',
    without: 'empty',
  },
  'legacy-serviceaccount-token-cleaner-controller': {
    options: {
      controllerSettings: { legacyTokenCleanUpPeriodMs: day, legacyTokenSyncIntervalMs: 1_000 },
    },
    async act(scene) {
      await createTokenSecret(scene, 't');
      const secrets = [{ name: 't' }];
      await scene.in(core('serviceaccounts')).patch('default', 'merge', { secrets });
      await scene.pass(1_000);
      for (let days = 0; days < 3; days++) {
        scene.leap(day);
        await scene.pass(1_000);
      }
    },
    async see(scene) {
      const { metadata } = await scene.in(core('secrets')).get('t');
      return metadata.labels?.[invalidSince] === undefined ? 'as it was' : 'marked as unused';
    },
    with: 'marked as unused',
    without: 'as it was',
  },
  'service-ca-certificate-publisher-controller': published('openshift-service-ca.crt'),
  'root-ca-certificate-publisher-controller': published('kube-root-ca.crt'),
  'certificatesigningrequest-approving-controller': {
    act: (scene) => requestCertificate(scene, 'system:node:n1', 'system:nodes'),
    see: async (scene) => (await requestOf(scene)).status?.conditions?.[0]?.reason ?? 'undecided',
    with: 'AutoApproved',
    without: 'undecided',
  },
  'certificatesigningrequest-signing-controller': {
    async act(scene) {
      await requestCertificate(scene, 'ann', 'devs');
      const conditions = [{ type: 'Approved', status: 'True', reason: 'ByHand' }];
      const options = { subresource: 'approval' } as const;
      await scene.client
        .resource(requests)
        .patch('r', 'merge', { status: { conditions } }, options);
    },
    see: async (scene) =>
      (await requestOf(scene)).status?.certificate === undefined ? 'none' : 'a certificate',
    with: 'a certificate',
    without: 'none',
  },
  'certificatesigningrequest-cleaner-controller': {
    async act(scene) {
      await requestCertificate(scene, 'ann', 'devs');
      scene.leap(day);
      await scene.pass(2 * hour);
    },
    see: (scene) => stateOf(scene.client.resource(requests), 'r'),
    with: 'gone',
    without: 'there',
  },
  'podcertificaterequest-cleaner-controller': {
    options: {
      featureGates: { PodCertificateRequest: true },
      runtimeConfig: 'certificates.k8s.io/v1beta1=true',
    },
    async act(scene) {
      await scene.in(podCertificateRequests()).create(podCertificateRequest('r'));
      scene.leap(hour);
      await scene.pass(hour / 6);
    },
    see: (scene) => stateOf(scene.in(podCertificateRequests()), 'r'),
    with: 'gone',
    without: 'there',
  },
  'kube-apiserver-serving-clustertrustbundle-publisher-controller': {
    options: {
      featureGates: { ClusterTrustBundle: true },
      runtimeConfig: 'certificates.k8s.io/v1beta1=true',
    },
    act: async () => {},
    async see(scene) {
      const bundles = scene.client.resource<KubeObject>(
        certificates('clustertrustbundles', 'v1beta1'),
      );
      return `${(await namesIn(bundles)).length} bundles`;
    },
    with: '1 bundles',
    without: '0 bundles',
  },
  'bootstrap-signer-controller': {
    async act(scene) {
      await createBootstrapToken(scene, hour);
      const data = { kubeconfig: 'apiVersion: v1\nkind: Config\n' };
      const maps = scene.in<ConfigMap>(core('configmaps'), 'kube-public');
      await maps.create({ metadata: { name: 'cluster-info' }, data });
    },
    async see(scene) {
      const maps = scene.in<ConfigMap>(core('configmaps'), 'kube-public');
      return Object.keys((await maps.get('cluster-info')).data ?? {}).join();
    },
    with: 'jws-kubeconfig-abcdef,kubeconfig',
    without: 'kubeconfig',
  },
  'token-cleaner-controller': {
    act: (scene) => createBootstrapToken(scene, 1_000),
    see: (scene) => stateOf(scene.in(core('secrets'), 'kube-system'), 'bootstrap-token-abcdef'),
    with: 'gone',
    without: 'there',
  },
} as const satisfies Readonly<Record<string, Symptom>>;
