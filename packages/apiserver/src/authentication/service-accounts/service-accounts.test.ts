import assert from 'node:assert/strict';
import { createHmac, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import { test } from 'node:test';
import { createSeededRandom, noDecisionTrace, type JsonObject } from '@keelson/apimachinery';
import { createFeatures } from '../../features/create-features.ts';
import { createStoppedClock, createTestObjects } from '../testing.ts';
import { createBoundTokenAuthenticator } from './bound-token.ts';
import { createIssuerDiscovery } from './issuer-discovery.ts';
import { createSignatureVerifier, peekToken, signToken } from './json-web-token.ts';
import {
  createLegacyToken,
  createLegacyTokenAuthenticator,
  invalidSinceLabel,
} from './legacy-token.ts';
import { parseServiceAccountUserName } from './service-account-name.ts';
import {
  createSigningKey,
  formatSigningKey,
  parseSigningKey,
  parseVerificationKeys,
} from './signing-keys.ts';
import { createTokenKeys } from './token-keys.ts';
import { createKeySigner } from './token-signer.ts';
import { createServiceAccountTokenIssuer, type TokenContents } from './token-issuer.ts';

const api = 'https://kubernetes.default.svc.cluster.local';
const start = Date.UTC(2026, 0, 15);
const clock = createStoppedClock(start);
const key = createSigningKey();
const olderKey = parseSigningKey(
  generateKeyPairSync('rsa', { modulusLength: 2048 })
    .privateKey.export({ type: 'pkcs8', format: 'pem' })
    .toString(),
);
const features = createFeatures();
const object = (namespace: string, name: string, uid: string, more: object = {}) => ({
  metadata: { ...(namespace === '' ? {} : { namespace }), name, uid, ...more },
});
function cluster() {
  return {
    serviceAccounts: createTestObjects([object('shop', 'bot', 'sa-1')]),
    pods: createTestObjects([object('shop', 'p', 'pod-1')]),
    secrets: createTestObjects([object('shop', 's', 'secret-1')]),
    nodes: createTestObjects([object('', 'n', 'node-1')]),
  };
}
const verifier = createSignatureVerifier();
const authenticatorFor = (objects = cluster(), changes: object = {}) =>
  createBoundTokenAuthenticator({
    issuers: [api, 'https://old.example'],
    keys: createTokenKeys([key, olderKey]),
    apiAudiences: [api],
    objects,
    verifier,
    clock,
    features,
    ...changes,
  });
const issuer = createServiceAccountTokenIssuer({
  issuer: api,
  signer: createKeySigner(() => key),
  clock,
  random: createSeededRandom(5),
  features,
});
const contents: TokenContents = {
  namespace: 'shop',
  serviceAccount: { name: 'bot', uid: 'sa-1' },
  audiences: [api],
  expiresInSeconds: 3600,
};
const issue = async (changes: Partial<TokenContents> = {}) =>
  (await issuer.issue({ ...contents, ...changes })).token;

type Authenticator = ReturnType<typeof authenticatorFor>;
async function verdict(token: string, by: Authenticator = authenticatorFor(), audiences = [api]) {
  const result = await by.authenticateToken(token, audiences, noDecisionTrace);
  if (result.outcome === 'rejected') return result.reason;
  return result.outcome === 'authenticated' ? 'ok' : 'not mine';
}

test('what a token says and who it makes the caller', async () => {
  const token = await issue({
    pod: { name: 'p', uid: 'pod-1' },
    node: { name: 'n', uid: 'node-1' },
  });
  const peeked = peekToken(token);
  assert.deepEqual([peeked?.algorithm, peeked?.keyId], ['ES256', key.id]);
  const { jti, ...payload } = peeked?.payload ?? {};
  assert.match(
    String(jti),
    /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
  );
  assert.deepEqual(payload, {
    aud: [api],
    exp: start / 1000 + 3600,
    iat: start / 1000,
    iss: api,
    'kubernetes.io': {
      namespace: 'shop',
      node: { name: 'n', uid: 'node-1' },
      pod: { name: 'p', uid: 'pod-1' },
      serviceaccount: { name: 'bot', uid: 'sa-1' },
    },
    nbf: start / 1000,
    sub: 'system:serviceaccount:shop:bot',
  });
  const result = await authenticatorFor().authenticateToken(token, [api, 'x'], noDecisionTrace);
  assert.deepEqual(result, {
    outcome: 'authenticated',
    audiences: [api],
    user: {
      name: 'system:serviceaccount:shop:bot',
      uid: 'sa-1',
      groups: ['system:serviceaccounts', 'system:serviceaccounts:shop'],
      extra: {
        'authentication.kubernetes.io/credential-id': [`JTI=${String(jti)}`],
        'authentication.kubernetes.io/pod-name': ['p'],
        'authentication.kubernetes.io/pod-uid': ['pod-1'],
        'authentication.kubernetes.io/node-name': ['n'],
        'authentication.kubernetes.io/node-uid': ['node-1'],
      },
    },
  });
});

test('tokens of every key verify, also without a key id', async () => {
  const payload = peekToken(await issue())?.payload as JsonObject;
  assert.equal(await verdict(await signToken(payload, olderKey)), 'ok');
  assert.equal(await verdict(forge(payload, { alg: 'ES256' }, (input) => ecSign(input))), 'ok');
});

const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
function forge(payload: unknown, header: object, signature: (input: string) => Buffer): string {
  const input = `${part(header)}.${part(payload)}`;
  return `${input}.${signature(input).toString('base64url')}`;
}
const ecSign = (input: string, privateKey = key.privateKey) =>
  sign('sha256', Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' });

test('forged tokens', async () => {
  const payload = peekToken(await issue())?.payload as JsonObject;
  const publicPem = key.publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const rsaPem = olderKey.publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const hmac = (secret: string) => (input: string) =>
    createHmac('sha256', secret).update(input).digest();
  const foreign = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const foreignJwk = createPublicKey(foreign).export({ format: 'jwk' });
  const bad = 'go-jose/go-jose: error in cryptographic primitive';
  const nobody = 'invalid signature, no keys found';
  const good = await issue();
  const [head = '', body = '', mac = ''] = good.split('.');
  const rows: [what: string, token: string, expected: string][] = [
    ['alg none', forge(payload, { alg: 'none', kid: key.id }, () => Buffer.alloc(0)), 'not mine'],
    ['alg None', forge(payload, { alg: 'None', kid: key.id }, () => Buffer.alloc(0)), 'not mine'],
    ['no alg', forge(payload, { kid: key.id }, () => Buffer.alloc(0)), 'not mine'],
    [
      'HS256 with the public key',
      forge(payload, { alg: 'HS256', kid: key.id }, hmac(publicPem)),
      'not mine',
    ],
    [
      'RS256 made as HMAC of the RSA key',
      forge(payload, { alg: 'RS256', kid: olderKey.id }, hmac(rsaPem)),
      bad,
    ],
    ['RS256 for the EC key', forge(payload, { alg: 'RS256', kid: key.id }, hmac(publicPem)), bad],
    [
      'ES256 for the RSA key',
      forge(payload, { alg: 'ES256', kid: olderKey.id }, (i) => ecSign(i)),
      bad,
    ],
    ['ES384 for a P-256 key', forge(payload, { alg: 'ES384', kid: key.id }, (i) => ecSign(i)), bad],
    [
      'a foreign key under our id',
      forge(payload, { alg: 'ES256', kid: key.id }, (i) => ecSign(i, foreign)),
      bad,
    ],
    ['a foreign key without id', forge(payload, { alg: 'ES256' }, (i) => ecSign(i, foreign)), bad],
    [
      'a foreign key in the header',
      forge(payload, { alg: 'ES256', jwk: foreignJwk }, (i) => ecSign(i, foreign)),
      bad,
    ],
    [
      'a foreign key by address',
      forge(payload, { alg: 'ES256', jku: 'http://127.0.0.1:1/keys' }, (i) => ecSign(i, foreign)),
      bad,
    ],
    ['an unknown id', forge(payload, { alg: 'ES256', kid: 'x' }, (i) => ecSign(i)), nobody],
    [
      'a path as id',
      forge(payload, { alg: 'ES256', kid: '../../../dev/null' }, (i) => ecSign(i)),
      nobody,
    ],
    [
      'an id that is SQL',
      forge(payload, { alg: 'ES256', kid: "' OR 1=1 --" }, (i) => ecSign(i)),
      nobody,
    ],
    [
      'an id that is a property',
      forge(payload, { alg: 'ES256', kid: '__proto__' }, (i) => ecSign(i)),
      nobody,
    ],
    [
      'an id that is a list',
      forge(payload, { alg: 'ES256', kid: [key.id] }, (i) => ecSign(i)),
      'not mine',
    ],
    [
      'a critical extension',
      forge(payload, { alg: 'ES256', kid: key.id, crit: ['x'], x: 1 }, (i) => ecSign(i)),
      bad,
    ],
    ['no signature', `${head}.${body}.`, bad],
    ['a longer signature', `${good}x`, bad],
    [
      'a zero signature',
      forge(payload, { alg: 'ES256', kid: key.id }, () => Buffer.alloc(64)),
      bad,
    ],
    [
      'another payload',
      `${head}.${part({ ...payload, sub: 'system:serviceaccount:shop:admin' })}.${mac}`,
      bad,
    ],
    [
      'the general JSON form',
      JSON.stringify({ payload: body, signatures: [{ protected: head, signature: mac }] }),
      'not mine',
    ],
    ['two parts', `${head}.${body}`, 'not mine'],
    ['four parts', `${good}.x`, 'not mine'],
    ['padded parts', `${head}=.${body}.${mac}`, 'not mine'],
    ['an endless token', `${head}.${'a'.repeat(20_000)}.${mac}`, 'not mine'],
    ['no JSON', `${part('x')}.${part('y')}.z`, 'not mine'],
  ];
  for (const [what, token, expected] of rows) assert.equal(await verdict(token), expected, what);
});

test('claims that do not hold', async () => {
  const payload = peekToken(await issue())?.payload as JsonObject;
  const now = start / 1000;
  const own = payload['kubernetes.io'] as JsonObject;
  const unreadable = 'service account token claims could not be read';
  const rows: [what: string, changes: JsonObject, expected: string][] = [
    ['another issuer of ours', { iss: 'https://old.example' }, 'ok'],
    ['a foreign issuer', { iss: 'https://evil.example' }, 'not mine'],
    ['an issuer with a slash more', { iss: `${api}/` }, 'not mine'],
    ['no issuer', { iss: undefined }, 'not mine'],
    ['a list of issuers', { iss: [api] }, 'not mine'],
    [
      'another audience',
      { aud: ['vault'] },
      `token audiences ["vault"] is invalid for the target audiences ["${api}"]`,
    ],
    [
      'a longer audience',
      { aud: [`${api}.evil.example`] },
      `token audiences ["${api}.evil.example"] is invalid for the target audiences ["${api}"]`,
    ],
    ['one of several audiences', { aud: ['vault', api] }, 'ok'],
    ['an audience as text', { aud: api }, 'ok'],
    ['an audience that is a number', { aud: 7 }, unreadable],
    ['expired just now', { exp: now - 59 }, 'ok'],
    ['expired', { exp: now - 61 }, 'service account token has expired'],
    ['an expiry that is text', { exp: String(now + 60) }, unreadable],
    ['not before soon', { nbf: now + 59 }, 'ok'],
    ['not before later', { nbf: now + 61 }, 'service account token is not valid yet'],
    ['issued in the future', { iat: now + 61 }, 'service account token is issued in the future'],
    ['no private claims', { 'kubernetes.io': undefined }, unreadable],
    ['no service account', { 'kubernetes.io': { namespace: 'shop' } }, unreadable],
    [
      'another namespace',
      { 'kubernetes.io': { ...own, namespace: 'kube-system' } },
      'serviceaccounts "bot" not found',
    ],
    [
      'an account of another uid',
      { 'kubernetes.io': { ...own, serviceaccount: { name: 'bot', uid: 'sa-0' } } },
      'service account UID (sa-1) does not match claim (sa-0)',
    ],
    [
      'an account without uid',
      { 'kubernetes.io': { ...own, serviceaccount: { name: 'bot' } } },
      'service account UID (sa-1) does not match claim ()',
    ],
    ['a pod that is text', { 'kubernetes.io': { ...own, pod: 'p' } }, unreadable],
  ];
  for (const [what, changes, expected] of rows)
    assert.equal(await verdict(await signToken({ ...payload, ...changes }, key)), expected, what);
});

test('tokens end with what they are bound to', async () => {
  const invalidated = 'service account token has been invalidated';
  const gone = (seconds: number) => ({
    deletionTimestamp: new Date(start - seconds * 1000).toISOString(),
  });
  type Change = (objects: ReturnType<typeof cluster>) => void;
  const pod = { pod: { name: 'p', uid: 'pod-1' } };
  const secret = { secret: { name: 's', uid: 'secret-1' } };
  const node = { node: { name: 'n', uid: 'node-1' } };
  const rows: [what: string, bound: Partial<TokenContents>, change: Change, expected: string][] = [
    ['pod there', pod, () => {}, 'ok'],
    ['pod gone', pod, (o) => o.pods.delete('shop', 'p'), invalidated],
    [
      'pod made anew',
      pod,
      (o) => o.pods.set(object('shop', 'p', 'pod-2')),
      'pod UID (pod-2) does not match service account pod ref claim (pod-1)',
    ],
    ['pod ending', pod, (o) => o.pods.set(object('shop', 'p', 'pod-1', gone(59))), 'ok'],
    ['pod ended', pod, (o) => o.pods.set(object('shop', 'p', 'pod-1', gone(61))), invalidated],
    ['pod there, its node gone', { ...pod, ...node }, (o) => o.nodes.delete('', 'n'), 'ok'],
    ['secret gone', secret, (o) => o.secrets.delete('shop', 's'), invalidated],
    [
      'secret made anew',
      secret,
      (o) => o.secrets.set(object('shop', 's', 'x')),
      'secret UID (x) does not match service account secret ref claim (secret-1)',
    ],
    ['node there', node, () => {}, 'ok'],
    ['node gone', node, (o) => o.nodes.delete('', 'n'), invalidated],
    [
      'node made anew',
      node,
      (o) => o.nodes.set(object('', 'n', 'x')),
      'node UID (x) does not match service account node ref claim (node-1)',
    ],
    [
      'account gone',
      {},
      (o) => o.serviceAccounts.delete('shop', 'bot'),
      'serviceaccounts "bot" not found',
    ],
    [
      'account made anew',
      {},
      (o) => o.serviceAccounts.set(object('shop', 'bot', 'x')),
      'service account UID (x) does not match claim (sa-1)',
    ],
    [
      'account ended',
      {},
      (o) => o.serviceAccounts.set(object('shop', 'bot', 'sa-1', gone(61))),
      'service account shop/bot has been deleted',
    ],
  ];
  for (const [what, bound, change, expected] of rows) {
    const objects = cluster();
    const authenticator = authenticatorFor(objects);
    const token = await issue(bound);
    assert.equal(await verdict(token, authenticator), 'ok', what);
    change(objects);
    assert.equal(await verdict(token, authenticator), expected, what);
  }
});

test('node binding needs its gate', async () => {
  const token = await issue({ node: { name: 'n', uid: 'node-1' } });
  const old = authenticatorFor(cluster(), {
    features: createFeatures({ emulatedVersion: '1.29' }),
  });
  assert.equal(
    await verdict(token, old),
    'token is bound to a Node object but the ServiceAccountTokenNodeBindingValidation feature gate is disabled',
  );
});

test('a token that should have been renewed is noted', async () => {
  const token = await issue({ expiresInSeconds: 31_536_000, warnAfterSeconds: 3607 });
  const authenticator = authenticatorFor();
  const annotations = async () => {
    const result = await authenticator.authenticateToken(token, [api], noDecisionTrace);
    return result.outcome === 'authenticated' ? result.annotations : 'refused';
  };
  assert.equal(await annotations(), undefined);
  clock.nowMs += 3617_000;
  try {
    assert.deepEqual(await annotations(), {
      'authentication.k8s.io/stale-token':
        'subject: system:serviceaccount:shop:bot, seconds after warning threshold: 10',
    });
  } finally {
    clock.nowMs = start;
  }
});

test('tokens of secrets', async () => {
  const account = { namespace: 'shop', name: 'bot', uid: 'sa-1' };
  const token = await createLegacyToken(account, 's', key);
  const withToken = (value = token, more: object = {}) => ({
    ...object('shop', 's', 'secret-1', more),
    data: { token: Buffer.from(value).toString('base64') },
  });
  const used: string[] = [];
  const ask = async (objects: ReturnType<typeof cluster>, asked = token, audiences = [api]) => {
    const result = await createLegacyTokenAuthenticator({
      ...objects,
      keys: createTokenKeys([key]),
      features,
      verifier,
      apiAudiences: [api],
      clock,
      onUse: (secret, today) => used.push(`${secret.metadata.name} ${today}`),
    }).authenticateToken(asked, audiences, noDecisionTrace);
    if (result.outcome === 'authenticated')
      return `ok ${result.warnings?.length ?? 0} ${Object.keys(result.annotations ?? {}).join(' ')}`;
    return result.outcome === 'rejected' ? result.reason : 'not mine';
  };
  const rows: [what: string, change: (o: ReturnType<typeof cluster>) => void, expected: string][] =
    [
      [
        'manual',
        () => {},
        'ok 0 authentication.k8s.io/legacy-token authentication.k8s.io/legacy-token-manual-secret',
      ],
      [
        'generated',
        (o) =>
          o.serviceAccounts.set({ ...object('shop', 'bot', 'sa-1'), secrets: [{ name: 's' }] }),
        'ok 1 authentication.k8s.io/legacy-token authentication.k8s.io/legacy-token-autogenerated-secret',
      ],
      ['secret gone', (o) => o.secrets.delete('shop', 's'), 'Token has been invalidated'],
      [
        'secret ending',
        (o) => o.secrets.set(withToken(token, { deletionTimestamp: '2026-01-15T00:00:00Z' })),
        'Token has been invalidated',
      ],
      [
        'another token in the secret',
        (o) => o.secrets.set(withToken('x')),
        "Token does not match server's copy",
      ],
      [
        'account gone',
        (o) => o.serviceAccounts.delete('shop', 'bot'),
        'serviceaccounts "bot" not found',
      ],
      [
        'account made anew',
        (o) => o.serviceAccounts.set(object('shop', 'bot', 'x')),
        'ServiceAccount UID (x) does not match claim (sa-1)',
      ],
    ];
  for (const [what, change, expected] of rows) {
    const objects = cluster();
    objects.secrets.set(withToken());
    change(objects);
    assert.equal(await ask(objects), expected, what);
  }
  assert.deepEqual(new Set(used), new Set(['s 2026-01-15']));
  const objects = cluster();
  objects.secrets.set(withToken(token, { labels: { [invalidSinceLabel]: '2025-01-01' } }));
  assert.match(
    await ask(objects),
    /^the token in secret shop\/s for service account shop\/bot has been marked invalid\./,
  );
  objects.secrets.set(withToken());
  assert.equal(await ask(objects, await issue()), 'not mine');
  assert.equal(
    await ask(objects, token, ['vault']),
    `token audiences ["${api}"] is invalid for the target audiences ["vault"]`,
  );
  assert.equal(await verdict(token), 'not mine');
});

test('names of service accounts', () => {
  const rows: [userName: string, namespace: string | undefined][] = [
    ['system:serviceaccount:shop:bot', 'shop'],
    ['system:serviceaccount:shop:bot:x', undefined],
    ['system:serviceaccount:shop', undefined],
    ['system:serviceaccount::bot', undefined],
    ['system:serviceaccount:shop:', undefined],
    ['system:serviceaccount:Shop:bot', undefined],
    ['system:serviceaccount:a.b:bot', undefined],
    ['SYSTEM:serviceaccount:shop:bot', undefined],
    ['xsystem:serviceaccount:shop:bot', undefined],
  ];
  for (const [userName, namespace] of rows)
    assert.equal(parseServiceAccountUserName(userName)?.namespace, namespace, userName);
});

test('keys and discovery', () => {
  assert.equal(parseSigningKey(formatSigningKey(key)).id, key.id);
  const pem = [key, olderKey]
    .map((k) => k.publicKey.export({ type: 'spki', format: 'pem' }))
    .join('\n');
  assert.deepEqual(
    parseVerificationKeys(pem).map((k) => [k.id, k.algorithm]),
    [
      [key.id, 'ES256'],
      [olderKey.id, 'RS256'],
    ],
  );
  assert.throws(() => parseVerificationKeys('no key'));
  assert.throws(() =>
    parseSigningKey(
      generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    ),
  );
  const jwksUri = `${api}/openid/v1/jwks`;
  const published = createTokenKeys([key, olderKey]);
  const documents = createIssuerDiscovery({
    issuer: api,
    jwksUri: () => jwksUri,
    keys: published,
  }).documents();
  assert.equal(
    documents?.configuration,
    `{"issuer":"${api}","jwks_uri":"${jwksUri}","response_types_supported":["id_token"],"subject_types_supported":["public"],"id_token_signing_alg_values_supported":["ES256","RS256"]}`,
  );
  const { keys } = JSON.parse(documents.keySet) as { keys: Record<string, string>[] };
  assert.deepEqual(
    keys.map((k) => Object.keys(k).join(' ')),
    ['use kty kid crv alg x y', 'use kty kid alg n e'],
  );
  const rows: [what: string, issuer: string, uri: string, count: number][] = [
    ['http', 'http://a.example', jwksUri, 1],
    ['a query', 'https://a.example/?x', jwksUri, 1],
    ['a fragment', 'https://a.example/#x', jwksUri, 1],
    ['no URL', 'kubernetes/serviceaccount', jwksUri, 1],
    ['keys over http', api, 'http://a.example/keys', 1],
    ['no keys', api, jwksUri, 0],
  ];
  for (const [what, issuerUrl, uri, count] of rows)
    assert.equal(
      createIssuerDiscovery({
        issuer: issuerUrl,
        jwksUri: () => uri,
        keys: createTokenKeys([key].slice(0, count)),
      }).documents(),
      undefined,
      what,
    );
});
