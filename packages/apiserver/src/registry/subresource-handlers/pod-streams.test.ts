// Newer WebSocket protocols of exec, attach and port-forward (KEP-4006) before a kubelet of this test
// that speaks SPDY, by release and by what the node declares.

import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { createServer, request as httpsRequest } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import { test, type TestContext } from 'node:test';
import { systemClock, systemRandom } from '@keelson/apimachinery';
import { createSpdyConnection, type SpdyStream } from '@keelson/apimachinery/streaming';
import { WebSocket } from 'ws';
import { openTestListener } from '../../aggregation/testing/aggregated-server.ts';
import { createCertificateAuthority } from '../../authentication/certificates/certificate-authority.ts';
import { createTestServer, type TestServer } from '../../testing.ts';

const authority = createCertificateAuthority(
  { clock: systemClock, random: systemRandom },
  { commonName: 'test' },
);
const serving = authority.issueServing({ commonName: 'x', dnsNames: ['x'], ipAddresses: [] });

/** What the kubelet got, as `METHOD URL UPGRADE PROTOCOLS`. */
type Serve = (streams: Record<string, SpdyStream>) => void | Promise<void>;
interface Kubelet {
  readonly port: number;
  readonly received: string[];
  /** Chosen for exec and attach; the others are offered by the server. */
  protocol: string;
  /** Answered in place of changing the protocol. */
  refusal: string | undefined;
  expected: readonly string[];
  serve: Serve;
}

