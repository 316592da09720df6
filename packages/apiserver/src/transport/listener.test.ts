// What the socket transports add: headers as UTF-8, both protocols on one port, and a handler that
// fails takes its connection with it, nothing more.

import type { OutgoingHttpHeaders } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { request as httpsRequest } from 'node:https';
import { connect as connectTls } from 'node:tls';
import { after, before, describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { systemClock, systemRandom } from '@keelson/apimachinery';
import { createCertificateAuthority } from '../authentication/certificates/certificate-authority.ts';
import { defaultLimits } from '../config.ts';
import type { ServeRequest } from './in-process.ts';
import { openListener, type Listener } from './listener.ts';

const text = 'déjà 💥 vu';

const serve: ServeRequest = async (request, response) => {
  if (request.url === '/cut') return response.abort();
  if (request.url === '/never') return;
  if (request.url === '/echo') return response.end(await request.body(1000));
  if (request.url === '/begun') return void response.write('begun');
  if (request.url === '/headers') return response.end(JSON.stringify(request.headers));
  response.setHeader('x-text', [text, 'second']);
  response.setHeader('x-protocol', request.protocol);
  response.end('ok');
};

/** What comes after it is sent when an answer has begun. */
const later = '<later>';
const begunAnd = (more: string) => `GET /begun HTTP/1.1\r\nHost: x\r\n\r\n${later}${more}`;

describe('the listener', () => {
  let listener: Listener;
  before(async () => {
    const dependencies = { clock: systemClock, random: systemRandom };
    const authority = createCertificateAuthority(dependencies, { commonName: 'test' });
    const names = { commonName: 'x', dnsNames: [], ipAddresses: ['127.0.0.1'] };
    const { certificatePem, privateKeyPem } = authority.issueServing(names);
    listener = await openListener(serve, {
      address: '127.0.0.1',
      port: 0,
      certificate: certificatePem,
      key: privateKeyPem,
      http2: true,
      limits: defaultLimits,
    });
  });
  after(() => listener.close(0));

  it('writes headers as UTF-8 over HTTP/1.1', async () => {
    const { headers } = await get('/');
    assert.equal(Buffer.from(String(headers['x-text']), 'latin1').toString(), `${text}, second`);
    assert.equal(headers['x-protocol'], 'HTTP/1.1');
  });

  it('writes headers as UTF-8 over HTTP/2 on the same port', async () => {
    const session = connectHttp2(`https://127.0.0.1:${listener.port}`, {
      rejectUnauthorized: false,
    });
    const stream = session.request({ ':path': '/' });
    const headers = await new Promise<Record<string, unknown>>((resolve, reject) => {
      stream.on('response', resolve).on('error', reject);
    });
    assert.match(Buffer.from(String(headers['x-text']), 'latin1').toString(), /^déjà 💥 vu/);
    assert.equal(headers['x-protocol'], 'HTTP/2.0');
    session.destroy();
  });

  const sent = { 'impersonate-group': ['a,b', 'c'], 'x-remote-extra-team': 'x, y' };
  const received = { 'impersonate-group': ['a,b', 'c'], 'x-remote-extra-team': ['x, y'] };

  it('keeps repeated headers that name users apart over HTTP/1.1', async () => {
    const { body } = await get('/headers', undefined, { ...sent, accept: ['x', 'y'] });
    const { connection: _, ...headers } = JSON.parse(body) as Record<string, unknown>;
    const host = `127.0.0.1:${listener.port}`;
    assert.deepEqual(headers, { ...received, accept: 'x, y', host });
  });

  it('keeps them apart over HTTP/2, where the authority is the host', async () => {
    const host = `127.0.0.1:${listener.port}`;
    const session = connectHttp2(`https://${host}`, { rejectUnauthorized: false });
    const stream = session.request({ ':path': '/headers', ...sent });
    let body = '';
    for await (const chunk of stream.setEncoding('utf8')) body += String(chunk);
    session.destroy();
    const headers = JSON.parse(body) as Record<string, unknown>;
    for (const [name, value] of Object.entries({ ...received, host }))
      assert.deepEqual(headers[name], value, name);
  });

  it('a cut answer is an error of that client only', async () => {
    await assert.rejects(get('/cut'));
    assert.equal((await get('/')).status, 200);
  });

  it('a body beyond the bound is refused', async () => {
    await assert.doesNotReject(get('/echo', 'x'.repeat(1000)));
    await assert.rejects(get('/echo', 'x'.repeat(1001)));
  });

  it('an upgrade behind a request without an answer ends that connection only', async () => {
    const socket = connectTls({ port: listener.port, rejectUnauthorized: false });
    const ended = new Promise((resolve) => socket.once('close', resolve));
    socket.on('error', () => {});
    const upgrade =
      'GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
    socket.write(`GET /never HTTP/1.1\r\nHost: x\r\n\r\n${upgrade}`);
    await ended;
    assert.equal((await get('/')).status, 200);
  });

  const whole = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';
  const malformed: [what: string, bytes: string, answers: RegExp][] = [
    [
      'a path that is not written in ASCII',
      'GET /é HTTP/1.1\r\nHost: x\r\n\r\n',
      /^HTTP\/1.1 400 /,
    ],
    ['no HTTP at all', 'hello\r\n\r\n', /^HTTP\/1.1 400 Bad Request\r\nConnection: close\r\n\r\n$/],
    [
      'headers beyond the bound',
      `GET / HTTP/1.1\r\nHost: x\r\nA: ${'a'.repeat(defaultLimits.headerBytesMax)}\r\n\r\n`,
      /^HTTP\/1.1 431 /,
    ],
    ['nonsense behind a request', `${whole}hello\r\n\r\n`, /^HTTP\/1.1 (200|400) /],
    // Its end is cut off; no other answer is written into it.
    ['nonsense behind an answer that has begun', begunAnd('hello\r\n\r\n'), /200 OK(?!.* 400 )/s],
  ];
  for (const [what, bytes, expected] of malformed)
    it(`answers ${what}, and ends the connection`, async () => {
      const socket = connectTls({ port: listener.port, rejectUnauthorized: false });
      socket.on('error', () => {});
      const received: Buffer[] = [];
      socket.on('data', (chunk: Buffer) => {
        received.push(chunk);
      });
      const ended = new Promise((resolve) => socket.once('close', resolve));
      const [first = '', then] = bytes.split(later);
      socket.write(first);
      if (then !== undefined) socket.once('data', () => socket.write(then));
      await ended;
      assert.match(Buffer.concat(received).toString(), expected);
    });

  interface Answer {
    readonly status: number;
    readonly headers: Record<string, unknown>;
    readonly body: string;
  }

  function get(path: string, body?: string, headers: OutgoingHttpHeaders = {}) {
    return new Promise<Answer>((resolve, reject) => {
      const method = body === undefined ? 'GET' : 'POST';
      const options = { rejectUnauthorized: false, method, headers };
      const url = `https://127.0.0.1:${listener.port}${path}`;
      const sent = httpsRequest(url, { ...options, timeout: 2000, agent: false }, (answer) => {
        let all = '';
        answer.setEncoding('utf8').on('data', (chunk) => (all += String(chunk)));
        answer.on('end', () =>
          resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: all }),
        );
        answer.on('error', reject);
      });
      sent.on('timeout', () => sent.destroy(new Error('no answer')));
      sent.on('error', reject);
      sent.end(body);
    });
  }
});
