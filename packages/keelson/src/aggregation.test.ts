// What the whole control plane does for extension API servers: the front proxy's identity is
// believed and nobody else's word, its authority is published, and APIServices follow what is served.

import assert from 'node:assert/strict';
import { request as httpsRequest } from 'node:https';
import { test, type TestContext } from 'node:test';
import { systemClock, systemRandom, type KubeObject } from '@keelson/apimachinery';
import {
  callInProcess,
  createFeatures,
  createMemoryStorage,
  defaultLimits,
  openListener,
  type MemoryStorage,
} from '@keelson/apiserver';
import { startControlPlane, type ControlPlane } from './control-plane.ts';
import { createPki } from './pki.ts';

const dependencies = { clock: systemClock, random: systemRandom };
const pki = createPki(dependencies, { dnsNames: ['localhost'], ipAddresses: ['127.0.0.1'] });
const admin = { name: 'root', uid: '', groups: ['system:masters'], extra: {} };

async function start(t: TestContext, storage: MemoryStorage = createMemoryStorage(dependencies)) {
  const plane = await startControlPlane({
    storage,
    features: createFeatures({}),
    pki,
    serverAddress: () => '127.0.0.1:6443',
  });
  t.after(() => plane.close());
  return plane;
}

async function call(plane: ControlPlane, method: string, url: string) {
  const answer = await callInProcess(plane.server.serve, { method, url, user: admin });
  const text = Buffer.from(await answer.bytes()).toString();
  return { status: answer.status, text };
}
async function get<T>(plane: ControlPlane, url: string): Promise<T> {
  return JSON.parse((await call(plane, 'GET', url)).text) as T;
}

test('only the front proxy speaks for others', async (t) => {
  const plane = await start(t);
  const listener = await openListener(plane.server.serve, {
    address: '127.0.0.1',
    port: 0,
    certificate: pki.serving.certificatePem,
    key: pki.serving.privateKeyPem,
    http2: true,
    limits: defaultLimits,
  });
  t.after(() => listener.close(0));
  const whoIs = (pair: { certificatePem: string; privateKeyPem: string } | undefined) =>
    whoAmI(listener.port, pair);
  assert.deepEqual(await whoIs(pki.frontProxy.client), ['eve', ['guests', 'system:authenticated']]);
  // A certificate of the cluster's authority, with the same name, proves something else.
  const impostor = pki.authority.issueClient({ name: 'front-proxy-client' });
  assert.equal((await whoIs(impostor))[0], 'front-proxy-client');
  assert.equal((await whoIs(pki.admin))[0], 'kubernetes-admin');
  assert.equal((await whoIs(undefined))[0], 'system:anonymous');
});

function whoAmI(
  port: number,
  pair: { certificatePem: string; privateKeyPem: string } | undefined,
): Promise<readonly [string, unknown]> {
  const body = JSON.stringify({
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'SelfSubjectReview',
  });
  return new Promise((resolve, reject) => {
    const outgoing = httpsRequest({
      host: '127.0.0.1',
      port,
      method: 'POST',
      path: '/apis/authentication.k8s.io/v1/selfsubjectreviews',
      headers: {
        'content-type': 'application/json',
        'x-remote-user': 'eve',
        'x-remote-group': 'guests',
      },
      ca: pki.authority.certificatePem,
      servername: 'localhost',
      agent: false,
      ...(pair === undefined ? {} : { cert: pair.certificatePem, key: pair.privateKeyPem }),
    });
    outgoing.on('error', reject);
    outgoing.on('response', (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      answer.on('end', () => {
        const { status, message = '' } = JSON.parse(text) as {
          status: { userInfo?: { username: string; groups: string[] } };
          message?: string;
        };
        const refused = /User "([^"]*)"/.exec(message)?.[1] ?? '';
        resolve([status.userInfo?.username ?? refused, status.userInfo?.groups]);
      });
    });
    outgoing.end(body);
  });
}

test('extension servers can read whom to believe', async (t) => {
  const plane = await start(t);
  const path = '/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication';
  const { data } = await get<{ data: Record<string, string> }>(plane, path);
  assert.deepEqual(data, {
    'client-ca-file': pki.authority.certificatePem,
    'requestheader-client-ca-file': pki.frontProxy.authorityPem,
    'requestheader-allowed-names': '["front-proxy-client"]',
    'requestheader-username-headers': '["X-Remote-User"]',
    'requestheader-uid-headers': '["X-Remote-Uid"]',
    'requestheader-group-headers': '["X-Remote-Group"]',
    'requestheader-extra-headers-prefix': '["X-Remote-Extra-"]',
  });
  const role =
    '/apis/rbac.authorization.k8s.io/v1/namespaces/kube-system/roles/extension-apiserver-authentication-reader';
  const { rules } = await get<{ rules: object[] }>(plane, role);
  assert.deepEqual(rules, [
    {
      verbs: ['get', 'list', 'watch'],
      apiGroups: [''],
      resources: ['configmaps'],
      resourceNames: ['extension-apiserver-authentication'],
    },
  ]);
});

test('APIServices of what is served come and go with the start of the server', async (t) => {
  const storage = createMemoryStorage(dependencies);
  const first = await start(t, storage);
  const services = '/apis/apiregistration.k8s.io/v1/apiservices';
  const names = async (plane: ControlPlane) =>
    (await get<{ items: KubeObject[] }>(plane, services)).items.map((o) => o.metadata.name);
  assert.ok((await names(first)).includes('v1.apps'));
  assert.equal((await call(first, 'DELETE', `${services}/v1.apps`)).status, 200);
  const groups = (await get<{ groups: { name: string }[] }>(first, '/apis')).groups;
  assert.equal(
    groups.some((g) => g.name === 'apps'),
    false,
  );
  assert.equal((await call(first, 'GET', '/apis/apps/v1/deployments')).status, 200);
  await storage.guaranteedUpdate('/registry/apiregistration.k8s.io/apiservices/v1.gone', () => ({
    kind: 'APIService',
    apiVersion: 'apiregistration.k8s.io/v1',
    metadata: {
      name: 'v1.gone',
      labels: { 'kube-aggregator.kubernetes.io/automanaged': 'onstart' },
    },
    spec: { group: 'gone', version: 'v1', groupPriorityMinimum: 1, versionPriority: 1 },
  }));
  const second = await start(t, storage.fork());
  assert.ok((await names(second)).includes('v1.apps'));
  assert.equal((await names(second)).includes('v1.gone'), false);
});
