// A scheduler with extenders that are real servers: what reaches them, and what cannot.

import assert from 'node:assert/strict';
import { createServer as createPlainServer, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import { systemClock, systemRandom } from '@keelson/apimachinery';
import type { Node, Pod } from '@keelson/apimachinery/types/core.v1';
import { createCertificateAuthority } from '@keelson/apiserver';
import type { Client } from '@keelson/client';
import { parseSchedulerConfiguration } from '@keelson/controllers';
import { createCluster } from '../create-cluster.ts';
import { core } from '../testing/simulated-cluster.ts';

const authority = createCertificateAuthority(
  { clock: systemClock, random: systemRandom },
  { commonName: 'extender-ca' },
);
const serving = authority.issueServing({
  commonName: 'extender',
  dnsNames: ['localhost'],
  ipAddresses: ['127.0.0.1'],
});
const base64 = (pem: string) => Buffer.from(pem).toString('base64');

interface Question {
  readonly Node?: string;
  readonly PodName?: string;
  readonly PodUID?: string;
  readonly Nodes?: { readonly items: readonly { readonly metadata: { name: string } }[] } | null;
}
type Answer = (verb: string, question: Question, response: ServerResponse) => object | undefined;

interface Server {
  readonly url: string;
  /** `POST /path content-type` */
  readonly asked: readonly string[];
}

/** On a free port of this machine, until the test ends. */
async function openExtender(t: TestContext, answer: Answer, isTls = false): Promise<Server> {
  const asked: string[] = [];
  const listener: Parameters<typeof createPlainServer>[1] = (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      asked.push(`${method} ${url} ${headers['content-type']}`);
      const question = JSON.parse(Buffer.concat(chunks).toString()) as Question;
      const answered = answer(url.slice(url.lastIndexOf('/') + 1), question, response);
      if (answered !== undefined) response.end(JSON.stringify(answered));
    });
  };
  const server = isTls
    ? createTlsServer({ cert: serving.certificatePem, key: serving.privateKeyPem }, listener)
    : createPlainServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `${isTls ? 'https' : 'http'}://127.0.0.1:${port}/scheduler`, asked };
}

/** Nodes a, b and c, and a scheduler with these extenders. */
async function setUp(t: TestContext, extenders: readonly object[]) {
  const configuration = {
    apiVersion: 'kubescheduler.config.k8s.io/v1',
    kind: 'KubeSchedulerConfiguration',
    extenders,
  };
  const scheduler = parseSchedulerConfiguration(JSON.stringify(configuration), () => true);
  const cluster = await createCluster({
    disableAdmissionPlugins: ['ServiceAccount'],
    controllers: ['kube-scheduler'],
    controllerSettings: { scheduler },
  });
  t.after(() => cluster.close());
  const client = cluster.client();
  const nodes = client.resource<Node>(core('nodes'));
  const allocatable = { cpu: '4', memory: '8Gi', pods: '110' };
  for (const name of ['a', 'b', 'c']) {
    await nodes.create({ metadata: { name }, spec: {}, status: { allocatable } });
    await nodes.patch(name, 'merge', { spec: { taints: null } });
  }
  const pods = client.resource<Pod>(core('pods')).namespace('default');
  const addPod = () =>
    pods.create({
      metadata: { name: 'p' },
      spec: { containers: [{ name: 'c', image: 'app' }], automountServiceAccountToken: false },
    });
  const nodeOf = async () => (await pods.get('p')).spec.nodeName;
  const placedOn = (node: string) =>
    cluster.eventually(async () => assert.equal(await nodeOf(), node));
  const failedWith = (reason: string, message: RegExp) =>
    cluster.eventually(async () => {
      const { status } = await pods.get('p');
      const condition = status?.conditions?.find(({ type }) => type === 'PodScheduled');
      assert.equal(condition?.reason, reason);
      assert.match(condition?.message ?? '', message);
    });
  return { client, pods, addPod, nodeOf, placedOn, failedWith };
}

/** As an extender that binds does it. */
async function bind(client: Client, { PodName = '', PodUID = '', Node: name = '' }: Question) {
  await client
    .resource(core('pods'))
    .namespace('default')
    .create(
      {
        apiVersion: 'v1',
        kind: 'Binding',
        metadata: { name: PodName, uid: PodUID },
        target: { kind: 'Node', name },
      } as never,
      { name: PodName, subresource: 'binding' },
    );
}

const all = { filterVerb: 'filter', prioritizeVerb: 'prioritize', weight: 5, bindVerb: 'bind' };

