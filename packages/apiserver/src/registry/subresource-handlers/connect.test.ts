// The connect subresources end to end: option checks and their texts, who may, and what reaches the
// kubelet, the pod or the pods behind a service. Their addresses lead to servers of this test.

import assert from 'node:assert/strict';
import { createServer as createHttpServer, type IncomingMessage, type Server } from 'node:http';
import { createServer as createHttpsServer, request as httpsRequest } from 'node:https';
import type { AddressInfo } from 'node:net';
import { after, before, beforeEach, describe, it } from 'node:test';
import { systemClock, systemRandom } from '@keelson/apimachinery';
import { WebSocket } from 'ws';
import { openTestListener } from '../../aggregation/testing/aggregated-server.ts';
import { createCertificateAuthority } from '../../authentication/certificates/certificate-authority.ts';
import { createTestServer, type TestServer } from '../../testing.ts';
import type { Listener } from '../../transport/listener.ts';

const authority = createCertificateAuthority(
  { clock: systemClock, random: systemRandom },
  { commonName: 'test' },
);
const serving = authority.issueServing({ commonName: 'x', dnsNames: ['x'], ipAddresses: [] });

interface Received {
  readonly by: string;
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
}
const received: Received[] = [];
type Answer = (req: IncomingMessage) => {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  readonly body?: string;
};
let answer: Answer = () => ({});

