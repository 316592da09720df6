// What the API of a simulated kubelet answers to whom, over real TLS.

import assert from 'node:assert/strict';
import { request } from 'node:https';
import { test, type TestContext } from 'node:test';
import { systemClock, systemRandom, type KubeObject } from '@keelson/apimachinery';
import { createFeatures } from '@keelson/apiserver';
import { createPodPorts, openKubeletServer, type SimulatedNode } from '@keelson/node-agent';
import { createCluster, type Cluster } from './create-cluster.ts';
import { createKubeletGate } from './kubelet-gate.ts';
import { createPki, type Pki } from './pki.ts';

const dependencies = { clock: systemClock, random: systemRandom };
const names = { dnsNames: ['n1', 'n2'], ipAddresses: ['127.0.0.1'] };
const rbac = { group: 'rbac.authorization.k8s.io', version: 'v1' };
const accounts = { group: '', version: 'v1', resource: 'serviceaccounts' };
const metrics = '/apis/metrics.k8s.io/v1beta1';
const missing = 'there is no such node here';

interface Credentials {
  readonly certificatePem?: string;
  readonly privateKeyPem?: string;
  readonly token?: string;
}
interface Kubelet {
  readonly cluster: Cluster;
  readonly pki: Pki;
  /** `status text` of a GET; `upgrade`: with the wish for a WebSocket. */
  get(path: string, who?: Credentials, more?: { host?: string; upgrade?: true }): Promise<string>;
}

async function openKubelet(t: TestContext, emulatedVersion = '1.36'): Promise<Kubelet> {
  const cluster = await createCluster({ emulatedVersion, controllers: [] });
  t.after(() => cluster.close());
  const pki = createPki(dependencies, names);
  const node = {
    name: 'n1',
    address: '10.128.0.1',
    pods: { list: () => [], find: () => undefined },
  };
  const errors: unknown[] = [];
  const server = await openKubeletServer({
    nodes: new Map([['n1', node as unknown as SimulatedNode]]),
    nodeObject: () => undefined,
    identity: { certificate: pki.serving.certificatePem, key: pki.serving.privateKeyPem },
    clientAuthorities: [pki.authority.certificatePem, pki.frontProxy.authorityPem],
    refusalOf: createKubeletGate({
      pki,
      client: cluster.client({ name: 'system:node:simulated', groups: ['system:nodes'] }),
      features: createFeatures({ emulatedVersion }),
      clock: systemClock,
    }),
    ports: createPodPorts(),
    clock: systemClock,
    onError: (error) => errors.push(error),
  });
  t.after(() => {
    server.close();
    assert.deepEqual(errors, []);
  });
  return {
    cluster,
    pki,
    get: (path, who = {}, { host = 'n1', upgrade } = {}) =>
      new Promise((resolve, reject) => {
        const upgrading = { connection: 'upgrade', upgrade: 'websocket' };
        const sent = request({
          host: '127.0.0.1',
          port: server.port,
          path,
          ca: pki.authority.certificatePem,
          agent: false,
          headers: {
            host,
            ...(upgrade && upgrading),
            ...(who.token !== undefined && { authorization: `Bearer ${who.token}` }),
          },
          ...(who.certificatePem !== undefined && {
            cert: who.certificatePem,
            key: who.privateKeyPem,
          }),
        });
        sent.on('response', (answer) => {
          let text = '';
          answer.setEncoding('utf8').on('data', (part: string) => (text += part));
          answer.on('end', () => resolve(`${answer.statusCode} ${text.trim()}`));
        });
        sent.on('error', reject);
        sent.end();
      }),
  };
}

/** Lets `user` do `verb` with these subresources of all nodes. */
async function grant(
  cluster: Cluster,
  user: string,
  verb: string,
  subresources: readonly string[],
): Promise<void> {
  const resources = subresources.map((name) => `nodes/${name}`);
  const create = (resource: string, object: object) =>
    cluster
      .client()
      .resource({ ...rbac, resource })
      .create(object as KubeObject);
  const metadata = { name: user.replaceAll(':', '-') };
  await create('clusterroles', {
    metadata,
    rules: [{ apiGroups: [''], resources, verbs: [verb] }],
  });
  await create('clusterrolebindings', {
    metadata,
    roleRef: { apiGroup: rbac.group, kind: 'ClusterRole', name: metadata.name },
    subjects: [{ apiGroup: rbac.group, kind: 'User', name: user }],
  });
}