async function openKubelet(t: TestContext): Promise<Kubelet> {
  const server = createServer({ key: serving.privateKeyPem, cert: serving.certificatePem });
  const sockets = new Set<Duplex>();
  const kubelet = {
    port: 0,
    received: [] as string[],
    protocol: 'v4.channel.k8s.io',
    refusal: undefined as string | undefined,
    expected: [] as readonly string[],
    serve: (() => {}) as Serve,
  };
  server.on('upgrade', (req: IncomingMessage, socket: Duplex, head: Buffer) => {
    sockets.add(socket);
    socket.on('error', () => {});
    const { upgrade = '', 'x-stream-protocol-version': offered = '' } = req.headers;
    kubelet.received.push(`${req.method} ${req.url} ${upgrade} ${String(offered)}`.trim());
    if (kubelet.refusal !== undefined) return void socket.end(kubelet.refusal);
    const lines = [
      'HTTP/1.1 101 Switching Protocols',
      'Connection: Upgrade',
      `Upgrade: ${upgrade}`,
    ];
    lines.push(`X-Stream-Protocol-Version: ${kubelet.protocol}`, '', '');
    socket.write(lines.join('\r\n'));
    // Port-forward: whatever comes is sent back.
    if (upgrade !== 'SPDY/3.1' || kubelet.expected.length === 0) return void socket.pipe(socket);
    const streams: Record<string, SpdyStream> = {};
    createSpdyConnection({
      transport: socket,
      head,
      role: 'server',
      clock: systemClock,
      takerOf: (headers) => (stream) => {
        streams[headers.get('streamtype') ?? ''] = stream;
        if (kubelet.expected.every((type) => type in streams)) void kubelet.serve(streams);
      },
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  kubelet.port = (server.address() as AddressInfo).port;
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return kubelet;
}

interface Setting {
  readonly kubelet: Kubelet;
  readonly port: number;
  readonly test: TestServer;
  metrics(name: string): Promise<string[]>;
}

async function open(
  t: TestContext,
  { release = '1.35', declaredFeatures = [] as string[], reachable = true } = {},
): Promise<Setting> {
  const kubelet = await openKubelet(t);
  const users = ['admin', 'reader'];
  const server = await createTestServer({
    emulatedVersion: release,
    staticTokens: users.map((name) => ({
      token: name,
      user: { name, uid: '', groups: name === 'admin' ? ['system:masters'] : [], extra: {} },
    })),
    // Port 1 of this machine, where nobody listens.
    route: () => ({ host: '127.0.0.1', port: reachable ? kubelet.port : 1 }),
  });
  const listener = await openTestListener(server, authority);
  t.after(async () => {
    await listener.close(0);
    await server.close();
  });
  const post = async (path: string, body: object) => {
    const { status, text: answer } = await server.admin('POST', path, body);
    assert.equal(status, 201, answer);
  };
  await post('/api/v1/namespaces', { metadata: { name: 'shop' } });
  await post('/api/v1/nodes', { metadata: { name: 'n1' } });
  await server.admin('PUT', '/api/v1/nodes/n1/status', {
    metadata: { name: 'n1' },
    status: {
      addresses: [{ type: 'InternalIP', address: '10.0.0.1' }],
      ...(declaredFeatures.length > 0 && { declaredFeatures }),
    },
  });
  await post('/api/v1/namespaces/shop/pods', {
    metadata: { name: 'web' },
    spec: { nodeName: 'n1', containers: [{ name: 'a', image: 'i' }] },
  });
  return {
    kubelet,
    port: listener.port,
    test: server,
    async metrics(name) {
      const { text: all } = await server.admin('GET', '/metrics');
      return all.split('\n').filter((line) => line.startsWith(name));
    },
  };
}

const pathOf = (what: string) => `/api/v1/namespaces/shop/pods/web/${what}`;
const v5 = 'v5.channel.k8s.io';
const v4 = 'v4.channel.k8s.io';

interface Client {
  readonly socket: WebSocket;
  /** By channel, what was said until the end. */
  readonly said: Promise<readonly string[]>;
}

function connect({ port }: Setting, what: string, protocol = v5, who = 'admin'): Promise<Client> {
  const socket = new WebSocket(`wss://127.0.0.1:${port}${pathOf(what)}`, [protocol], {
    headers: { authorization: `Bearer ${who}` },
    rejectUnauthorized: false,
  });
  const channels = ['', '', '', ''];
  socket.on('message', (message: Buffer) => {
    channels[message[0] ?? 0] += message.subarray(1).toString();
  });
  const said = new Promise<readonly string[]>((resolve) =>
    socket.on('close', () => resolve(channels)),
  );
  return new Promise((resolve, reject) => {
    socket.once('open', () => resolve({ socket, said }));
    socket.once('error', reject);
  });
}

const success = '{"metadata":{},"status":"Success"}';

test('node §12: a command over v5 reaches a kubelet that speaks SPDY', async (t) => {
  const setting = await open(t);
  const { kubelet } = setting;
  kubelet.expected = ['error', 'stdin', 'stdout', 'stderr'];
  kubelet.serve = async ({ stdin, stdout, stderr, error }) => {
    assert.ok(stdin && stdout && stderr && error);
    stderr.end('noted');
    stdout.end((await text(stdin)).toUpperCase());
    error.end(success);
  };
  const { socket, said } = await connect(setting, 'exec?command=tr&stdin=1&stdout=1&stderr=1');
  assert.equal(socket.protocol, v5);
  socket.send(Buffer.from('\0one '));
  socket.send(Buffer.from('\0two'));
  socket.send(Buffer.from([255, 0]));
  assert.deepEqual(await said, ['', 'ONE TWO', 'noted', success]);
  assert.deepEqual(kubelet.received, [
    'POST /exec/shop/web/a?command=tr&error=1&input=1&output=1 SPDY/3.1 v5.channel.k8s.io, v4.channel.k8s.io, v3.channel.k8s.io, v2.channel.k8s.io, channel.k8s.io',
  ]);
  assert.deepEqual(await setting.metrics('apiserver_stream_translator'), [
    'apiserver_stream_translator_requests_total{code="200"} 1',
  ]);
  assert.deepEqual(await setting.metrics('apiserver_websocket_streaming'), [
    'apiserver_websocket_streaming_requests_total{subresource="exec",proxy_type="translated_at_apiserver"} 1',
  ]);
});

test('node §12: exit code 7 propagates, and sizes of terminals arrive', async (t) => {
  const setting = await open(t);
  const { kubelet } = setting;
  kubelet.expected = ['error', 'stdout', 'resize'];
  kubelet.serve = ({ stdout, error, resize }) => {
    resize?.once('data', (size: Buffer) => {
      stdout?.end(size);
      error?.end(
        '{"status":"Failure","reason":"NonZeroExitCode","details":{"causes":[{"reason":"ExitCode","message":"7"}]}}',
      );
    });
  };
  const { socket, said } = await connect(setting, 'attach?stdout=1&stderr=1&tty=1');
  socket.send(Buffer.from('\u0004{"Width":80,"Height":24}'));
  const [, stdout, , end = ''] = await said;
  assert.equal(stdout, '{"Width":80,"Height":24}');
  assert.deepEqual(JSON.parse(end).details, { causes: [{ reason: 'ExitCode', message: '7' }] });
  assert.match(kubelet.received[0] ?? '', /^POST \/attach\/shop\/web\/a\?error=1&output=1&tty=1 /);
});

test('node §12: 64 MiB of output arrive intact at a client that takes its time', async (t) => {
  const setting = await open(t);
  const { kubelet } = setting;
  const size = 64 * 1024 * 1024;
  kubelet.expected = ['error', 'stdout'];
  kubelet.serve = ({ stdout, error }) => {
    stdout?.end(Buffer.alloc(size, 'x'));
    error?.end(success);
  };
  const { socket, said } = await connect(setting, 'exec?command=yes&stdout=1');
  let received = 0;
  socket.on('message', (message: Buffer) => {
    if (message[0] === 1) received += message.length - 1;
    socket.pause();
    setImmediate(() => socket.resume());
  });
  const [, , , end] = await said;
  assert.deepEqual([received, end], [size, success]);
});

test('a kubelet that only resets its streams has ended them', async (t) => {
  const setting = await open(t);
  setting.kubelet.expected = ['error', 'stdout'];
  setting.kubelet.serve = async ({ stdout, error }) => {
    stdout?.write('all');
    error?.write(success);
    stdout?.destroy();
    error?.destroy();
  };
  const { said } = await connect(setting, 'exec?command=x&stdout=1');
  assert.deepEqual(await said, ['', 'all', '', success]);
});

test('what goes wrong on the way is told on the channel of errors', async (t) => {
  const answer = (head: string, body = '') =>
    `HTTP/1.1 ${head}\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`;
  const rows: readonly (readonly [string, string | undefined, RegExp])[] = [
    [
      'a refusal',
      answer('500 Refused', 'container not found ("a")\n'),
      /^Internal error occurred: unable to upgrade connection: container not found \("a"\)$/,
    ],
    [
      'a redirect',
      answer('302 Found\r\nlocation: https://169.254.169.254/'),
      /^Internal error occurred: error sending request: Post "https:\/\/10.0.0.1:10250\/exec\/shop\/web\/a\?command=x&output=1": redirect not allowed$/,
    ],
    [
      'another protocol',
      'HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n',
      /^Internal error occurred: unable to upgrade connection: $/,
    ],
    [
      'no SPDY behind the upgrade',
      undefined,
      /^Internal error occurred: the connection has ended$/,
    ],
  ];
  for (const [name, refusal, message] of rows) {
    const setting = await open(t);
    setting.kubelet.refusal =
      refusal ??
      'HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\nHTTP/1.1';
    const { said } = await connect(setting, 'exec?command=x&stdout=1');
    const [, , , end = ''] = await said;
    assert.match((JSON.parse(end) as { message: string }).message, message, name);
    assert.deepEqual(await setting.metrics('apiserver_stream_translator'), [
      'apiserver_stream_translator_requests_total{code="500"} 1',
    ]);
  }
});

test('a kubelet that cannot be reached is said to be so', async (t) => {
  const setting = await open(t, { reachable: false });
  const { said } = await connect(setting, 'exec?command=x&stdout=1');
  const [, , , end = ''] = await said;
  assert.match(
    (JSON.parse(end) as { message: string }).message,
    /error sending request: Post "[^"]+": dial tcp 127.0.0.1:1: connect: connection refused$/,
  );
});

test('when the client goes, so does the connection to the kubelet', async (t) => {
  const setting = await open(t);
  const { kubelet } = setting;
  kubelet.expected = ['error', 'stdin', 'stdout'];
  const ended = new Promise<void>((resolve) => {
    kubelet.serve = ({ stdin, stdout }) => {
      stdin?.on('close', resolve);
      stdin?.resume();
      stdout?.write('there');
    };
  });
  const { socket } = await connect(setting, 'exec?command=cat&stdin=1&stdout=1');
  socket.on('message', (message: Buffer) => {
    if (message.toString().includes('there')) socket.terminate();
  });
  await ended;
});

test('who is asked to translate, by release, gate and what the node declares', async (t) => {
  const rows: readonly (readonly [string, string[], string, string, string])[] = [
    ['1.28', [], 'exec?stdout=1', v5, 'GET websocket'],
    ['1.30', [], 'exec?stdout=1', v5, 'POST SPDY/3.1'],
    ['1.35', ['ExtendWebSocketsToKubelet'], 'attach?stdout=1', v5, 'POST SPDY/3.1'],
    ['1.36', [], 'attach?stdout=1', v5, 'POST SPDY/3.1'],
    ['1.36', ['ExtendWebSocketsToKubelet'], 'attach?stdout=1', v5, 'GET websocket'],
    ['1.36', [], 'exec?stdout=1', v4, 'GET websocket'],
    ['1.36', [], 'portforward?ports=80', v4, 'GET websocket'],
  ];
  for (const [release, declaredFeatures, what, protocol, expected] of rows) {
    const setting = await open(t, { release, declaredFeatures });
    setting.kubelet.refusal =
      'HTTP/1.1 500 Refused\r\nconnection: close\r\ncontent-length: 0\r\n\r\n';
    // The kubelet's refusal is that of the handshake, or comes after it.
    const client = await connect(setting, what, protocol).catch(() => undefined);
    await client?.said;
    const [method, , upgrade] = (setting.kubelet.received[0] ?? '').split(' ');
    assert.equal(`${method} ${upgrade}`, expected, `${release} ${what} ${protocol}`);
    const passedOn = expected.startsWith('GET') ? 'proxied_to_kubelet' : 'translated_at_apiserver';
    const [counted = ''] = await setting.metrics('apiserver_websocket_streaming');
    assert.ok(counted.includes(passedOn), counted);
  }
});

test('node §12: who may only get is refused from 1.35 on, before anything is dialled', async (t) => {
  const setting = await open(t, { release: '1.35' });
  const rbac = '/apis/rbac.authorization.k8s.io/v1';
  await setting.test.admin('POST', `${rbac}/clusterroles`, {
    metadata: { name: 'reader' },
    rules: [{ apiGroups: [''], resources: ['pods/exec', 'pods/portforward'], verbs: ['get'] }],
  });
  await setting.test.admin('POST', `${rbac}/clusterrolebindings`, {
    metadata: { name: 'reader' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'reader' },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'reader' }],
  });
  await assert.rejects(connect(setting, 'exec?command=x&stdout=1', v5, 'reader'), /403/);
  const { status } = await tunnel(setting, { who: 'reader' });
  assert.equal(status, 403);
  assert.deepEqual(setting.kubelet.received, []);
});

interface TunnelCall {
  readonly who?: string;
  readonly headers?: Record<string, string>;
}
interface TunnelAnswer {
  readonly status: number;
  readonly protocol: string | undefined;
  readonly body: string;
  readonly socket?: Duplex;
}

/** Client libraries allow no slash in a subprotocol, so the handshake is made by hand. */
function tunnel(
  { port }: Setting,
  { who = 'admin', headers = {} }: TunnelCall,
): Promise<TunnelAnswer> {
  return new Promise((resolve, reject) => {
    const sent = httpsRequest({
      host: '127.0.0.1',
      port,
      path: pathOf('portforward'),
      agent: false,
      rejectUnauthorized: false,
      headers: {
        authorization: `Bearer ${who}`,
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': Buffer.alloc(16).toString('base64'),
        'sec-websocket-protocol': 'SPDY/3.1+portforward.k8s.io',
        ...headers,
      },
    });
    sent.on('error', reject);
    sent.on('response', async (res) =>
      resolve({ status: res.statusCode ?? 0, protocol: undefined, body: await text(res) }),
    );
    sent.on('upgrade', (res, socket) => {
      const protocol = res.headers['sec-websocket-protocol'];
      resolve({ status: 101, protocol, body: '', socket });
    });
    sent.end();
  });
}

test('node §12: SPDY through a WebSocket is carried to a kubelet that speaks SPDY', async (t) => {
  const setting = await open(t, { release: '1.31' });
  setting.kubelet.protocol = 'portforward.k8s.io';
  const { status, protocol, socket } = await tunnel(setting, {});
  assert.deepEqual([status, protocol], [101, 'SPDY/3.1+portforward.k8s.io']);
  assert.ok(socket);
  // One binary message of four bytes, masked with zeros, and what the kubelet sends back.
  socket.write(Buffer.from([0x82, 0x84, 0, 0, 0, 0, 1, 2, 3, 4]));
  const [echo] = (await new Promise((resolve) =>
    socket.once('data', (data) => resolve([data])),
  )) as [Buffer];
  assert.deepEqual([...echo], [0x82, 4, 1, 2, 3, 4]);
  assert.deepEqual(setting.kubelet.received, [
    'POST /portForward/shop/web SPDY/3.1 portforward.k8s.io',
  ]);
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.destroy();
  await closed;
});

test('a tunnel that comes to nothing says why', async (t) => {
  const refusals: readonly (readonly [string, number, RegExp])[] = [
    [
      'HTTP/1.1 403 Forbidden\r\ncontent-length: 7\r\nconnection: close\r\n\r\nrefused',
      403,
      /^refused$/,
    ],
    [
      'HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n',
      500,
      /invalid upgrade response: status code 200/,
    ],
    [
      'HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n',
      500,
      /unable to upgrade: missing upgrade headers in response/,
    ],
  ];
  for (const [refusal, status, message] of refusals) {
    const setting = await open(t);
    setting.kubelet.refusal = refusal;
    const answer = await tunnel(setting, {});
    assert.equal(answer.status, status);
    assert.match(answer.body, message);
    assert.deepEqual(await setting.metrics('apiserver_stream_tunnel'), [
      `apiserver_stream_tunnel_requests_total{code="${status}"} 1`,
    ]);
  }
  const lost = await tunnel(await open(t, { reachable: false }), {});
  assert.equal(lost.status, 500);
  assert.match(
    lost.body,
    /error dialing backend: dial tcp 127.0.0.1:1: connect: connection refused/,
  );
});

test('a wrong handshake is refused as one', async (t) => {
  const setting = await open(t);
  const { status, body } = await tunnel(setting, { headers: { 'sec-websocket-key': 'short' } });
  assert.deepEqual([status, body], [400, 'mismatch challenge/response']);
});