function serveAs(by: string, server: Server): Promise<Server> {
  const record = (req: IncomingMessage) =>
    received.push({ by, method: req.method ?? '', url: req.url ?? '', headers: req.headers });
  server.on('request', (req, res) => {
    record(req);
    const { status = 200, headers = {}, body = `${by} ${req.url}` } = answer(req);
    res.writeHead(status, headers);
    res.end(body);
  });
  server.on('upgrade', (req, socket) => {
    record(req);
    socket.on('error', () => {});
    socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n');
    socket.pipe(socket);
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}
const portOf = (server: Server) => (server.address() as AddressInfo).port;

describe('connect subresources', () => {
  let test: TestServer;
  let listener: Listener;
  let kubelet: Server;
  let pod: Server;
  before(async () => {
    const tls = { key: serving.privateKeyPem, cert: serving.certificatePem };
    kubelet = await serveAs('kubelet', createHttpsServer(tls) as unknown as Server);
    pod = await serveAs('pod', createHttpServer());
    const places: Readonly<Record<string, number>> = {
      '10.0.0.1:10250': portOf(kubelet),
      '10.1.0.1:8080': portOf(pod),
    };
    test = await createTestServer({
      staticTokens: ['admin', 'reader', 'writer'].map((name) => ({
        token: name,
        user: { name, uid: '', groups: name === 'admin' ? ['system:masters'] : [], extra: {} },
      })),
      // Port 1 of this machine, where nobody listens.
      route: ({ host, port }) => ({ host: '127.0.0.1', port: places[`${host}:${port}`] ?? 1 }),
    });
    listener = await openTestListener(test, authority);
    await createObjects(test);
  });
  after(async () => {
    await listener.close(0);
    await test.close();
    kubelet.closeAllConnections();
    pod.closeAllConnections();
    kubelet.close();
    pod.close();
  });
  beforeEach(() => {
    received.length = 0;
    answer = () => ({});
  });
  const base = '/api/v1/namespaces/shop';
  const message = async (method: string, path: string) => {
    const { status, text } = await test.admin(method, `${base}/${path}`);
    const body = text.startsWith('{') ? (JSON.parse(text) as { message: string }).message : text;
    return [status, body];
  };

  const texts: readonly (readonly [path: string, status: number, text: string])[] = [
    ['pods/none/exec', 404, 'pods "none" not found'],
    ['pods/waiting/exec', 400, 'pod waiting does not have a host assigned'],
    ['pods/waiting/attach', 400, 'pod waiting does not have a host assigned'],
    ['pods/waiting/portforward', 400, 'pod waiting does not have a host assigned'],
    ['pods/running/exec?container=x', 400, 'container x is not valid for pod running'],
    [
      'pods/two/attach',
      400,
      'a container name must be specified for pod two, choose one of: [a b]',
    ],
    [
      'pods/init/attach',
      400,
      'a container name must be specified for pod init, choose one of: [a b] or one of the init containers: [i]',
    ],
    ['pods/lost/exec', 404, 'pods "no-such-node" not found'],
    ['pods/homeless/exec', 500, 'no preferred addresses found; known addresses: []'],
    ['pods/running/exec?command=ls', 400, 'Upgrade request required'],
    ['pods/running/portforward', 400, 'Upgrade request required'],
    ['pods/waiting/log', 200, ''],
    ['pods/two/log', 400, 'a container name must be specified for pod two, choose one of: [a b]'],
    [
      'pods/running/log?tailLines=-1',
      422,
      'PodLogOptions "running" is invalid: tailLines: Invalid value: -1: must be greater than or equal to 0',
    ],
    [
      'pods/running/log?limitBytes=0',
      422,
      'PodLogOptions "running" is invalid: limitBytes: Invalid value: 0: must be greater than 0',
    ],
    ['pods/running/log?tailLines=x', 400, 'strconv.ParseInt: parsing "x": invalid syntax'],
    [
      'pods/running/log?stream=Stdout',
      422,
      'PodLogOptions "running" is invalid: stream: Forbidden: may not be specified',
    ],
    [
      'pods/running/log?sinceTime=x',
      400,
      'parsing time "x" as "2006-01-02T15:04:05Z07:00": cannot parse "x" as "2006"',
    ],
    [
      'pods/far/log',
      500,
      'Get "https://10.0.0.9:10250/containerLogs/shop/far/a": dial tcp 127.0.0.1:1: connect: connection refused',
    ],
    ['pods/waiting/proxy/', 400, 'address not allowed'],
    ['pods/local/proxy/', 400, 'address not allowed'],
    ['pods/link/proxy/', 400, 'address not allowed'],
    ['pods/a:b:c:d/proxy/', 400, 'invalid pod request "a:b:c:d"'],
    ['pods/none/proxy/', 404, 'pods "none" not found'],
    [
      'pods/running:81/proxy/',
      503,
      'error trying to reach service: dial tcp 127.0.0.1:1: connect: connection refused',
    ],
    ['services/none/proxy/', 404, 'services "none" not found'],
    ['services/web:99/proxy/', 503, 'no service port 99 found for service "web"'],
    ['services/empty/proxy/', 503, 'no endpoints available for service "empty"'],
    ['services/web:nope/proxy/', 503, 'no endpoints available for service "web:nope"'],
    ['services/liar:http/proxy/', 503, 'no endpoints available for service "liar:http"'],
    ['services/a:b:c:d/proxy/', 400, 'invalid service request "a:b:c:d"'],
  ];
  for (const [path, status, text] of texts) {
    it(`${path} is ${status}`, async () => {
      assert.deepEqual(await message('GET', path), [status, text]);
    });
  }

  it('a node with an address of this machine is not proxied to', async () => {
    const { status, text } = await test.admin('GET', '/api/v1/nodes/loop/proxy/metrics');
    assert.equal(status, 400);
    assert.match(text, /address not allowed/);
    assert.deepEqual(received, []);
  });

  it('a node is proxied to at its kubelet', async () => {
    const { status, text } = await test.admin('GET', '/api/v1/nodes/n1/proxy/stats/summary?a=b');
    assert.deepEqual([status, text], [200, 'kubelet /stats/summary?a=b']);
  });

  it('logs are asked of the kubelet with their options', async () => {
    answer = () => ({ body: 'line\n', headers: { 'content-type': 'x/y' } });
    const { status, text, headers } = await test.admin(
      'GET',
      `${base}/pods/running/log?follow=true&tailLines=5&sinceTime=2024-01-01T01:00:00%2B01:00&previous=0`,
    );
    assert.deepEqual([status, text], [200, 'line\n']);
    assert.equal(headers.get('content-type'), 'text/plain');
    assert.equal(
      received[0]?.url,
      '/containerLogs/shop/running/a?follow=true&sinceTime=2024-01-01T00%3A00%3A00Z&tailLines=5',
    );
  });

  const logAnswers: readonly (readonly [ReturnType<Answer>, number, RegExp])[] = [
    [{ status: 400, body: 'container "a" is waiting' }, 400, /container \\"a\\" is waiting/],
    [{ status: 500, body: 'broken' }, 500, /Internal error occurred: broken/],
    [{ status: 404, body: 'gone' }, 404, /the server could not find the requested resource/],
    [
      { status: 302, headers: { location: 'https://169.254.169.254/' } },
      500,
      /redirects forbidden/,
    ],
  ];
  for (const [given, status, text] of logAnswers) {
    it(`a kubelet that answers ${given.status} for a log is repeated`, async () => {
      answer = () => given;
      const got = await test.admin('GET', `${base}/pods/running/log`);
      assert.equal(got.status, status);
      assert.match(got.text, text);
    });
  }

  const logProtocols: readonly (readonly [string[], string, boolean])[] = [
    [[], '', true],
    [['binary.k8s.io'], 'binary.k8s.io', true],
    [['x.k8s.io', 'base64.binary.k8s.io'], 'base64.binary.k8s.io', false],
  ];
  for (const [offered, protocol, isBinary] of logProtocols) {
    it(`a log over a WebSocket that offers [${offered.join(' ')}] comes in messages`, async () => {
      answer = () => ({ body: 'line\n' });
      const got = await socketOf(listener.port, `${base}/pods/running/log`, offered);
      const text = isBinary ? 'line\n' : Buffer.from('line\n').toString('base64');
      assert.deepEqual(got, { protocol, code: 1000, messages: ['', text], isBinary });
    });
  }

  it('a log over a WebSocket may be empty', async () => {
    const { messages, code } = await socketOf(listener.port, `${base}/pods/waiting/log`, []);
    assert.deepEqual([messages, code], [[''], 1000]);
  });

  it('a log over a WebSocket of an unknown protocol is refused', async () => {
    await assert.rejects(
      socketOf(listener.port, `${base}/pods/running/log`, ['x.k8s.io']),
      /Unexpected server response: 403/,
    );
  });

  it('a pod gets path, query, method, body and headers, but no credentials', async () => {
    const got = await test.call('POST', `${base}/pods/running:8080/proxy/a/b%20c/?q=1`, {
      headers: {
        authorization: 'Bearer admin',
        'x-remote-user': 'root',
        'x-kept': '1',
      },
      body: 'hello',
    });
    assert.deepEqual([got.status, got.text], [200, 'pod /a/b%20c/?q=1']);
    const [seen] = received;
    assert.equal(seen?.method, 'POST');
    assert.equal(seen?.headers['authorization'], undefined);
    assert.equal(seen?.headers['x-remote-user'], undefined);
    assert.equal(seen?.headers['x-kept'], '1');
    assert.equal(seen?.headers['x-forwarded-uri'], `${base}/pods/running:8080/proxy/a/b%20c/`);
    assert.equal(seen?.headers['host'], '10.1.0.1:8080');
  });

  it('a pod is proxied to at its first port when none is named', async () => {
    assert.deepEqual(await message('GET', 'pods/running/proxy/x'), [200, 'pod /x']);
  });

  it('HEAD and OPTIONS are passed on', async () => {
    for (const method of ['HEAD', 'OPTIONS'])
      assert.equal((await test.admin(method, `${base}/pods/running/proxy/x`)).status, 200);
    assert.deepEqual(
      received.map((r) => r.method),
      ['HEAD', 'OPTIONS'],
    );
    assert.equal((await test.admin('HEAD', `${base}/pods/running/log`)).status, 405);
  });

  it('a service is proxied to at a pod behind it, by number and by name of the port', async () => {
    for (const name of ['web:80', 'web:http', 'http:web:80'])
      assert.deepEqual(await message('GET', `services/${name}/proxy/x`), [200, 'pod /x']);
  });

  it('a proxy without a path is sent to the one with a slash', async () => {
    const got = await test.admin('GET', `${base}/services/web:80/proxy?a=b`);
    assert.equal(got.status, 301);
    assert.equal(got.headers.get('location'), `${base}/services/web:80/proxy/?a=b`);
  });

  const redirects: readonly (readonly [location: string, expected: string])[] = [
    ['/login?x=1', `${base}/services/web:80/proxy/login?x=1`],
    ['http://10.1.0.1:8080/login/', `${base}/services/web:80/proxy/login/`],
    [`${base}/services/web:80/proxy/here`, `${base}/services/web:80/proxy/here`],
    ['next', 'next'],
    ['https://example.com/x', 'https://example.com/x'],
  ];
  for (const [location, expected] of redirects) {
    it(`a redirect to ${location} leads to ${expected}`, async () => {
      answer = () => ({ status: 302, headers: { location } });
      const got = await test.admin('GET', `${base}/services/web:80/proxy/start`);
      assert.equal(got.status, 302);
      assert.equal(got.headers.get('location'), expected);
    });
  }

  const upgrades: readonly (readonly [
    who: string,
    method: string,
    path: string,
    status: number,
  ])[] = [
    ['admin', 'POST', 'pods/running/exec?command=ls&command=-l&stdin=1&stdout=true&tty=0', 101],
    ['admin', 'GET', 'pods/running/exec?command=ls', 101],
    // May get, but not create.
    ['reader', 'GET', 'pods/running/exec?command=ls', 403],
    ['reader', 'GET', 'pods/running/attach', 403],
    ['reader', 'GET', 'pods/running/portforward', 403],
    ['reader', 'GET', 'pods/running/proxy/ws', 403],
    ['reader', 'GET', 'services/web:80/proxy/ws', 403],
    ['writer', 'GET', 'pods/running/proxy/ws', 101],
    ['writer', 'GET', 'pods/running/exec?command=ls', 101],
  ];
  for (const [who, method, path, status] of upgrades) {
    it(`${who} is answered ${status} to an upgrade of ${method} ${path}`, async () => {
      const got = await upgrade(listener.port, { who, method, path: `${base}/${path}` });
      assert.equal(got.status, status, got.text);
      if (status === 101) assert.equal(got.text, 'ping');
      else {
        assert.deepEqual(received, []);
        assert.match(got.text, /is forbidden/);
      }
    });
  }

  it('a kubelet is asked as it expects', async () => {
    await upgrade(listener.port, {
      who: 'admin',
      method: 'POST',
      path: `${base}/pods/running/exec?command=ls&command=-l&stdin=1&stdout=true&tty=0`,
    });
    await upgrade(listener.port, {
      who: 'admin',
      method: 'POST',
      path: `${base}/pods/running/portforward?ports=80`,
    });
    assert.deepEqual(
      received.map((r) => `${r.method} ${r.url}`),
      [
        'POST /exec/shop/running/a?command=ls&command=-l&input=1&output=1',
        'POST /portForward/shop/running?port=80',
      ],
    );
  });

  it('a reader of proxies may read', async () => {
    const got = await test.call('GET', `${base}/pods/running/proxy/x`, {
      headers: { authorization: 'Bearer reader' },
    });
    assert.equal(got.status, 200);
  });

  it('a kubelet that cannot be reached is said to be so', async () => {
    const got = await upgrade(listener.port, {
      who: 'admin',
      method: 'GET',
      path: `${base}/pods/far/exec?command=ls`,
    });
    assert.equal(got.status, 500);
    assert.match(
      got.text,
      /error dialing backend: dial tcp 127.0.0.1:1: connect: connection refused/,
    );
  });
});

interface SocketLog {
  readonly protocol: string;
  readonly code: number;
  readonly messages: string[];
  readonly isBinary: boolean;
}

function socketOf(port: number, path: string, protocols: string[]): Promise<SocketLog> {
  const socket = new WebSocket(`wss://127.0.0.1:${port}${path}`, protocols, {
    headers: { authorization: 'Bearer admin' },
    rejectUnauthorized: false,
  });
  const messages: string[] = [];
  let isBinary = true;
  return new Promise((resolve, reject) => {
    socket.on('error', reject);
    socket.on('message', (data, binary) => {
      messages.push((data as Buffer).toString());
      isBinary = binary;
    });
    socket.on('close', (code) => resolve({ protocol: socket.protocol, code, messages, isBinary }));
  });
}

interface UpgradeCall {
  readonly who: string;
  readonly method: string;
  readonly path: string;
}

function upgrade(port: number, call: UpgradeCall): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const outgoing = httpsRequest({
      host: '127.0.0.1',
      port,
      path: call.path,
      method: call.method,
      headers: {
        authorization: `Bearer ${call.who}`,
        connection: 'Upgrade',
        upgrade: 'websocket',
      },
      rejectUnauthorized: false,
      agent: false,
    });
    outgoing.on('error', reject);
    outgoing.on('response', (res) => {
      let text = '';
      res.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      res.on('end', () => resolve({ status: res.statusCode ?? 0, text }));
    });
    outgoing.on('upgrade', (res, socket) => {
      socket.once('data', (data: Buffer) => {
        socket.destroy();
        resolve({ status: res.statusCode ?? 0, text: data.toString() });
      });
      socket.write('ping');
    });
    outgoing.end();
  });
}

