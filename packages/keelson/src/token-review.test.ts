// TokenReview of service account tokens by a whole control plane, and which release serves which
// SelfSubjectReview (spec/auth §8).

import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { callInProcess, createFeatures, parseRuntimeConfig } from '@keelson/apiserver';
import { startAuthenticatedPlane, type AuthenticatedPlane } from './testing/authenticated-plane.ts';

const admin = { name: 'root', uid: '', groups: ['system:masters'], extra: {} };

async function post(plane: AuthenticatedPlane, url: string, body: object) {
  const answer = await callInProcess(plane.plane.server.serve, {
    method: 'POST',
    url,
    user: admin,
    headers: { 'content-type': 'application/json' },
    body: Buffer.from(JSON.stringify(body)),
  });
  const text = Buffer.from(await answer.bytes()).toString();
  const value = (answer.status === 404 && !text.startsWith('{') ? {} : JSON.parse(text)) as {
    message?: string;
    status?: { token?: string; userInfo?: { username?: string } };
  };
  return { status: answer.status, ...value, code: answer.status };
}

async function tokenOf(plane: AuthenticatedPlane, audiences: readonly string[] = []) {
  const accounts = '/api/v1/namespaces/default/serviceaccounts';
  await post(plane, accounts, { metadata: { name: 'bot' } });
  const url = `${accounts}/bot/token`;
  const answer = await post(plane, url, { spec: { audiences } });
  return (answer.status as { token?: string }).token ?? '';
}

const reviews = '/apis/authentication.k8s.io/v1/tokenreviews';
const bot = 'system:serviceaccount:default:bot';

test('auth §8.2 (4): a service account token shows where it is from', async (t) => {
  const plane = await startAuthenticatedPlane(t);
  const review = await plane.review(await tokenOf(plane));
  assert.equal(review.username, bot);
  assert.match(
    review.extra['authentication.kubernetes.io/credential-id']?.[0] ?? '',
    /^JTI=[0-9a-f-]{36}$/,
  );
});

test('auth §8.2 (5), (8): audiences that are shared, and that are not', async (t) => {
  const plane = await startAuthenticatedPlane(t);
  const token = await tokenOf(plane, ['b', 'c']);
  const shared = await plane.review(token, ['a', 'b']);
  assert.deepEqual([shared.authenticated, shared.audiences], [true, ['b']]);
  for (const audiences of [[], ['a'], ['B']]) {
    const review = await plane.review(token, audiences);
    assert.equal(review.authenticated, false, audiences.join());
    assert.match(review.error, /token audiences \["b" "c"\] is invalid for the target audiences/);
  }
});

test('auth §8.2 (6), (7): questions that are none', async (t) => {
  const plane = await startAuthenticatedPlane(t);
  const empty = await post(plane, reviews, { spec: { token: '' } });
  assert.equal(empty.code, 400);
  assert.equal(empty.message, 'token is required for TokenReview in authentication');
  const inNamespace = reviews.replace('/v1/', '/v1/namespaces/default/');
  assert.equal((await post(plane, inNamespace, { spec: { token: 'x' } })).code, 404);
});

const selfReviews = (version: string) =>
  `/apis/authentication.k8s.io/${version}/selfsubjectreviews`;

test('auth §8.2: versions of SelfSubjectReview by release', async (t) => {
  const gate = { APISelfSubjectReview: true };
  const all = 'api/all=true';
  const rows: [release: string, options: { gates?: object; runtime?: string }, served: string[]][] =
    [
      ['1.26', {}, []],
      ['1.26', { gates: gate, runtime: all }, ['v1alpha1']],
      ['1.27', {}, []],
      ['1.27', { runtime: all }, ['v1alpha1', 'v1beta1']],
      ['1.28', {}, ['v1']],
      ['1.36', {}, ['v1']],
      ['1.36', { runtime: all }, ['v1']],
    ];
  for (const [release, { gates = {}, runtime = '' }, served] of rows) {
    const plane = await startPlane(t, release, gates, runtime);
    const found = [];
    for (const version of ['v1alpha1', 'v1beta1', 'v1']) {
      const { code, status } = await post(plane, selfReviews(version), {});
      if (code !== 404) assert.equal(userOf(status), 'root', `${release} ${version}`);
      if (code === 201) found.push(version);
    }
    assert.deepEqual(found, served, `${release} ${runtime}`);
  }
});

const userOf = (status: unknown) =>
  (status as { userInfo?: { username?: string } }).userInfo?.username;

function startPlane(t: TestContext, emulatedVersion: string, gates: object, runtime: string) {
  return startAuthenticatedPlane(t, {
    features: createFeatures({
      emulatedVersion,
      featureGates: gates as Readonly<Record<string, boolean>>,
    }),
    runtimeConfig: parseRuntimeConfig(runtime === '' ? [] : [runtime]),
  });
}
