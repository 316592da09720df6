import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { systemClock, systemRandom } from '@keelson/apimachinery';
import { createCertificateAuthority } from '../authentication/certificates/certificate-authority.ts';
import { isForbiddenAddress } from './webhook-address.ts';
import { createWebhookClient, type WebhookAddress } from './webhook-client.ts';

const dependencies = { clock: systemClock, random: systemRandom };
const authority = createCertificateAuthority(dependencies, { commonName: 'hooks' });
const stranger = createCertificateAuthority(dependencies, { commonName: 'strangers' });
const serving = authority.issueServing({
  commonName: 'hook',
  dnsNames: ['hook.shop.svc', 'localhost'],
  ipAddresses: ['127.0.0.1'],
});
const caBundle = Buffer.from(authority.certificatePem).toString('base64');
const otherBundle = Buffer.from(stranger.certificatePem).toString('base64');
const services: Record<string, { host: string; port: number } | string> = {};
const client = createWebhookClient({
  clock: systemClock,
  answerBytesMax: 1000,
  services: {
    resolve({ namespace, name }) {
      const found = services[`${namespace}/${name}`];
      if (found === undefined) throw new Error(`service "${name}" not found`);
      return typeof found === 'string' ? { host: found, port: 443 } : found;
    },
  },
});

