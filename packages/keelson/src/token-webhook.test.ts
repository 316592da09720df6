// `--authentication-token-webhook-config-file` against a webhook over real HTTPS (spec/auth §2.6).

import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import { systemClock, systemRandom } from '@keelson/apimachinery';
import { createCertificateAuthority } from '@keelson/apiserver';
import {
  startAuthenticatedPlane,
  temporaryFile,
  until,
  type AuthenticatedPlane,
} from './testing/authenticated-plane.ts';
import { openTokenWebhook } from './token-webhook-endpoint.ts';

const authority = createCertificateAuthority(
  { clock: systemClock, random: systemRandom },
  { commonName: 'webhook-ca' },
);
const serving = authority.issueServing({
  commonName: 'webhook',
  dnsNames: ['localhost'],
  ipAddresses: ['127.0.0.1'],
});

interface Question {
  readonly apiVersion: string;
  readonly kind: string;
  readonly spec: { readonly token: string; readonly audiences?: readonly string[] };
}
type Reply = (question: Question, response: ServerResponse) => void;

interface Webhook {
  reply: Reply;
  readonly questions: Question[];
  readonly paths: string[];
  readonly kubeconfig: string;
}

const answering =
  (status: object, more: object = {}): Reply =>
  ({ apiVersion }, response) =>
    response.end(JSON.stringify({ apiVersion, kind: 'TokenReview', status, ...more }));
const jane = { username: 'jane', uid: 'u1', groups: ['dev'], extra: { 'a.io/b': ['c'] } };
const known = answering({ authenticated: true, user: jane });

async function startWebhook(t: TestContext): Promise<Webhook> {
  const server: Server = createServer({
    cert: serving.certificatePem,
    key: serving.privateKeyPem,
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  const webhook: Webhook = {
    reply: known,
    questions: [],
    paths: [],
    kubeconfig: JSON.stringify({
      clusters: [
        {
          name: 'w',
          cluster: {
            server: `https://127.0.0.1:${port}/review`,
            'certificate-authority-data': Buffer.from(authority.certificatePem).toString('base64'),
          },
        },
      ],
      users: [{ name: 'u', user: { token: 'ours' } }],
      contexts: [{ name: 'c', context: { cluster: 'w', user: 'u' } }],
      'current-context': 'c',
    }),
  };
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const question = JSON.parse(Buffer.concat(chunks).toString()) as Question;
      webhook.questions.push(question);
      webhook.paths.push(`${request.method} ${request.url} ${request.headers.authorization}`);
      webhook.reply(question, response);
    });
  });
  return webhook;
}

async function planeAsking(
  t: TestContext,
  webhook: Webhook,
  options: { readonly version?: 'v1' | 'v1beta1'; readonly cacheTtlMs?: number } = {},
): Promise<AuthenticatedPlane> {
  const { path } = temporaryFile(t, 'webhook.kubeconfig', webhook.kubeconfig);
  const { version = 'v1', cacheTtlMs = 120_000 } = options;
  return startAuthenticatedPlane(t, {
    tokenWebhook: { endpoint: openTokenWebhook(path), version, cacheTtlMs },
    apiAudiences: ['api'],
  });
}

/** `name [groups] audiences`, or the error. */
async function outcome(plane: AuthenticatedPlane, token: string, audiences?: readonly string[]) {
  const review = await plane.review(token, audiences);
  if (!review.authenticated) return review.error.replace(/^\[invalid bearer token, (.*)\]$/s, '$1');
  return `${review.username} [${review.groups.join(' ')}] ${review.audiences.join(',')}`;
}
const unknown = 'invalid bearer token';
const isJane = 'jane [dev system:authenticated] api';

