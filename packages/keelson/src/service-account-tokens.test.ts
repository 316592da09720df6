// Service account tokens through a whole server: what is issued, who it makes the caller, and when
// it ends. Titles carry the section and number of the acceptance case that they hold.

import assert from 'node:assert/strict';
import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { test, type TestContext } from 'node:test';
import {
  createSimulatedClock,
  isStatusError,
  type JsonObject,
  type KubeObject,
} from '@keelson/apimachinery';
import { createSigningKey, parseVerificationKeys, type SigningKey } from '@keelson/apiserver';
import { createCluster, type ClusterOptions } from './create-cluster.ts';
import { core, simulateCluster } from './testing/simulated-cluster.ts';
import { getWithToken, readPart, requestToken, reviewToken } from './testing/token-client.ts';

const api = 'https://kubernetes.default.svc.cluster.local';
const bot = 'system:serviceaccount:default:bot';
const extra = (name: string) => `authentication.kubernetes.io/${name}`;
const invalidated = 'service account token has been invalidated';

async function simulate(t: TestContext, options: ClusterOptions = {}) {
  const simulated = await simulateCluster(t, { controllers: [], ...options });
  const { client } = simulated;
  const objects = (resource: string) => client.resource(core(resource)).namespace('default');
  await objects('serviceaccounts').create({ metadata: { name: 'bot' } });
  return {
    ...simulated,
    accounts: objects('serviceaccounts'),
    pods: objects('pods'),
    secrets: objects('secrets'),
    nodes: client.resource(core('nodes')),
    podFor: (name: string, spec: object = {}) =>
      objects('pods').create({
        metadata: { name },
        spec: {
          serviceAccountName: 'bot',
          automountServiceAccountToken: false,
          containers: [{ name: 'c', image: 'i' }],
          ...spec,
        },
      } as KubeObject),
    issue: async (spec: object = {}, metadata: object = {}) =>
      (await requestToken(client, 'default/bot', spec, metadata)).status.token,
    /** `ok`, or the reason after `invalid bearer token`. */
    async verdict(token: string, audiences: readonly string[] = []) {
      const { authenticated, error } = await reviewToken(client, token, audiences);
      return authenticated === true
        ? 'ok'
        : String(error).replace(/^\[invalid bearer token, (.*)\]$/, '$1');
    },
  };
}
const bound = (kind: string, name: string, more: object = {}) => ({
  boundObjectRef: { kind, apiVersion: 'v1', name, ...more },
});
const ownClaims = (token: string) => readPart(token, 1)['kubernetes.io'] as JsonObject;

/** The code and text of a refusal. */
async function refusal(call: Promise<unknown>): Promise<string> {
  try {
    await call;
  } catch (error) {
    if (isStatusError(error)) return `${error.code} ${error.message}`;
    throw error;
  }
  return 'not refused';
}

test('auth §4.9 (1): a token by default', async (t) => {
  const { issue } = await simulate(t);
  const token = await issue();
  const claims = readPart(token, 1);
  assert.equal(Number(claims['exp']) - Number(claims['iat']), 3600);
  assert.deepEqual(claims['aud'], [api]);
  assert.match(String(claims['jti']), /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-/);
  assert.deepEqual(Object.keys(ownClaims(token)), ['namespace', 'serviceaccount']);
  assert.deepEqual(Object.keys(readPart(token, 0)), ['alg', 'kid']);
  const other = readPart(await issue(), 1);
  assert.notEqual(other['jti'], claims['jti']);
});

test('auth §4.9 (2): a pod, its node, and a node without object', async (t) => {
  const { issue, podFor, nodes } = await simulate(t);
  const node = await nodes.create({ metadata: { name: 'n1' } });
  await podFor('unscheduled');
  await podFor('placed', { nodeName: 'n1' });
  await podFor('lost', { nodeName: 'n2' });
  const claims = async (name: string) => ownClaims(await issue(bound('Pod', name)));
  assert.equal((await claims('unscheduled'))['node'], undefined);
  assert.deepEqual((await claims('placed'))['node'], { name: 'n1', uid: node.metadata.uid ?? '' });
  assert.deepEqual((await claims('lost'))['node'], { name: 'n2' });
});