test('an extender takes nodes out, scores the others and binds the pod', async (t) => {
  const bindings: Question[] = [];
  const later: { client?: Client } = {};
  const { url, asked } = await openExtender(t, (verb, question, response) => {
    const names = (question.Nodes?.items ?? []).map(({ metadata }) => metadata.name);
    if (verb === 'filter')
      return {
        Nodes: {
          items: names.filter((name) => name !== 'a').map((name) => ({ metadata: { name } })),
        },
        FailedNodes: { a: 'no license' },
      };
    if (verb === 'prioritize') return names.map((Host) => ({ Host, Score: Host === 'c' ? 10 : 0 }));
    bindings.push(question);
    if (later.client !== undefined)
      void bind(later.client, question).then(() => response.end('{}'));
    return undefined;
  });
  const { client, pods, addPod, placedOn } = await setUp(t, [{ urlPrefix: url, ...all }]);
  later.client = client;
  await addPod();
  await placedOn('c');
  const { uid } = (await pods.get('p')).metadata;
  assert.deepEqual(bindings, [{ PodName: 'p', PodNamespace: 'default', PodUID: uid, Node: 'c' }]);
  assert.deepEqual(
    asked,
    ['filter', 'prioritize', 'bind'].map((verb) => `POST /scheduler/${verb} application/json`),
  );
});

test('an extender that refuses all nodes keeps the pod waiting, and it is asked again', async (t) => {
  const state = { kept: [] as string[] };
  const { url } = await openExtender(t, () => ({
    NodeNames: state.kept,
    FailedNodes: Object.fromEntries(['a', 'b', 'c'].map((name) => [name, 'no license'])),
  }));
  const urlPrefix = url;
  const extender = { urlPrefix, filterVerb: 'filter', nodeCacheCapable: true };
  const { client, addPod, placedOn, failedWith } = await setUp(t, [extender]);
  await addPod();
  await failedWith('Unschedulable', /^0\/3 nodes are available: 3 no license\. /);
  state.kept = ['b'];
  // Nobody knows what helps a pod that an extender refused, so anything may.
  await client
    .resource(core('nodes'))
    .patch('c', 'merge', { metadata: { labels: { new: 'yes' } } });
  await placedOn('b');
});

test('an extender of https is who its authority says', async (t) => {
  const { url } = await openExtender(t, () => ({ NodeNames: ['b'] }), true);
  const extender = {
    urlPrefix: url,
    filterVerb: 'filter',
    nodeCacheCapable: true,
    enableHTTPS: true,
  };
  const trusting = { ...extender, tlsConfig: { caData: base64(authority.certificatePem) } };
  const { addPod, placedOn } = await setUp(t, [trusting]);
  await addPod();
  await placedOn('b');
});

interface Failure {
  readonly what: string;
  readonly answer?: Answer;
  readonly isTls?: boolean;
  readonly more?: object;
  readonly message: RegExp;
}

const failures: readonly Failure[] = [
  {
    what: 'is at an address where credentials are kept',
    more: { urlPrefix: 'http://169.254.169.254' },
    message: /^Post "http:\/\/169\.254\.169\.254\/filter": address not allowed$/,
  },
  {
    what: 'sends elsewhere',
    answer(_verb, _question, response) {
      response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end();
      return undefined;
    },
    message: /^failed filter with extender at URL http:\S+\/filter, code 302$/,
  },
  {
    what: 'does not answer',
    answer: () => undefined,
    more: { httpTimeout: '50ms' },
    message: /^Post "http:\S+\/filter": context deadline exceeded$/,
  },
  {
    what: 'answers without end',
    answer(_verb, _question, response) {
      const rest = Buffer.alloc(1 << 20, 'x');
      const more = () => {
        while (!response.destroyed && response.write(rest));
        if (!response.destroyed) response.once('drain', more);
      };
      more();
      return undefined;
    },
    message: /^Post "http:\S+\/filter": the answer is larger than 33554432 bytes$/,
  },
  {
    what: 'has a certificate of nobody, although it need not be known',
    isTls: true,
    more: { enableHTTPS: true },
    message: /^Post "https:\S+\/filter": tls: failed to verify certificate: /,
  },
];

for (const { what, answer = () => ({ NodeNames: ['b'] }), isTls, more, message } of failures) {
  test(`an extender that ${what} fails the attempt`, async (t) => {
    const { url } = await openExtender(t, answer, isTls);
    const extender = { urlPrefix: url, filterVerb: 'filter', nodeCacheCapable: true, ...more };
    const { addPod, failedWith, nodeOf } = await setUp(t, [extender]);
    await addPod();
    await failedWith('SchedulerError', message);
    assert.equal(await nodeOf(), undefined);
  });
}