test('who is known to a kubelet, and to the metrics API', async (t) => {
  const { get, pki } = await openKubelet(t);
  const strange = createPki(dependencies, names);
  const rows: [who: string, credentials: Credentials, kubelet: RegExp, metrics: RegExp][] = [
    ['nobody', {}, /^401 Unauthorized$/, /^401 Unauthorized$/],
    ['an unknown token', { token: 'x' }, /^401 Unauthorized$/, /^401 Unauthorized$/],
    ['an administrator', pki.admin, /^200 /, /^403 Forbidden$/],
    ['the API server', pki.kubeletClient, /^200 /, /^403 Forbidden$/],
    ['an API server elsewhere', strange.kubeletClient, /^401 /, /^401 /],
    ['the aggregator', pki.frontProxy.client, /^401 /, /^200 /],
    ['an aggregator elsewhere', strange.frontProxy.client, /^401 /, /^401 /],
    [
      'somebody with the name of the aggregator',
      pki.authority.issueClient({ name: 'front-proxy-client' }),
      /^403 /,
      /^403 /,
    ],
  ];
  for (const [who, credentials, kubelet, api] of rows) {
    assert.match(await get('/pods', credentials), kubelet, who);
    assert.match(await get(metrics, credentials), api, who);
  }
  assert.equal(await get('/pods', pki.admin, { host: 'n2' }), `404 ${missing}`);
  assert.match(await get('/pods', {}, { host: 'n2' }), /^401 /);
});

test('auth §13 (1), (2), (5), (7): what a caller may ask for', async (t) => {
  const { cluster, get, pki } = await openKubelet(t);
  const certify = (name: string) => pki.authority.issueClient({ name });
  await grant(cluster, 'reader', 'get', ['pods']);
  await grant(cluster, 'proxy', 'get', ['proxy']);
  await grant(cluster, 'runner', 'create', ['proxy']);
  const forbidden = (user: string, asked: string, verb = 'get') =>
    `403 Forbidden (user=${user}, verb=${verb}, resource=nodes, subresource(s)=[${asked}])`;
  const list = /^200 \{"kind":"PodList"/;
  const rows: [user: string, path: string, expected: RegExp | string][] = [
    ['reader', '/pods', list],
    ['reader', '/podsfoo', forbidden('reader', 'proxy')],
    ['reader', '/stats/summary', forbidden('reader', 'stats')],
    ['proxy', '/pods', list],
    ['proxy', '/healthz', '200 ok'],
    ['proxy', '/healthz/syncloop', '200 ok'],
    ['proxy', '/configz', /^200 \{"kubeletconfig":\{.*"kind":"KubeletConfiguration"/],
    ['proxy', '/runningpods/', /^200 \{"kind":"PodList",.*"items":\[\]/],
    ['reader', '/configz', forbidden('reader', 'configz proxy')],
    ['proxy', '/metrics/resource', forbidden('proxy', 'metrics')],
    ['runner', '/pods', forbidden('runner', 'pods proxy')],
  ];
  for (const [user, path, expected] of rows) {
    const answer = await get(path, certify(user));
    if (typeof expected === 'string') assert.equal(answer, expected);
    else assert.match(answer, expected, `${user} ${path}`);
  }
  const exec = '/exec/default/web/c?command=ls';
  const streams: [user: string, expected: RegExp][] = [
    ['reader', /^403 .*verb=create, resource=nodes, subresource\(s\)=\[proxy\]/],
    ['proxy', /^403 .*verb=create/],
    // It came as far as the pod.
    ['runner', /^404 pod "web" does not exist/],
  ];
  for (const path of [exec, exec.replace('exec', 'attach'), '/portForward/default/web?port=80'])
    for (const [user, expected] of streams)
      assert.match(await get(path, certify(user), { upgrade: true }), expected, `${user} ${path}`);
  assert.equal(await get(exec, certify('runner')), '400 Upgrade request required');
});

test('auth §13 (3): before 1.33 the rights of parts are useless', async (t) => {
  const { cluster, get, pki } = await openKubelet(t, '1.31');
  await grant(cluster, 'reader', 'get', ['pods']);
  assert.equal(
    await get('/pods', pki.authority.issueClient({ name: 'reader' })),
    '403 Forbidden (user=reader, verb=get, resource=nodes, subresource=proxy)',
  );
});

test('tokens are good as long as what they stand for, and rights as long as they are given', async (t) => {
  const { cluster, get } = await openKubelet(t);
  const client = cluster.client();
  const own = client.resource(accounts).namespace('default');
  await own.create({ metadata: { name: 'scraper' } });
  const spec = { expirationSeconds: 3600 };
  const { status } = (await own.create({ spec } as unknown as KubeObject, {
    name: 'scraper',
    subresource: 'token',
  })) as unknown as { status: { token: string } };
  const user = 'system:serviceaccount:default:scraper';
  await grant(cluster, user, 'get', ['healthz']);
  assert.equal(await get('/healthz', status), '200 ok');
  assert.match(await get('/pods', status), /^403 Forbidden \(user=system:serviceaccount/);
  const bindings = client.resource({ ...rbac, resource: 'clusterrolebindings' });
  await bindings.delete(user.replaceAll(':', '-'));
  assert.match(await get('/healthz', status), /^403 /);
  await own.delete('scraper');
  assert.equal(await get('/healthz', status), '401 Unauthorized');
});