test('auth §4.9 (3, 4, 5): requests that are refused', async (t) => {
  const { issue, podFor, accounts } = await simulate(t);
  await accounts.create({ metadata: { name: 'other' } });
  await podFor('theirs', { serviceAccountName: 'other' });
  await podFor('mine');
  const short =
    'spec.expirationSeconds: Invalid value: 599: may not specify a duration less than 10 minutes';
  const long =
    'spec.expirationSeconds: Invalid value: 4294967297: may not specify a duration larger than 2^32 seconds';
  const rows: [what: string, spec: object, expected: RegExp | string][] = [
    [
      'a pod of another account',
      bound('Pod', 'theirs'),
      '400 cannot bind token for serviceaccount "bot" to pod running with different serviceaccount name.',
    ],
    [
      'a pod of another uid',
      bound('Pod', 'mine', { uid: 'x' }),
      '409 Operation cannot be fulfilled on Pod "mine": the UID in the bound object reference (x) does not match the UID in record. The object might have been deleted and then recreated',
    ],
    ['no pod', bound('Pod', 'none'), '404 pods "none" not found'],
    ['something else', bound('ConfigMap', 'x'), /^400 cannot bind token to object of type/],
    ['too short', { expirationSeconds: 599 }, new RegExp(`^422 .*${escape(short)}`)],
    ['too long', { expirationSeconds: 2 ** 32 + 1 }, new RegExp(`^422 .*${escape(long)}`)],
  ];
  for (const [what, spec, expected] of rows) {
    const text = await refusal(issue(spec));
    if (typeof expected === 'string') assert.equal(text, expected, what);
    else assert.match(text, expected, what);
  }
});

const escape = (text: string) => text.replaceAll(/[\^$.*+?()[\]{}|\\]/g, '\\$&');

test('auth §4.9 (6): a longer life than allowed is shortened, with a warning', async (t) => {
  const { cluster, issue } = await simulate(t, {
    serviceAccounts: { tokenExpirationSecondsMax: 7200 },
  });
  const claims = readPart(await issue({ expirationSeconds: 4 * 3600 }), 1);
  assert.equal(Number(claims['exp']) - Number(claims['iat']), 7200);
  const body = JSON.stringify({
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: { expirationSeconds: 14_400 },
  });
  const answer = await cluster.client().open({
    method: 'POST',
    path: '/api/v1/namespaces/default/serviceaccounts/bot/token',
    headers: { 'content-type': 'application/json' },
    body: Buffer.from(body),
  });
  assert.match(
    answer.header('warning') ?? '',
    /requested expiration of 14400 seconds shortened to 7200 seconds/,
  );
});

test('auth §4.9 (7, 8): tokens of pods live on, and are noted when used late', async (t) => {
  const { cluster, client, clock, podFor, verdict } = await simulate(t);
  await podFor('p');
  const request = (audiences: string[]) =>
    requestToken(client, 'default/bot', {
      ...bound('Pod', 'p'),
      expirationSeconds: 3607,
      audiences,
    });
  const { status } = await request([]);
  const claims = readPart(status.token, 1);
  const issuedAt = Number(claims['iat']);
  assert.equal(Number(claims['exp']) - issuedAt, 31_536_000);
  assert.equal(ownClaims(status.token)['warnafter'], issuedAt + 3607);
  assert.equal(Date.parse(status.expirationTimestamp) / 1000 - issuedAt, 3607);
  const foreign = readPart((await request([api, 'vault'])).status.token, 1);
  assert.equal(Number(foreign['exp']) - Number(foreign['iat']), 3607);

  const counted = async (name: string) => {
    const text = Buffer.from(await cluster.client().send({ method: 'GET', path: '/metrics' }));
    return new RegExp(`^${name} (\\d+)$`, 'm').exec(text.toString())?.[1];
  };
  assert.equal(await verdict(status.token), 'ok');
  assert.equal(await counted('serviceaccount_valid_tokens_total'), '1');
  assert.equal(await counted('serviceaccount_stale_tokens_total'), '0');
  await clock.advance(3_700_000);
  assert.equal(await verdict(status.token), 'ok');
  assert.equal(await counted('serviceaccount_stale_tokens_total'), '1');

  const plain = await simulate(t, { serviceAccounts: { extendTokenExpiration: false } });
  await plain.podFor('p');
  const short = readPart(await plain.issue({ ...bound('Pod', 'p'), expirationSeconds: 3607 }), 1);
  assert.equal(Number(short['exp']) - Number(short['iat']), 3607);
});