describe('webhook client', () => {
  let server: Server;
  let port = 0;
  let calls = 0;
  const sockets = new Set<unknown>();
  let answer: (request: IncomingMessage, response: ServerResponse) => void;

  before(async () => {
    server = createServer(
      { key: serving.privateKeyPem, cert: serving.certificatePem },
      (request, response) => {
        calls++;
        sockets.add(request.socket);
        request.resume();
        request.once('end', () => answer(request, response));
      },
    );
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    port = (server.address() as AddressInfo).port;
    services['shop/hook'] = { host: '127.0.0.1', port };
    services['shop/cloud'] = '169.254.169.254';
  });
  after(() => {
    client.close();
    server.closeAllConnections();
    server.close();
  });

  const post = async (address: WebhookAddress, timeoutMs = 5000) => {
    const body = Buffer.from('{}');
    return Buffer.from(await client.post({ address, body, timeoutMs })).toString();
  };
  const here = () => ({ url: `https://127.0.0.1:${port}/a`, caBundle });
  const refused = (address: WebhookAddress, message: string | RegExp, timeoutMs?: number) =>
    assert.rejects(post(address, timeoutMs), (error: Error) => {
      if (typeof message === 'string') assert.equal(error.message, message);
      else assert.match(error.message, message);
      return true;
    });

  it('posts JSON with the timeout in the query, over one connection', async () => {
    const seen: unknown[] = [];
    answer = (request, response) => {
      seen.push([request.method, request.url, request.headers['content-type']]);
      response.end('{"ok":true}');
    };
    sockets.clear();
    assert.equal(await post(here()), '{"ok":true}');
    assert.equal(await post(here()), '{"ok":true}');
    const expected = ['POST', '/a?timeout=5s', 'application/json'];
    assert.deepEqual(seen, [expected, expected]);
    assert.equal(sockets.size, 1);
  });

  it('reaches a service under its name, wherever it resolved to', async () => {
    let host: string | undefined;
    answer = (request, response) => {
      host = `${request.headers.host} ${request.url}`;
      response.end('served');
    };
    const service = { namespace: 'shop', name: 'hook', path: '/convert', port: 8443 };
    assert.equal(await post({ service, caBundle }), 'served');
    assert.equal(host, 'hook.shop.svc:8443 /convert?timeout=5s');
  });

  it('reads compressed answers within the same bound', async () => {
    answer = (_request, response) => {
      response.setHeader('content-encoding', 'gzip');
      response.end(gzipSync('x'.repeat(900)));
    };
    assert.equal((await post(here())).length, 900);
    answer = (_request, response) => {
      response.setHeader('content-encoding', 'gzip');
      response.end(gzipSync('x'.repeat(100_000)));
    };
    await refused(here(), /larger than 1000 bytes/);
  });

  const answers: readonly (readonly [string, (r: ServerResponse) => void, string | RegExp])[] = [
    [
      'a redirect is not followed',
      (r) => r.writeHead(307, { location: `https://127.0.0.1:${port}/b` }).end(),
      'the server responded with the status code 307 but did not return more information',
    ],
    [
      'an error without reason',
      (r) => r.writeHead(500).end('broken'),
      'an error on the server ("unknown") has prevented the request from succeeding',
    ],
    [
      'an error with a Status',
      (r) => r.writeHead(403).end('{"kind":"Status","apiVersion":"v1","message":"says no"}'),
      'says no',
    ],
    ['not there', (r) => r.writeHead(404).end(), /^the server could not find the requested/],
    ['no answer', (r) => r.socket?.destroy(), /^Post "https:.*a\?timeout=5s": EOF$/],
    ['too much', (r) => r.end('x'.repeat(2000)), /: the answer is larger than 1000 bytes$/],
  ];
  for (const [name, act, message] of answers) {
    it(`refuses: ${name}`, async () => {
      calls = 0;
      answer = (_request, response) => void act(response);
      await refused(here(), message);
      // Also over a kept connection nothing is sent twice: the webhook has seen it.
      assert.equal(calls, 1);
    });
  }

  it('gives up when time is up, also while it waits to try again', async () => {
    answer = () => {};
    await refused(here(), /a\?timeout=150ms": context deadline exceeded$/, 150);
    calls = 0;
    answer = (_request, response) => void response.writeHead(429, { 'retry-after': '1' }).end();
    await refused(here(), /context deadline exceeded$/, 150);
    assert.equal(calls, 1);
  });

  it('tries again when it is asked to', async () => {
    calls = 0;
    answer = (_request, response) => {
      if (calls < 3) response.writeHead(503, { 'retry-after': '0' }).end();
      else response.end('now');
    };
    assert.equal(await post(here()), 'now');
  });

  it('connects again when the connection that it kept is closed', async () => {
    answer = (_request, response) => void response.end('fine');
    await post(here());
    server.closeIdleConnections();
    assert.equal(await post(here()), 'fine');
  });

  it('trusts the bundle alone, and the name of the service', async () => {
    const unknown = /: tls: failed to verify certificate: x509: certificate signed by unknown/;
    await refused({ ...here(), caBundle: otherBundle }, unknown);
    await refused({ url: here().url }, unknown);
    services['other/hook'] = { host: '127.0.0.1', port };
    const service = { namespace: 'other', name: 'hook' };
    await refused(
      { service, caBundle },
      'Post "https://hook.other.svc:443/?timeout=5s": tls: failed to verify certificate: x509: ' +
        'certificate is valid for hook.shop.svc, localhost, not hook.other.svc',
    );
  });

  it('says what cannot be reached', async () => {
    const service = { namespace: 'shop', name: 'none', path: '/c' };
    await refused(
      { service },
      'Post "https://none.shop.svc:443/c?timeout=5s": service "none" not found',
    );
    const closed = 'Post "https://127.0.0.1:1/?timeout=5s": dial tcp 127.0.0.1:1: connect: ';
    await refused({ url: 'https://127.0.0.1:1' }, `${closed}connection refused`);
    await refused({ url: 'http://127.0.0.1:1' }, 'webhooks are called by https');
    await refused({}, 'no configuration for webhook service or url');
  });

  it('connects to no forbidden address, however it is written', async () => {
    for (const url of ['https://169.254.169.254/', 'https://0xa9fea9fe/', 'https://[::]/'])
      await refused({ url }, /webhooks may not be at /);
    await refused({ service: { namespace: 'shop', name: 'cloud' } }, /may not be at 169/);
  });
});

for (const [address, forbidden] of [
  ['127.0.0.1', false],
  ['10.96.0.1', false],
  ['::1', false],
  ['fd12::1', false],
  ['169.254.0.1', true],
  ['::ffff:169.254.169.254', true],
  ['fe80::1%eth0', true],
  ['0.0.0.0', true],
  ['::', true],
  ['239.0.0.1', true],
  ['ff02::1', true],
] as const)
  it(`${address} is ${forbidden ? 'forbidden' : 'allowed'}`, () => {
    assert.equal(isForbiddenAddress(address), forbidden);
  });
