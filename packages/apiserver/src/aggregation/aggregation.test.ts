// Requests for an APIService of another server, end to end: what that server gets to see, what its
// client gets back, and what must never pass.

import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { request as httpsRequest } from 'node:https';
import { after, before, beforeEach, describe, it } from 'node:test';
import { systemClock, systemRandom } from '@keelson/apimachinery';
import { createCertificateAuthority } from '../authentication/certificates/certificate-authority.ts';
import {
  apiServicePath,
  group,
  openAggregatedServer,
  version,
  type AggregatedServer,
} from './testing/aggregated-server.ts';

const otherAuthorityPem = createCertificateAuthority(
  { clock: systemClock, random: systemRandom },
  { commonName: 'somebody' },
).certificatePem;
const base = `/apis/${group}/${version}`;

describe('a proxied request', () => {
  let server: AggregatedServer;
  before(async () => {
    server = await openAggregatedServer();
    await server.register({
      caBundle: Buffer.from(server.authority.certificatePem).toString('base64'),
    });
  });
  after(() => server[Symbol.asyncDispose]());
  beforeEach(() => {
    server.extension.received.length = 0;
    server.extension.answer = () => false;
  });
  const last = () => server.extension.received.at(-1);

  it('reaches the server behind with our certificate and the name of the caller', async () => {
    const answer = await server.fetch(`${base}/namespaces/a/things?x=1`);
    assert.equal(answer.status, 200);
    const received = last();
    assert.equal(received?.clientName, 'front-proxy-client');
    assert.equal(received?.url, `${base}/namespaces/a/things?x=1`);
    const user = Buffer.from(String(received?.headers['x-remote-user']), 'latin1').toString();
    assert.equal(user, 'änn');
    assert.equal(received?.headers['x-remote-uid'], 'u1');
    assert.deepEqual(valuesOf(received?.rawHeaders, 'x-remote-group'), [
      'a,b',
      'staff',
      'system:authenticated',
    ]);
    assert.deepEqual(valuesOf(received?.rawHeaders, 'x-remote-extra-example.com%2fteam'), [
      'one',
      'two',
    ]);
    assert.deepEqual(valuesOf(received?.rawHeaders, 'x-remote-extra-a%25b'), ['x']);
    assert.equal(received?.headers['x-forwarded-for'], '127.0.0.1');
    assert.equal(received?.headers['x-forwarded-uri'], `${base}/namespaces/a/things`);
    assert.equal(received?.headers['audit-id'], answer.headers['audit-id']);
  });

  it('carries neither credentials nor what the client says about itself', async () => {
    await server.fetch(`${base}/things`, {
      headers: {
        'x-remote-user': 'root',
        'X-Remote-Group': ['system:masters'],
        'x-remote-extra-scopes': 'all',
        'x-remote-uid': '0',
        'proxy-authorization': 'Basic x',
        connection: 'close, x-hop',
        'x-hop': '1',
        te: 'trailers',
        'x-kept': 'yes',
      },
    });
    const received = last();
    assert.equal(received?.headers['authorization'], undefined);
    assert.equal(received?.headers['proxy-authorization'], undefined);
    assert.equal(received?.headers['x-hop'], undefined);
    assert.equal(received?.headers['te'], undefined);
    assert.equal(received?.headers['x-remote-extra-scopes'], undefined);
    assert.deepEqual(valuesOf(received?.rawHeaders, 'x-remote-user').length, 1);
    assert.notEqual(received?.headers['x-remote-user'], 'root');
    assert.equal(received?.headers['x-remote-uid'], 'u1');
    assert.ok(!valuesOf(received?.rawHeaders, 'x-remote-group').includes('system:masters'));
    assert.equal(received?.headers['x-kept'], 'yes');
  });

  it('acts as the impersonated user, and hides that it does', async () => {
    await server.fetch(`${base}/things`, {
      headers: { 'impersonate-user': 'eve', 'impersonate-group': 'guests' },
    });
    assert.equal(last()?.headers['x-remote-user'], 'eve');
    assert.equal(last()?.headers['impersonate-user'], undefined);
    assert.deepEqual(valuesOf(last()?.rawHeaders, 'x-remote-group'), [
      'guests',
      'system:authenticated',
    ]);
  });

  it('is not sent when the caller may not', async () => {
    const answer = await server.fetch(`${base}/things`, {
      headers: { authorization: 'Bearer bob-token' },
    });
    assert.equal(answer.status, 403);
    assert.equal(last(), undefined);
  });

  it('is not sent when the caller is not known', async () => {
    const answer = await server.fetch(`${base}/things`, {
      headers: { authorization: 'Bearer nobody' },
    });
    assert.equal(answer.status, 401);
    assert.equal(last(), undefined);
  });

  it('carries its body, and answers with status, headers and body of the server', async () => {
    server.extension.answer = (req, res, body) => {
      if (req.method !== 'POST') return false;
      res.writeHead(201, {
        'content-type': 'text/x',
        'x-answer': ['1', '2'],
        'access-control-allow-origin': '*',
        warning: '299 - "careful"',
      });
      res.end(`got ${body}`);
      return true;
    };
    const answer = await server.fetch(`${base}/things`, { method: 'POST', body: '{"a":1}' });
    assert.equal(answer.status, 201);
    assert.equal(answer.text, 'got {"a":1}');
    assert.equal(answer.headers['content-type'], 'text/x');
    assert.equal(answer.headers['x-answer'], '1, 2');
    assert.equal(answer.headers['warning'], '299 - "careful"');
    assert.equal(answer.headers['access-control-allow-origin'], undefined);
  });

  it('may come over HTTP/2', async () => {
    server.extension.answer = (req, res, body) => {
      res.writeHead(200, { 'x-answer': 'yes', connection: 'close' });
      res.end(`${req.method} ${body}`);
      return true;
    };
    const session = connectHttp2(`https://127.0.0.1:${server.port}`, { rejectUnauthorized: false });
    const stream = session.request({
      ':method': 'POST',
      ':path': `${base}/things`,
      authorization: 'Bearer ann-token',
    });
    stream.end('hello');
    const headers = await new Promise<Record<string, unknown>>((resolve, reject) => {
      stream.on('response', resolve).on('error', reject);
    });
    let text = '';
    for await (const chunk of stream) text += String(chunk);
    session.close();
    assert.deepEqual([headers[':status'], headers['x-answer'], text], [200, 'yes', 'POST hello']);
    assert.equal(last()?.headers['authorization'], undefined);
    assert.equal(last()?.headers[':path'], undefined);
  });

  it('is not redirected', async () => {
    server.extension.answer = (_req, res) => {
      res.writeHead(302, { location: 'https://169.254.169.254/latest' });
      res.end();
      return true;
    };
    const answer = await server.fetch(`${base}/things`);
    assert.equal(answer.status, 502);
    assert.equal(answer.headers['location'], undefined);
    assert.equal(
      answer.text,
      'the backend attempted to redirect this request, which is not permitted',
    );
  });

  it('sends the path that was authorized', async () => {
    await server.fetch(`${base}/namespaces/a%2fthings/b%3Fc`);
    assert.equal(last()?.url, `${base}/namespaces/a/things/b%3Fc`);
  });

  it('streams a watch as it comes', async () => {
    server.extension.answer = (req, res) => {
      if (!req.url?.includes('watch=')) return false;
      res.write('{"type":"ADDED"}\n');
      setTimeout(() => res.end('{"type":"MODIFIED"}\n'), 100);
      return true;
    };
    const chunks = await chunksOf(server.port, `${base}/things?watch=true`);
    assert.deepEqual(chunks, ['{"type":"ADDED"}\n', '{"type":"MODIFIED"}\n']);
  });

  it('ends at the server when its client goes away', async () => {
    const gone = new Promise<void>((resolve) => {
      server.extension.answer = (req, res) => {
        res.write('{}\n');
        req.socket.on('close', () => resolve());
        return true;
      };
    });
    const outgoing = connect(server.port, `${base}/things?watch=true`);
    outgoing.on('error', () => {});
    outgoing.on('response', (answer) => answer.once('data', () => outgoing.destroy()));
    outgoing.end();
    await gone;
  });

  it('is cut when the server fails half way', async () => {
    server.extension.answer = (req, res) => {
      res.writeHead(200, { 'content-length': '1000' });
      res.write('part');
      setTimeout(() => req.socket.destroy(), 50);
      return true;
    };
    await assert.rejects(server.fetch(`${base}/things`), /aborted|hang up|ECONNRESET/);
  });

  it('is given up when its time is up, also at the server behind', async () => {
    const gone = new Promise<void>((resolve) => {
      server.extension.answer = (req) => {
        req.socket.on('close', () => resolve());
        return true;
      };
    });
    const answer = await server.fetch(`${base}/things?timeout=200ms`);
    assert.equal(answer.status, 504);
    assert.match(answer.text, /request did not complete within the allotted timeout/);
    await gone;
  });

  it('may change the protocol, with the name of the caller', async () => {
    const { head, echoed } = await upgrade(server.port, `${base}/things/a/exec`);
    assert.equal(head.statusCode, 101);
    assert.equal(head.headers['upgrade'], 'SPDY/3.1');
    assert.equal(echoed, 'ping');
    assert.equal(last()?.headers['authorization'], undefined);
    assert.equal(last()?.headers['x-remote-uid'], 'u1');
    assert.equal(last()?.headers['x-remote-user'], Buffer.from('änn').toString('latin1'));
    assert.equal(last()?.headers['sec-websocket-protocol'], 'v4.channel.k8s.io');
  });

  it('is told when the server refuses the change of protocol', async () => {
    const answer = await server.fetch(`${base}/things/refuse`, {
      headers: { connection: 'Upgrade', upgrade: 'SPDY/3.1' },
    });
    assert.deepEqual([answer.status, answer.text], [403, 'no\n']);
  });
});