test('auth §2.6: the question and the answer, in both versions', async (t) => {
  for (const version of ['v1', 'v1beta1'] as const) {
    const webhook = await startWebhook(t);
    const plane = await planeAsking(t, webhook, { version });
    const review = await plane.review('opaque');
    assert.deepEqual(
      [review.username, review.uid, review.groups, review.extra, review.audiences],
      ['jane', 'u1', ['dev', 'system:authenticated'], { 'a.io/b': ['c'] }, ['api']],
    );
    assert.deepEqual(webhook.questions, [
      {
        kind: 'TokenReview',
        apiVersion: `authentication.k8s.io/${version}`,
        metadata: {},
        spec: { token: 'opaque', audiences: ['api'] },
        status: { user: {} },
      },
    ]);
    assert.deepEqual(webhook.paths, ['POST /review Bearer ours']);
    assert.equal(await plane.status('/api', { authorization: 'Bearer opaque' }), 200);
  }
});

test('auth §2.6: answers that do not make a user', async (t) => {
  const webhook = await startWebhook(t);
  const plane = await planeAsking(t, webhook);
  const rows: [what: string, reply: Reply, expected: string][] = [
    ['not authenticated', answering({ authenticated: false }), unknown],
    ['nothing', answering({}), unknown],
    [
      'an error',
      answering({ authenticated: false, error: 'token expired yesterday' }),
      'token expired yesterday',
    ],
    ['a user who is not authenticated', answering({ user: jane }), unknown],
    [
      'authenticated in words',
      answering({ authenticated: 'true', user: jane }),
      "the webhook's answer cannot be read: json: cannot unmarshal string into Go struct field TokenReviewStatus.status.authenticated of type bool",
    ],
    [
      'groups that are none',
      answering({ authenticated: true, user: { ...jane, groups: 'system:masters' } }),
      "the webhook's answer cannot be read: json: cannot unmarshal string into Go struct field UserInfo.status.user.groups of type []string",
    ],
    ['no name', answering({ authenticated: true, user: {} }), 'the webhook named no user'],
    [
      'another kind',
      answering({ authenticated: true, user: jane }, { kind: 'SubjectAccessReview' }),
      'the webhook answered with a SubjectAccessReview of authentication.k8s.io/v1',
    ],
    [
      'another version',
      answering(
        { authenticated: true, user: jane },
        { apiVersion: 'authentication.k8s.io/v1beta1' },
      ),
      'the webhook answered with a TokenReview of authentication.k8s.io/v1beta1',
    ],
    ['no JSON', (_q, response) => response.end('<html>'), "the webhook's answer cannot be read: "],
    ['nothing at all', (_q, response) => response.end(), "the webhook's answer cannot be read: "],
    [
      'a refusal',
      (_q, response) => response.writeHead(403).end(),
      'the webhook answered with status 403',
    ],
    [
      'somewhere else',
      (_q, response) => response.writeHead(302, { location: '/evil' }).end(),
      'the webhook answered with status 302',
    ],
    [
      'out of order, and no word of when',
      (_q, response) => response.writeHead(503).end(),
      'the webhook answered with status 503',
    ],
    ['too much', (_q, response) => response.end(Buffer.alloc(2 * 1024 * 1024, 0x20)), ''],
  ];
  for (const [i, [what, reply, expected]] of rows.entries()) {
    webhook.reply = reply;
    const actual = await outcome(plane, `token-${i}`);
    assert.ok(actual.startsWith(expected) && !actual.startsWith('jane'), `${what}: ${actual}`);
    assert.equal(await plane.status('/api', { authorization: `Bearer token-${i}` }), 401, what);
  }
});

test('auth §2.9 (12): audiences are kept apart', async (t) => {
  const webhook = await startWebhook(t);
  const plane = await planeAsking(t, webhook);
  webhook.reply = (question, response) => {
    const audiences = question.spec.audiences?.includes('vault') === true ? ['vault'] : ['other'];
    answering({ authenticated: true, user: jane, audiences })(question, response);
  };
  assert.equal(await outcome(plane, 'opaque'), unknown, 'other audiences');
  assert.equal(
    await outcome(plane, 'opaque', ['vault', 'x']),
    'jane [dev system:authenticated] vault',
    'the same token for others',
  );
  assert.equal(await outcome(plane, 'opaque'), unknown, 'still not for us');
  webhook.reply = known;
  assert.equal(await outcome(plane, 'plain', ['vault']), unknown, 'meant for the API server');
});