async function createObjects(test: TestServer): Promise<void> {
  const post = async (path: string, body: object) => {
    const { status, text } = await test.admin('POST', path, body);
    assert.equal(status, 201, text);
  };
  const base = '/api/v1/namespaces/shop';
  await post('/api/v1/namespaces', { metadata: { name: 'shop' } });
  const nodes: readonly (readonly [string, string?])[] = [
    ['n1', '10.0.0.1'],
    ['far', '10.0.0.9'],
    ['bare'],
    ['loop', '127.0.0.1'],
  ];
  for (const [name, address] of nodes) {
    await post('/api/v1/nodes', { metadata: { name } });
    if (address === undefined) continue;
    await test.admin('PUT', `/api/v1/nodes/${name}/status`, {
      metadata: { name },
      status: { addresses: [{ type: 'InternalIP', address }] },
    });
  }
  const container = (name: string) => ({ name, image: 'i:1', ports: [{ containerPort: 8080 }] });
  const pods: readonly (readonly [string, object, string?])[] = [
    ['waiting', {}],
    ['running', { nodeName: 'n1' }, '10.1.0.1'],
    ['two', { nodeName: 'n1', containers: [container('a'), container('b')] }],
    [
      'init',
      {
        nodeName: 'n1',
        containers: [container('a'), container('b')],
        initContainers: [container('i')],
      },
    ],
    ['lost', { nodeName: 'no-such-node' }],
    ['homeless', { nodeName: 'bare' }],
    ['far', { nodeName: 'far' }],
    ['local', { nodeName: 'n1' }, '127.0.0.1'],
    ['link', { nodeName: 'n1' }, '169.254.169.254'],
  ];
  for (const [name, spec, podIP] of pods) {
    await post(`${base}/pods`, {
      metadata: { name },
      spec: { containers: [container('a')], ...spec },
    });
    if (podIP === undefined) continue;
    const patch = { status: { podIP, podIPs: [{ ip: podIP }] } };
    const patched = await test.call('PATCH', `${base}/pods/${name}/status`, {
      headers: {
        authorization: 'Bearer admin',
        'content-type': 'application/merge-patch+json',
      },
      body: JSON.stringify(patch),
    });
    assert.equal(patched.status, 200, patched.text);
  }
  const services: readonly (readonly [string, string | undefined])[] = [
    ['web', '10.1.0.1'],
    ['empty', undefined],
    ['liar', '10.9.9.9'],
  ];
  for (const [name, address] of services) {
    await post(`${base}/services`, {
      metadata: { name },
      spec: { ports: [{ name: 'http', port: 80, targetPort: 8080 }] },
    });
    if (address === undefined) continue;
    await post('/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices', {
      metadata: { name: `${name}-1`, labels: { 'kubernetes.io/service-name': name } },
      addressType: 'IPv4',
      ports: [{ name: 'http', port: 8080 }],
      endpoints: [
        {
          addresses: [address],
          targetRef: { kind: 'Pod', namespace: 'shop', name: 'running' },
        },
      ],
    });
  }
  const rbac = '/apis/rbac.authorization.k8s.io/v1';
  const resources = [
    'pods/exec',
    'pods/attach',
    'pods/portforward',
    'pods/proxy',
    'services/proxy',
  ];
  for (const [name, verbs] of [
    ['reader', ['get']],
    ['writer', ['get', 'create']],
  ] as const) {
    await post(`${rbac}/clusterroles`, {
      metadata: { name },
      rules: [{ apiGroups: [''], resources, verbs }],
    });
    await post(`${rbac}/clusterrolebindings`, {
      metadata: { name },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name }],
    });
  }
}