describe('an extension server that', () => {
  const rows: readonly (readonly [string, (server: AggregatedServer) => object, RegExp])[] = [
    [
      'has a certificate of somebody else',
      () => ({ caBundle: Buffer.from(otherAuthorityPem).toString('base64') }),
      /^error trying to reach service: tls: failed to verify certificate: x509: certificate signed by unknown authority\n$/,
    ],
    [
      'is vouched for by nobody',
      () => ({}),
      /^error trying to reach service: tls: failed to verify certificate: x509: certificate signed by unknown authority\n$/,
    ],
    [
      'has a certificate for another service',
      (server) => ({
        caBundle: Buffer.from(server.authority.certificatePem).toString('base64'),
        service: { namespace: 'default', name: 'other', port: server.extension.port },
      }),
      /^error trying to reach service: tls: failed to verify certificate: x509: certificate is valid for ext.default.svc, not other.default.svc\n$/,
    ],
  ];
  for (const [name, spec, text] of rows) {
    it(`${name} gets no request`, async () => {
      await using server = await openAggregatedServer();
      await server.test.admin('POST', '/api/v1/namespaces', { metadata: { name: 'default' } });
      await server.test.admin('POST', '/api/v1/namespaces/default/services', {
        metadata: { name: 'other' },
        spec: { type: 'ExternalName', externalName: 'localhost' },
      });
      await server.register(spec(server));
      const answer = await server.fetch(`${base}/things`);
      assert.equal(answer.status, 503);
      assert.match(answer.text, text);
      assert.equal(answer.headers['content-type'], 'text/plain; charset=utf-8');
      assert.deepEqual(server.extension.received, []);
    });
  }

  it('is not available is not asked', async () => {
    await using server = await openAggregatedServer();
    await server.register(
      { service: { namespace: 'default', name: 'nowhere' } },
      'ServiceNotFound',
    );
    const answer = await server.fetch(`${base}/things`);
    assert.deepEqual([answer.status, answer.text], [503, 'service unavailable\n']);
  });

  it('went away is missed', async () => {
    await using server = await openAggregatedServer();
    await server.register();
    await server.extension.close();
    const answer = await server.fetch(`${base}/things`);
    assert.equal(answer.status, 503);
    assert.match(
      answer.text,
      // Depends on whether the controller has noticed.
      /^(service unavailable|error trying to reach service: dial tcp \S+: connect: connection refused)\n$/,
    );
  });

  it('is no longer registered serves nothing', async () => {
    await using server = await openAggregatedServer();
    await server.register();
    await server.test.admin('DELETE', `${apiServicePath}/${version}.${group}`);
    const answer = await server.fetch(`${base}/things`);
    assert.deepEqual([answer.status, answer.text], [404, '404 page not found\n']);
  });
});