test('auth §2.9 (13): one call for a token within its time', async (t) => {
  const webhook = await startWebhook(t);
  const plane = await planeAsking(t, webhook);
  assert.equal(await outcome(plane, 'opaque'), isJane);
  assert.equal(await outcome(plane, 'opaque'), isJane);
  assert.equal(webhook.questions.length, 1);
  assert.equal(await outcome(plane, 'opaque2'), isJane, 'another token');
  assert.equal(webhook.questions.length, 2);
  await plane.clock.advance(119_000);
  await outcome(plane, 'opaque');
  assert.equal(webhook.questions.length, 2);
  webhook.reply = answering({ authenticated: false });
  await plane.clock.advance(2_000);
  assert.equal(await outcome(plane, 'opaque'), unknown, 'taken back');
  assert.equal(await outcome(plane, 'opaque'), unknown);
  assert.equal(webhook.questions.length, 3, 'what is unknown is remembered too');
  webhook.reply = answering({ error: 'try later' });
  assert.equal(await outcome(plane, 'other'), 'try later');
  webhook.reply = known;
  assert.equal(await outcome(plane, 'other'), isJane, 'errors are not remembered');
  const cache = await plane.metrics('authentication_token_cache_request_total{');
  assert.ok(
    cache.includes('authentication_token_cache_request_total{status="hit"} 3'),
    cache.join(),
  );
});

test('a storm of requests makes one call', async (t) => {
  const webhook = await startWebhook(t);
  const plane = await planeAsking(t, webhook, { cacheTtlMs: 0 });
  const all = await Promise.all(Array.from({ length: 20 }, () => outcome(plane, 'opaque')));
  assert.deepEqual(new Set(all), new Set([isJane]));
  assert.equal(webhook.questions.length, 1);
});

test('auth §2.6: what failed in passing is tried again', async (t) => {
  const failures: Record<string, Reply> = {
    '429': (_q, response) => response.writeHead(429).end(),
    '500': (_q, response) => response.writeHead(500).end(),
    '504': (_q, response) => response.writeHead(504).end(),
    'a time to come back': (_q, response) => response.writeHead(503, { 'retry-after': '1' }).end(),
    'a broken connection': (_q, response) => response.destroy(),
  };
  for (const [what, failure] of Object.entries(failures)) {
    const webhook = await startWebhook(t);
    const plane = await planeAsking(t, webhook);
    webhook.reply = (question, response) =>
      (webhook.questions.length < 3 ? failure : known)(question, response);
    const asked = outcome(plane, 'opaque');
    for (const attempt of [1, 2]) {
      await until(() => webhook.questions.length === attempt);
      await until(async () => {
        await plane.clock.advance(100);
        return webhook.questions.length > attempt;
      });
    }
    assert.equal(await asked, isJane, what);
    assert.equal(webhook.questions.length, 3, what);
    webhook.reply = failure;
    const refused = outcome(plane, 'another');
    let isDone = false;
    void refused.then(() => (isDone = true));
    await until(async () => {
      await plane.clock.advance(100);
      return isDone;
    });
    assert.ok(!(await refused).startsWith('jane'), what);
    assert.equal(webhook.questions.length, 8, `${what}: five tries`);
  }
});

test('a webhook that says nothing is given up', async (t) => {
  const webhook = await startWebhook(t);
  const plane = await planeAsking(t, webhook);
  webhook.reply = () => {};
  const asked = outcome(plane, 'opaque');
  await until(() => webhook.questions.length === 1);
  await plane.clock.advance(30_000);
  assert.equal(await asked, 'context deadline exceeded');
  for (const line of plane.log) assert.ok(!line.includes('opaque'), line);
});
