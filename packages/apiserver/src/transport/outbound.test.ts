// Connections to other servers: where none is made, and what is said when one fails.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net';
import { test } from 'node:test';
import { createSimulatedClock } from '@keelson/apimachinery';
import { createOutboundClient, OutboundError, type OutboundRequest } from './outbound.ts';

const to = (host: string, port: number): OutboundRequest => ({
  protocol: 'http',
  address: { host, port },
  method: 'GET',
  path: '/',
  headers: {},
});
const failure = async (promise: Promise<unknown>): Promise<string> => {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof OutboundError, String(error));
  return error.message;
};

for (const host of ['169.254.169.254', '0.0.0.0', '::', 'fe80::1', '::ffff:169.254.169.254'])
  test(`nothing is sent to ${host}`, async () => {
    const client = createOutboundClient();
    assert.equal(await failure(client.call(to(host, 80))), 'address not allowed');
  });

test('a name that leads there is no way around', async () => {
  const client = createOutboundClient({ route: ({ port }) => ({ host: '169.254.169.254', port }) });
  assert.equal(await failure(client.call(to('metadata.example.com', 80))), 'address not allowed');
});

test('nobody listens', async () => {
  const client = createOutboundClient();
  const text = await failure(client.call(to('127.0.0.1', 1)));
  assert.equal(text, 'dial tcp 127.0.0.1:1: connect: connection refused');
});

test('a name that does not exist', async () => {
  const client = createOutboundClient();
  const text = await failure(client.call(to('nowhere.invalid', 80)));
  assert.equal(text, 'dial tcp: lookup nowhere.invalid: no such host');
});

test('a server that never finishes TLS is given up', async () => {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => void sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const clock = createSimulatedClock();
  const client = createOutboundClient({ clock, dialTimeoutMs: 1_000 });
  const { port } = server.address() as AddressInfo;
  server.once('connection', () => void clock.advance(2_000));
  const call = client.call({ ...to('127.0.0.1', port), protocol: 'https' });
  assert.equal(await failure(call), 'i/o timeout');
  for (const socket of sockets) socket.destroy();
  server.close();
});

test('an idle connection that the server has closed is replaced', async () => {
  const sockets: Socket[] = [];
  const server = createServer((_req, res) => res.end('ok'));
  server.on('connection', (socket: Socket) => void sockets.push(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const client = createOutboundClient();
  const status = async () => {
    const { message } = await client.call(to('127.0.0.1', port));
    message.resume();
    await new Promise((resolve) => message.on('end', resolve));
    return message.statusCode;
  };
  assert.equal(await status(), 200);
  await new Promise((resolve) => setImmediate(resolve));
  for (const socket of sockets) socket.resetAndDestroy();
  assert.equal(await status(), 200);
  assert.equal(sockets.length, 2);
  client.close();
  server.closeAllConnections();
  server.close();
});
