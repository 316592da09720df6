import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { systemClock, systemRandom } from '@keelson/apimachinery';
import { createCertificateAuthority } from '../authentication/certificates/certificate-authority.ts';
import { createReviewClient, type ReviewServer } from './review-client.ts';

const dependencies = { clock: systemClock, random: systemRandom };
const authority = createCertificateAuthority(dependencies, { commonName: 'hooks' });
const stranger = createCertificateAuthority(dependencies, { commonName: 'strangers' });
const serving = authority.issueServing({
  commonName: 'hook',
  dnsNames: ['hook.example'],
  ipAddresses: ['127.0.0.1'],
});

let server: Server;
let port = 0;
let answer: (request: IncomingMessage, response: ServerResponse) => void = () => {};

before(async () => {
  const tls = { key: serving.privateKeyPem, cert: serving.certificatePem };
  server = createServer(tls, (request, response) => {
    request.resume();
    request.once('end', () => answer(request, response));
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  port = (server.address() as AddressInfo).port;
});
after(() => {
  server.closeAllConnections();
  server.close();
});

async function post(changes: Partial<ReviewServer> = {}, timeoutMs = 5000) {
  const url = `https://127.0.0.1:${port}/authorize`;
  const tls = { ca: authority.certificatePem };
  const options = { clock: systemClock, answerBytesMax: 100 };
  const client = createReviewClient({ url, tls, ...changes }, options);
  const result = await client.post(Buffer.from('{}'), timeoutMs);
  client.close();
  if (result instanceof Uint8Array) return Buffer.from(result).toString();
  const { message, isRetriable, result: kind } = result;
  return [kind, isRetriable ? 'again' : 'once', message.replaceAll(String(port), 'PORT')].join(
    ' | ',
  );
}

test('what is sent', async () => {
  answer = ({ method, url, headers }, response) =>
    void response.end(
      [method, url, headers['content-type'], headers.authorization, headers.host].join(' '),
    );
  assert.equal(
    await post({ token: () => 'T' }),
    `POST /authorize?timeout=5s application/json Bearer T 127.0.0.1:${port}`,
  );
  assert.match(await post(), /application\/json  127/);
});

test('what an answer means', async () => {
  const rows: [status: number, headers: Record<string, string>, expected: string][] = [
    [200, {}, 'body'],
    [201, {}, 'body'],
    [
      302,
      { location: '/elsewhere' },
      'error | once | the server responded with the status code 302',
    ],
    [307, { location: 'https://169.254.169.254/' }, 'error | once | the server responded with'],
    [401, {}, 'error | once | the server has asked for the client to provide credentials'],
    [429, {}, 'error | again | the server has received too many requests'],
    [500, {}, 'error | again | an error on the server'],
    [503, {}, 'error | once | the server is currently unable to handle the request'],
    [503, { 'retry-after': '1' }, 'error | again | the server is currently unable'],
    [504, {}, 'error | again | the server was unable to return a response'],
  ];
  for (const [status, headers, expected] of rows) {
    answer = (_request, response) => {
      response.writeHead(status, headers);
      response.end('body');
    };
    const outcome = await post();
    assert.ok(outcome.startsWith(expected), `${status}: ${outcome}`);
  }
});

test('bounds', async () => {
  answer = (_request, response) => void response.end('x'.repeat(101));
  assert.match(await post(), /^error \| once \| Post .*: the answer is larger than 100 bytes$/);
  answer = () => {};
  const slow =
    'timeout | once | Post "https://127.0.0.1:PORT/authorize?timeout=50ms": context deadline exceeded';
  assert.equal(await post({}, 50), slow);
  answer = (_request, response) => void response.write('x');
  assert.equal(await post({}, 50), slow, 'also in the middle of an answer');
});

test('whom it talks to', async () => {
  answer = (_request, response) => void response.end('ok');
  assert.equal(
    await post({ tls: { ca: authority.certificatePem, serverName: 'hook.example' } }),
    'ok',
  );
  assert.equal(await post({ tls: { insecureSkipVerify: true } }), 'ok');
  assert.match(
    await post({ tls: { ca: stranger.certificatePem } }),
    /^error \| once \| Post .*: tls: failed to verify certificate: x509: certificate signed by unknown authority$/,
  );
  assert.match(
    await post({ tls: { ca: authority.certificatePem, serverName: 'other.example' } }),
    /x509: certificate is valid for hook\.example, not other\.example$/,
  );
  assert.match(await post({ url: 'https://127.0.0.1:1/' }), /connect: connection refused$/);
  assert.match(await post({ url: 'https://169.254.169.254/' }), /address not allowed$/);
  answer = (request) => void request.socket.destroy();
  assert.match(await post(), /^error \| again \| Post .*: EOF$/);
});