test('auth §4.9 (9): without its pod a token is refused, at once', async (t) => {
  const { cluster, issue, podFor, pods, verdict } = await simulate(t);
  await podFor('p');
  const token = await issue(bound('Pod', 'p'));
  const address = await cluster.listen();
  const path = '/apis/authentication.k8s.io';
  assert.equal((await getWithToken(address, path, token)).status, 200);
  await pods.delete('p', { gracePeriodSeconds: 0 });
  assert.equal((await getWithToken(address, path, token)).status, 401);
  assert.equal(await verdict(token), invalidated);
});

test('auth §4.9 (9): what is being deleted counts for a minute more', async (t) => {
  const { issue, podFor, pods, clock, verdict } = await simulate(t);
  await podFor('p', { nodeName: 'n1', terminationGracePeriodSeconds: 300 });
  await pods.patch('p', 'merge', { metadata: { finalizers: ['example.com/stay'] } });
  const token = await issue({ ...bound('Pod', 'p'), expirationSeconds: 7200 });
  await pods.delete('p', { gracePeriodSeconds: 30 });
  await clock.advance(85_000);
  assert.equal(await verdict(token), 'ok');
  await clock.advance(10_000);
  assert.equal(await verdict(token), invalidated);
});

test('auth §4.9 (10): a token ends with its node, and with its secret', async (t) => {
  const { issue, nodes, secrets, verdict } = await simulate(t);
  await nodes.create({ metadata: { name: 'n1' } });
  await secrets.create({ metadata: { name: 's' } });
  for (const [kind, name, resource] of [
    ['Node', 'n1', nodes],
    ['Secret', 's', secrets],
  ] as const) {
    const token = await issue(bound(kind, name));
    assert.equal(await verdict(token), 'ok', kind);
    await resource.delete(name);
    assert.equal(await verdict(token), invalidated, kind);
    await resource.create({ metadata: { name } });
    const what = kind.toLowerCase();
    assert.match(
      await verdict(token),
      new RegExp(
        `^${what} UID \\(.+\\) does not match service account ${what} ref claim \\(.+\\)$`,
      ),
    );
  }
});

test('auth §4.9 (11): an account of the same name is another account', async (t) => {
  const { issue, accounts, verdict } = await simulate(t);
  const token = await issue();
  await accounts.delete('bot');
  assert.equal(await verdict(token), 'serviceaccounts "bot" not found');
  await accounts.create({ metadata: { name: 'bot' } });
  assert.match(await verdict(token), /^service account UID \(.+\) does not match claim \(.+\)$/);
});

test('auth §4.9 (12, 13), §8 (4): a review shows pod, node and credential', async (t) => {
  const { client, cluster, issue, podFor, nodes } = await simulate(t);
  const node = await nodes.create({ metadata: { name: 'n1' } });
  const pod = await podFor('p', { nodeName: 'n1' });
  const token = await issue(bound('Pod', 'p'));
  const expected = {
    [extra('credential-id')]: [`JTI=${String(readPart(token, 1)['jti'])}`],
    [extra('pod-name')]: ['p'],
    [extra('pod-uid')]: [pod.metadata.uid],
    [extra('node-name')]: ['n1'],
    [extra('node-uid')]: [node.metadata.uid],
  };
  const { user, authenticated } = await reviewToken(client, token);
  assert.equal(authenticated, true);
  assert.deepEqual((user as JsonObject)['extra'], expected);

  // The caller sees the same about himself (KEP-3325).
  const answer = await getWithToken(
    await cluster.listen(),
    '/apis/authentication.k8s.io/v1',
    token,
  );
  assert.equal(answer.status, 200);
});

test('auth §4.9 (14): the uid of another account', async (t) => {
  const text = /the UID in the token request \(x\) does not match the UID of the service account/;
  const now = await simulate(t);
  assert.match(await refusal(now.issue({}, { uid: 'x' })), new RegExp(`^409 .*${text.source}`));
  const before = await simulate(t, { emulatedVersion: '1.33' });
  assert.equal(readPart(await before.issue({}, { uid: 'x' }), 1)['sub'], bot);
});