function valuesOf(rawHeaders: readonly string[] | undefined, name: string): string[] {
  return (rawHeaders ?? []).flatMap((text, i) =>
    i % 2 === 0 && text.toLowerCase() === name ? [rawHeaders?.[i + 1] ?? ''] : [],
  );
}

function connect(port: number, path: string, headers: Record<string, string> = {}) {
  return httpsRequest({
    host: '127.0.0.1',
    port,
    path,
    headers: { authorization: 'Bearer ann-token', ...headers },
    rejectUnauthorized: false,
    agent: false,
  });
}

function chunksOf(port: number, path: string): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const chunks: string[] = [];
    connect(port, path)
      .on('error', reject)
      .on('response', (answer) => {
        answer.setEncoding('utf8').on('data', (chunk: string) => void chunks.push(chunk));
        answer.on('end', () => resolve(chunks));
      })
      .end();
  });
}

interface Upgraded {
  readonly head: IncomingMessage;
  readonly echoed: string;
}

function upgrade(port: number, path: string): Promise<Upgraded> {
  return new Promise((resolve, reject) => {
    connect(port, path, {
      connection: 'Upgrade',
      upgrade: 'SPDY/3.1',
      'x-remote-uid': '0',
      'sec-websocket-protocol': `base64url.bearer.authorization.k8s.io.eA, v4.channel.k8s.io`,
    })
      .on('error', reject)
      .on('response', (answer) => reject(new Error(`answered ${answer.statusCode}`)))
      .on('upgrade', (head, socket) => {
        socket.once('data', (data: Buffer) => {
          socket.destroy();
          resolve({ head, echoed: data.toString() });
        });
        socket.write('ping');
      })
      .end();
  });
}
