import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import { createHttpsTransport } from './https-transport.ts';

async function serverOf(
  t: TestContext,
  handle: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<{ url: string; server: Server }> {
  const server = createServer(handle);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}
const get = (
  url: string,
  more: { headers?: Record<string, string | string[]>; signal?: AbortSignal } = {},
) => ({
  method: 'GET',
  url,
  headers: {},
  ...more,
});

test('requests carry path, headers, token and body, and share a connection', async (t) => {
  const seen: unknown[] = [];
  const sockets = new Set<unknown>();
  const { url } = await serverOf(t, (request, response) => {
    sockets.add(request.socket);
    let body = '';
    request.on('data', (chunk) => (body += chunk));
    request.on('end', () => {
      const { authorization, 'content-length': length } = request.headers;
      seen.push([
        request.method,
        request.url,
        request.headersDistinct['x-many'],
        authorization,
        length,
        body,
      ]);
      response.setHeader('warning', ['299 - "a"', '299 - "b"']);
      response.end('answer');
    });
  });
  let token = 'one';
  const transport = createHttpsTransport({ server: `${url}/prefix/`, token: () => token });
  t.after(() => transport.close());
  const first = await transport.request(get('/api?x=1', { headers: { 'x-many': ['a', 'b'] } }));
  assert.equal(first.header('warning'), '299 - "a", 299 - "b"');
  assert.equal(Buffer.from(await first.bytes(100)).toString(), 'answer');
  token = 'two';
  const second = { method: 'POST', url: '/b', headers: {}, body: Buffer.from('{}') };
  await (await transport.request(second)).bytes(100);
  assert.deepEqual(seen, [
    ['GET', '/prefix/api?x=1', ['a', 'b'], 'Bearer one', undefined, ''],
    ['POST', '/prefix/b', undefined, 'Bearer two', '2', '{}'],
  ]);
  assert.equal(sockets.size, 1);
});

test('an answer beyond its bound is cut off', async (t) => {
  const { url } = await serverOf(t, (_request, response) => response.end('x'.repeat(100_000)));
  const transport = createHttpsTransport({ server: url });
  t.after(() => transport.close());
  const response = await transport.request(get('/'));
  await assert.rejects(response.bytes(50_000), { code: 'too-large' });
});

test('failures of connections have codes', async (t) => {
  const { url, server } = await serverOf(t, (request, response) => {
    if (request.url === '/cut') return request.socket.destroy();
    response.write('half');
    if (request.url === '/half') setImmediate(() => request.socket.destroy());
  });
  const transport = createHttpsTransport({ server: url });
  t.after(() => transport.close());
  await assert.rejects(transport.request(get('/cut')), { code: 'broken' });
  const half = await transport.request(get('/half'));
  await assert.rejects(half.bytes(100), { code: 'broken' });

  const controller = new AbortController();
  const { signal } = controller;
  const open = await transport.request(get('/open', { signal }));
  controller.abort(new Error('enough'));
  await assert.rejects(open.bytes(100), /enough/);
  await assert.rejects(transport.request(get('/', { signal })), /enough/);

  const unread = await transport.request(get('/open'));
  transport.close();
  await assert.rejects(unread.bytes(100), { code: 'closed' });
  await assert.rejects(transport.request(get('/')), { code: 'closed' });

  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  const late = createHttpsTransport({ server: url });
  await assert.rejects(late.request(get('/')), { code: 'unreachable' });
});

test('leaving a stream ends the request', async (t) => {
  let isClosed: () => void = () => {};
  const closed = new Promise<void>((resolve) => (isClosed = resolve));
  const { url } = await serverOf(t, (_request, response) => {
    response.on('close', isClosed);
    response.write('event\n');
  });
  const transport = createHttpsTransport({ server: url });
  t.after(() => transport.close());
  for await (const chunk of (await transport.request(get('/'))).chunks()) {
    assert.equal(Buffer.from(chunk).toString(), 'event\n');
    break;
  }
  await closed;
});