test('what releases put into tokens', async (t) => {
  const rows: [version: string, hasId: boolean, hasNode: boolean, bindsNodes: boolean][] = [
    ['1.28', false, false, false],
    ['1.29', false, false, false],
    ['1.30', true, true, false],
    ['1.31', true, true, true],
    ['1.36', true, true, true],
  ];
  for (const [emulatedVersion, hasId, hasNode, bindsNodes] of rows) {
    const { issue, podFor, nodes } = await simulate(t, { emulatedVersion });
    await nodes.create({ metadata: { name: 'n1' } });
    await podFor('p', { nodeName: 'n1' });
    const token = await issue(bound('Pod', 'p'));
    assert.equal(readPart(token, 1)['jti'] !== undefined, hasId, emulatedVersion);
    assert.equal(ownClaims(token)['node'] !== undefined, hasNode, emulatedVersion);
    const answer = await refusal(issue(bound('Node', 'n1')));
    assert.equal(answer === 'not refused', bindsNodes, emulatedVersion);
  }
});

test('auth §8 (1, 2): who am I, also as somebody else', async (t) => {
  const { cluster } = await simulate(t);
  const reviews = {
    group: 'authentication.k8s.io',
    version: 'v1',
    resource: 'selfsubjectreviews',
  } as const;
  const whoAmI = async (name: string, groups: string[]) => {
    const answer = await cluster
      .client({ name, groups, uid: 'u', extra: { k: ['v'] } })
      .resource(reviews)
      .create({ metadata: {} });
    assert.ok(answer.metadata.creationTimestamp);
    return (answer['status'] as { userInfo: JsonObject }).userInfo;
  };
  assert.deepEqual(await whoAmI('ann', ['devs']), {
    username: 'ann',
    uid: 'u',
    groups: ['devs', 'system:authenticated'],
    extra: { k: ['v'] },
  });
  const bytes = await cluster.client().send({
    method: 'POST',
    path: '/apis/authentication.k8s.io/v1/selfsubjectreviews',
    headers: {
      'content-type': 'application/json',
      'impersonate-user': 'bob',
      'impersonate-group': 'ops',
    },
    body: Buffer.from('{"kind":"SelfSubjectReview","apiVersion":"authentication.k8s.io/v1"}'),
  });
  const { status } = JSON.parse(Buffer.from(bytes).toString()) as {
    status: { userInfo: JsonObject };
  };
  assert.deepEqual(status.userInfo, {
    username: 'bob',
    groups: ['ops', 'system:authenticated'],
  });
});

test('auth §8 (3): who is nobody may not ask', async (t) => {
  const { cluster } = await simulate(t);
  const anonymous = cluster.client({ name: 'system:anonymous' });
  const review = anonymous
    .resource({ group: 'authentication.k8s.io', version: 'v1', resource: 'selfsubjectreviews' })
    .create({ metadata: {} });
  assert.match(await refusal(review), /^403 /);
});

test('auth §8 (5, 6, 7, 8): audiences and empty questions', async (t) => {
  const { client, cluster, issue, verdict } = await simulate(t);
  const token = await issue({ audiences: ['b', 'c'] });
  assert.equal(
    await verdict(token),
    `token audiences ["b" "c"] is invalid for the target audiences ["${api}"]`,
  );
  assert.deepEqual((await reviewToken(client, token, ['a', 'b']))['audiences'], ['b']);
  assert.match(await refusal(reviewToken(client, '')), /^400 token is required for TokenReview/);
  const namespaced = cluster.client().send({
    method: 'POST',
    path: '/apis/authentication.k8s.io/v1/namespaces/default/tokenreviews',
    body: Buffer.from('{}'),
  });
  assert.match(await refusal(namespaced), /^404 /);
});

test('several issuers: the first issues, tokens of all are taken', async (t) => {
  const key = createSigningKey();
  const tokenKeyFiles = { read: () => ({ signing: key, verification: [] }) };
  const start = (issuers: string[]) =>
    simulate(t, { serviceAccounts: { issuers, tokenKeyFiles, apiAudiences: ['api'] } });
  const old = await start(['https://old.example']);
  const token = await old.issue();
  assert.equal(readPart(token, 1)['iss'], 'https://old.example');
  assert.deepEqual(readPart(token, 1)['aud'], ['api']);
  const both = await start(['https://new.example', 'https://old.example']);
  assert.equal(readPart(await both.issue(), 1)['iss'], 'https://new.example');
  // The same seed gave the account of both clusters the same uid.
  assert.equal(await both.verdict(token), 'ok');
  const only = await start(['https://new.example']);
  assert.equal(await only.verdict(token), 'invalid bearer token');
});

