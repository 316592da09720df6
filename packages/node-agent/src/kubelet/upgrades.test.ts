// exec, attach and port-forward of a simulated kubelet, by each protocol.

import assert from 'node:assert/strict';
import { createServer, request, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { createSimulatedClock, systemClock, type JsonValue } from '@keelson/apimachinery';
import {
  createSpdyConnection,
  type SpdyConnection,
  type SpdyStream,
} from '@keelson/apimachinery/streaming';
import type { Pod } from '@keelson/apimachinery/types/core.v1';
import { WebSocket } from 'ws';
import { createPodRecord, type PodRecord } from '../simulated/pod-record.ts';
import { parseNodeRules } from '../simulated/node-rules.ts';
import type { SimulatedNode } from '../simulated/simulated-node.ts';
import { createPodPorts } from './pod-ports.ts';
import { openTunnel } from './testing/tunnel-client.ts';
import { serveUpgrade } from './upgrades.ts';

const rules = parseNodeRules({
  apiVersion: 'keelson.dev/v1alpha1',
  kind: 'NodeRules',
  rules: [
    {
      logs: ['one', 'two'],
      exec: [
        { command: 'fail', output: 'out\n', error: 'err\n', exitCode: 7 },
        { command: 'colours', output: 'red\ngreen\n' },
      ],
      ports: [
        { port: 6379, tcp: '+PONG\r\n' },
        {
          port: 8080,
          http: [
            { path: '/healthz', body: 'ok' },
            { path: '/api/*', status: 503, headers: { 'Retry-After': '5' }, body: 'later' },
          ],
        },
      ],
    },
  ],
} as JsonValue);

function podRecord(name: string, isUp: boolean): PodRecord {
  const pod = {
    metadata: { name, namespace: 'shop', uid: 'u1' },
    spec: { containers: [{ name: 'app', image: 'app:1' }] },
  } as unknown as Pod;
  const record = createPodRecord(pod, { rules, now: 0, podIp: '10.128.1.2' });
  for (const container of isUp ? record.containers : [])
    container.phase = { is: 'running', startedAt: 0, containerId: 'x', exitAt: Infinity };
  return record;
}

const records = [podRecord('web', true), podRecord('waiting', false)];
const node = {
  pods: { find: (_: string, name: string) => records.find((r) => r.pod.metadata?.name === name) },
} as unknown as SimulatedNode;
const clock = createSimulatedClock();

describe('streams of a simulated kubelet', () => {
  const ports = createPodPorts();
  const server = createServer();
  const open = new Set<Duplex>();
  before(async () => {
    server.on('upgrade', (req: IncomingMessage, socket: Duplex, head: Buffer) => {
      open.add(socket);
      socket.on('error', () => {});
      const { pathname: path, searchParams: query } = new URL(req.url ?? '/', 'http://kubelet');
      const connection = { socket, head };
      serveUpgrade({ node, request: req, connection, path, query, ports, clock }).catch(() =>
        socket.destroy(),
      );
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  after(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  const portOf = () => (server.address() as AddressInfo).port;

  interface Upgraded {
    readonly status: number;
    readonly protocol: string | undefined;
    readonly body: string;
    readonly connection?: SpdyConnection;
  }
  const spdy = (path: string, headers: Record<string, string> = {}): Promise<Upgraded> =>
    new Promise((resolve, reject) => {
      const sent = request({
        host: '127.0.0.1',
        port: portOf(),
        path,
        method: 'POST',
        agent: false,
        headers: {
          connection: 'Upgrade',
          upgrade: 'SPDY/3.1',
          'x-stream-protocol-version': 'v4.channel.k8s.io',
          ...headers,
        },
      });
      const protocolOf = (res: IncomingMessage) =>
        res.headers['x-stream-protocol-version'] as string | undefined;
      sent.on('error', reject);
      sent.on('response', async (res) =>
        resolve({ status: res.statusCode ?? 0, protocol: protocolOf(res), body: await text(res) }),
      );
      sent.on('upgrade', (res, transport, head) => {
        open.add(transport);
        resolve({
          status: 101,
          protocol: protocolOf(res),
          body: '',
          connection: createSpdyConnection({ transport, head, role: 'client', clock: systemClock }),
        });
      });
      sent.end();
    });

  const streamsOf = async (
    { connection }: Upgraded,
    types: readonly string[],
  ): Promise<Record<string, SpdyStream>> => {
    assert.ok(connection);
    const found: Record<string, SpdyStream> = {};
    for (const type of types) found[type] = await connection.open(new Map([['streamtype', type]]));
    return found;
  };

  /** What a command says, and how it ends. */
  const runSpdy = async (query: string, protocol: string, stdin?: string | Buffer) => {
    const upgraded = await spdy(`/exec/shop/web/app?${query}`, {
      'x-stream-protocol-version': protocol,
    });
    assert.equal(upgraded.protocol, protocol);
    const wants = new URLSearchParams(query);
    const asked = ['stdin', 'stdout', 'stderr'].filter((type) =>
      wants.has({ stdin: 'input', stdout: 'output', stderr: 'error' }[type] ?? ''),
    );
    const streams = await streamsOf(upgraded, ['error', ...asked]);
    streams['stdin']?.end(stdin);
    const [output, error, end] = await Promise.all(
      ['stdout', 'stderr', 'error'].map((type) => {
        const stream = streams[type];
        return stream === undefined ? Buffer.alloc(0) : buffer(stream);
      }),
    );
    upgraded.connection?.destroy();
    return { output, error: String(error), end: String(end) };
  };

  it('node §12: exit code 7 propagates over SPDY, in each of its protocols', async () => {
    const status = {
      metadata: {},
      status: 'Failure',
      message: 'command terminated with non-zero exit code: exit status 7',
      reason: 'NonZeroExitCode',
      details: { causes: [{ reason: 'ExitCode', message: '7' }] },
    };
    for (const version of ['v5.', 'v4.', 'v3.', 'v2.', '']) {
      const got = await runSpdy('command=fail&output=1&error=1', `${version}channel.k8s.io`);
      assert.deepEqual([String(got.output), got.error], ['out\n', 'err\n']);
      if (/^v[45]/.test(version)) assert.deepEqual(JSON.parse(got.end), status);
      else assert.equal(got.end, status.message);
    }
  });

  it('a command that succeeds says so from v4 on, and before nothing', async () => {
    const v4 = await runSpdy('command=true&output=1', 'v4.channel.k8s.io');
    assert.deepEqual(JSON.parse(v4.end), { metadata: {}, status: 'Success' });
    assert.equal((await runSpdy('command=true&output=1', 'v2.channel.k8s.io')).end, '');
  });

  it('node §12: 64 MiB come back intact, and the end of stdin ends `cat`', async () => {
    const bytes = Buffer.alloc(64 * 1024 * 1024);
    for (let at = 0; at < bytes.length; at += 4) bytes.writeUInt32LE(at, at);
    const got = await runSpdy('command=cat&input=1&output=1', 'v4.channel.k8s.io', bytes);
    assert.ok(got.output?.equals(bytes));
  });

  it('a terminal has one stream, lines that go back, and a size that nobody minds', async () => {
    const upgraded = await spdy('/exec/shop/web/app?command=colours&output=1&error=1&tty=1');
    const { stdout, error, resize } = await streamsOf(upgraded, ['error', 'stdout', 'resize']);
    assert.ok(stdout && error && resize);
    resize.write('{"Width":80,"Height":24}\n');
    const [shown, end] = await Promise.all([text(stdout), text(error)]);
    assert.equal(shown, 'red\r\ngreen\r\n');
    assert.match(end, /Success/);
  });

  it('attach shows the log, and ends with the input', async () => {
    const upgraded = await spdy('/attach/shop/web/app?input=1&output=1');
    const { stdin, stdout, error } = await streamsOf(upgraded, ['error', 'stdin', 'stdout']);
    assert.ok(stdin && stdout && error);
    stdin.end();
    assert.equal(await text(stdout), 'one\ntwo\n');
  });

  it('a stream that was not asked for, or is there already, is refused', async () => {
    const upgraded = await spdy('/exec/shop/web/app?command=cat&input=1&output=1');
    for (const type of ['stderr', 'resize', 'other', ''])
      await assert.rejects(streamsOf(upgraded, [type]), /refused/, type);
    await assert.rejects(streamsOf(upgraded, ['stdin', 'stdin']), /refused/);
    upgraded.connection?.destroy();
  });

  it('streams that do not come within half a minute end the connection', async () => {
    const upgraded = await spdy('/exec/shop/web/app?command=cat&input=1&output=1');
    await streamsOf(upgraded, ['error', 'stdout']);
    await clock.advance(30_000);
    await upgraded.connection?.closed;
  });

  const refusals: readonly (readonly [path: string, headers: Record<string, string>, string])[] = [
    ['/exec/shop/none/app?output=1', {}, '404 pod "none" does not exist'],
    ['/exec/shop/web/other?output=1', {}, '404 container "other" not found in pod "web"'],
    ['/exec/shop/waiting/app?output=1', {}, '500 container not found ("app")'],
    ['/exec/shop/web/app', {}, '400 you must specify at least 1 of stdin, stdout, stderr'],
    [
      '/exec/shop/web/app?error=1&tty=1',
      {},
      '400 you must specify at least 1 of stdin, stdout, stderr',
    ],
    ['/exec/shop/web/app?output=1', { upgrade: 'h2c' }, '400 Upgrade request required'],
    [
      '/exec/shop/web/app?output=1',
      { 'x-stream-protocol-version': 'v9' },
      '403 unable to upgrade: unable to negotiate protocol: client supports [v9], server accepts [v5.channel.k8s.io v4.channel.k8s.io v3.channel.k8s.io v2.channel.k8s.io channel.k8s.io]',
    ],
    ['/portForward/shop/none', {}, '404 pod "none" does not exist'],
    ['/portForward/shop/waiting', {}, '500 pod not found ("waiting_shop")'],
    [
      '/portForward/shop/web',
      {},
      '403 unable to upgrade: unable to negotiate protocol: client supports [v4.channel.k8s.io], server accepts [portforward.k8s.io]',
    ],
  ];
  for (const [path, headers, expected] of refusals)
    it(`${path} is refused: ${expected}`, async () => {
      const { status, body } = await spdy(path, headers);
      assert.equal(`${status} ${body}`, expected);
    });

  const openWebSocket = (path: string, protocols: string[]): Promise<WebSocket> => {
    const socket = new WebSocket(`ws://127.0.0.1:${portOf()}${path}`, protocols);
    return new Promise((resolve, reject) => {
      socket.once('open', () => resolve(socket));
      socket.once('error', reject);
    });
  };

  const webSocketRefusals: readonly (readonly [string, string[], RegExp])[] = [
    // node §12: without a subprotocol.
    ['/exec/shop/web/app?output=1', [], /400/],
    ['/exec/shop/web/app?output=1', ['v9.channel.k8s.io'], /400/],
    ['/portForward/shop/web', ['v4.channel.k8s.io'], /400/],
    ['/portForward/shop/web?port=', ['v4.channel.k8s.io'], /400/],
    ['/portForward/shop/web?port=80,x', ['v4.channel.k8s.io'], /400/],
    ['/portForward/shop/web?port=0', ['v4.channel.k8s.io'], /400/],
    ['/portForward/shop/web?port=65536', ['v4.channel.k8s.io'], /400/],
    [`/portForward/shop/web?port=${'8,'.repeat(100)}8`, ['v4.channel.k8s.io'], /400/],
  ];
  for (const [path, protocols, message] of webSocketRefusals)
    it(`a WebSocket to ${path.slice(0, 60)} with [${protocols.join()}] is refused`, async () => {
      await assert.rejects(openWebSocket(path, protocols), message);
    });

  for (const protocol of [
    'v5.channel.k8s.io',
    'v4.channel.k8s.io',
    'v4.base64.channel.k8s.io',
    'channel.k8s.io',
    'base64.channel.k8s.io',
  ])
    it(`a command over a WebSocket with ${protocol}`, async () => {
      const socket = new WebSocket(
        `ws://127.0.0.1:${portOf()}/exec/shop/web/app?command=fail&output=1&error=1`,
        [protocol],
      );
      const said = ['', '', '', ''];
      socket.on('message', (message: Buffer, isBinary) => {
        assert.equal(isBinary, !protocol.includes('base64'));
        const [first = 0] = message;
        const channel = isBinary ? first : first - 48;
        const rest = message.subarray(1);
        said[channel] += isBinary
          ? rest.toString()
          : Buffer.from(String(rest), 'base64').toString();
      });
      await new Promise((resolve) => socket.on('close', resolve));
      const [, stdout, stderr, end = ''] = said;
      assert.deepEqual([stdout, stderr], ['out\n', 'err\n']);
      assert.match(end, protocol.startsWith('v') ? /"NonZeroExitCode"/ : /^command terminated/);
    });

  it('node §12: over v5 the end of stdin ends `cat`', async () => {
    const socket = await openWebSocket('/exec/shop/web/app?command=cat&input=1&output=1', [
      'v5.channel.k8s.io',
    ]);
    const messages: string[] = [];
    socket.on('message', (message: Buffer) => messages.push(message.toString('latin1')));
    socket.send(Buffer.from('\0hello'));
    socket.send(Buffer.from([255, 0]));
    await new Promise((resolve) => socket.on('close', resolve));
    assert.equal(messages.filter((m) => m.startsWith('\u0001')).join(''), '\u0001hello');
    assert.match(messages.at(-1) ?? '', /"Success"/);
  });

  const forward = async (connection: SpdyConnection, port: string, id = port) => {
    const headers = (type: string) =>
      new Map([
        ['streamtype', type],
        ['port', port],
        ['requestid', id],
      ]);
    const error = await connection.open(headers('error'));
    error.end();
    return { error, data: await connection.open(headers('data')) };
  };
  const get = (path: string) => `GET ${path} HTTP/1.1\r\nhost: web\r\nconnection: close\r\n\r\n`;

  const carriers: Record<string, () => Promise<SpdyConnection>> = {
    SPDY: async () => {
      const { connection } = await spdy('/portForward/shop/web', {
        'x-stream-protocol-version': 'portforward.k8s.io',
      });
      assert.ok(connection);
      return connection;
    },
    'a WebSocket': async () => {
      const subprotocol = 'SPDY/3.1+portforward.k8s.io';
      const tunnel = await openTunnel({
        port: portOf(),
        path: '/portForward/shop/web',
        subprotocol,
      });
      open.add(tunnel.transport);
      assert.equal(tunnel.subprotocol, subprotocol);
      return createSpdyConnection({ ...tunnel, role: 'client', clock: systemClock });
    },
  };
  for (const [carrier, connect] of Object.entries(carriers))
    it(`node §12: two ports in parallel, and a closed one, over ${carrier}`, async () => {
      const connection = await connect();
      const [http, tcp, closed] = [
        await forward(connection, '8080'),
        await forward(connection, '6379'),
        await forward(connection, '9'),
      ];
      http.data.write(get('/api/x?y=z'));
      const [page, pong, refused, ...errors] = await Promise.all([
        text(http.data),
        text(tcp.data),
        text(closed.error),
        text(http.error),
        text(tcp.error),
        text(closed.data),
      ]);
      assert.match(page, /^HTTP\/1.1 503 [^]*retry-after: 5\r\n[^]*\r\n\r\nlater$/);
      assert.equal(pong, '+PONG\r\n');
      assert.equal(
        refused,
        'error forwarding port 9 to pod web, uid u1: failed to connect to localhost:9 inside namespace "web", IPv4: dial tcp4 127.0.0.1:9: connect: connection refused IPv6 dial tcp6 [::1]:9: connect: connection refused',
      );
      assert.deepEqual(errors, ['', '', '']);
      const again = await forward(connection, '8080', 'second');
      again.data.write(get('/healthz'));
      assert.match(await text(again.data), /\r\n\r\nok$/);
      connection.destroy();
    });

  it('streams of no port, of an unknown type or twice the same are refused', async () => {
    const connection = await carriers['SPDY']?.();
    assert.ok(connection);
    for (const [type, port] of [
      ['data', ''],
      ['data', 'x'],
      ['data', '0'],
      ['data', '65536'],
      ['other', '80'],
      ['', '80'],
    ])
      await assert.rejects(
        connection.open(
          new Map([
            ['streamtype', type ?? ''],
            ['port', port ?? ''],
          ]),
        ),
        /refused/,
        `${type} ${port}`,
      );
    const data = new Map([
      ['streamtype', 'data'],
      ['port', '80'],
      ['requestid', '1'],
    ]);
    await connection.open(data);
    await assert.rejects(connection.open(data), /refused/);
    connection.destroy();
  });

  it('half a pair is given up after half a minute', async () => {
    const connection = await carriers['SPDY']?.();
    assert.ok(connection);
    const error = await connection.open(
      new Map([
        ['streamtype', 'error'],
        ['port', '8080'],
        ['requestid', '4'],
      ]),
    );
    await clock.advance(30_000);
    assert.equal(await text(error), '(request=4) timed out waiting for streams');
    connection.destroy();
  });

  it('the older WebSocket protocol names ports in the query and numbers channels', async () => {
    for (const protocol of ['v4.channel.k8s.io', 'v4.base64.channel.k8s.io']) {
      const isText = protocol.includes('base64');
      const socket = new WebSocket(`ws://127.0.0.1:${portOf()}/portForward/shop/web?port=8080,9`, [
        protocol,
      ]);
      const said: Buffer[] = [0, 1, 2, 3].map(() => Buffer.alloc(0));
      const answered = new Promise<void>((resolve) =>
        socket.on('message', (message: Buffer) => {
          const channel = (message[0] ?? 0) - (isText ? 48 : 0);
          const rest = message.subarray(1);
          const bytes = isText ? Buffer.from(rest.toString(), 'base64') : rest;
          said[channel] = Buffer.concat([said[channel] ?? Buffer.alloc(0), bytes]);
          if (String(said[0]).endsWith('ok') && String(said[3]).endsWith('refused')) resolve();
        }),
      );
      await new Promise((resolve) => socket.on('open', resolve));
      const asked = Buffer.from(get('/healthz'));
      socket.send(
        isText ? `0${asked.toString('base64')}` : Buffer.concat([Buffer.alloc(1), asked]),
      );
      await answered;
      assert.deepEqual(
        said.map((bytes) => bytes.readUInt16LE(0)),
        [8080, 8080, 9, 9],
      );
      assert.equal(said[1]?.length, 2);
      assert.match(String(said[3]?.subarray(2)), /^error forwarding port 9 to pod web/);
      socket.terminate();
    }
  });
});