test('keys are read again, and bad files change nothing', async (t) => {
  let current: { signing: SigningKey; verification: SigningKey[] } | undefined = {
    signing: createSigningKey(),
    verification: [],
  };
  const first = current.signing;
  const read = () => {
    if (current === undefined) throw new Error('sa.pem: there is no key');
    return current;
  };
  const { issue, verdict, clock, warnings, client } = await simulate(t, {
    serviceAccounts: { tokenKeyFiles: { read }, issuers: ['https://api.example'] },
  });
  const before = await issue();
  const second = createSigningKey();
  current = { signing: second, verification: [first] };
  await clock.advance(60_000);
  const after = await issue();
  assert.deepEqual(
    [before, after].map((token) => readPart(token, 0)['kid']),
    [first.id, second.id],
  );
  assert.equal(await verdict(before), 'ok');
  const published = async () => {
    const bytes = await client.send({
      method: 'GET',
      path: '/openid/v1/jwks',
      headers: { accept: '*/*' },
    });
    return (JSON.parse(Buffer.from(bytes).toString()) as { keys: { kid: string }[] }).keys.map(
      ({ kid }) => kid,
    );
  };
  assert.deepEqual(await published(), [second.id, first.id]);
  current = undefined;
  await clock.advance(60_000);
  assert.equal(await verdict(after), 'ok');
  assert.match(
    warnings.join('\n'),
    /keys of service account tokens not read again .*there is no key/,
  );
  current = { signing: second, verification: [] };
  await clock.advance(60_000);
  assert.equal(await verdict(before), 'invalid signature, no keys found');
  assert.equal(await verdict(after), 'ok');
});

test('keys come as public keys, certificates and private keys', async () => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const own = createSigningKey();
  const cluster = await createCluster({ controllers: [], clock: createSimulatedClock() });
  const { kubeconfig } = await cluster.listen();
  const [, data = ''] =
    /certificate-authority-data: ['"]?(?:>-\s*)?([\w+/=\s]+)/.exec(kubeconfig) ?? [];
  await cluster.close();
  const certificate = Buffer.from(data, 'base64').toString();
  const pem = [
    rsa.privateKey.export({ type: 'pkcs1', format: 'pem' }),
    own.publicKey.export({ type: 'spki', format: 'pem' }),
    certificate,
  ].join('');
  const keys = parseVerificationKeys(pem);
  assert.deepEqual(
    keys.map(({ algorithm }) => algorithm),
    ['RS256', 'ES256', 'ES256'],
  );
  assert.ok(keys[2]?.publicKey.equals(new X509Certificate(certificate).publicKey));
});

test('auth §6.9 (12): only who may discover the issuer does', async (t) => {
  const { cluster, issue } = await simulate(t);
  const paths = ['/.well-known/openid-configuration', '/openid/v1/jwks'];
  const address = await cluster.listen();
  const token = await issue();
  for (const path of paths) {
    const answer = await getWithToken(address, path, token);
    assert.equal(answer.status, 200);
    assert.equal(answer.headers['cache-control'], 'public, max-age=3600');
    assert.equal((await getWithToken(address, path)).status, 403);
    const ann = cluster.client({ name: 'ann' }).send({ method: 'GET', path });
    assert.match(await refusal(ann), /^403 /);
  }
  const [configuration = ''] = paths;
  const document = JSON.parse(
    (await getWithToken(address, configuration, token)).text,
  ) as JsonObject;
  assert.equal(document['issuer'], api);
  assert.equal(document['jwks_uri'], `${address.url}/openid/v1/jwks`);
});

test('auth §6.9 (13): an issuer that is no https address has no documents', async (t) => {
  for (const issuer of ['http://a.example', 'https://a.example/?x', 'https://a.example/#x', 'me']) {
    const { client } = await simulate(t, { serviceAccounts: { issuers: [issuer] } });
    for (const path of ['/.well-known/openid-configuration', '/openid/v1/jwks'])
      assert.match(await refusal(client.send({ method: 'GET', path })), /^404 /, issuer);
  }
});
