// What must never authenticate: tokens that are made to look like ours, sent as a client sends them,
// through all authenticators together. Each row starts from a token that is good.

import assert from 'node:assert/strict';
import { createHmac, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { test } from 'node:test';
import { createSeededRandom, noDecisionTrace, type JsonObject } from '@keelson/apimachinery';
import { createFeatures } from '../../features/create-features.ts';
import { createAuthentication } from '../create-authentication.ts';
import { createStoppedClock, createTestObjects, createTestRequest } from '../testing.ts';
import { createSigningKey, parseSigningKey } from './signing-keys.ts';
import { createTokenKeys } from './token-keys.ts';

const api = 'https://api.example';
const start = Date.UTC(2026, 0, 15);
const now = start / 1000;
const ec = createSigningKey();
const rsa = parseSigningKey(
  generateKeyPairSync('rsa', { modulusLength: 2048 })
    .privateKey.export({ type: 'pkcs8', format: 'pem' })
    .toString(),
);
const foreign = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const pem = (key: KeyObject) => key.export({ type: 'spki', format: 'pem' }).toString();
const { authenticator } = createAuthentication({
  clock: createStoppedClock(start),
  random: createSeededRandom(3),
  features: createFeatures(),
  apiAudiences: [api],
  anonymous: { enabled: true },
  serviceAccounts: {
    issuers: [api],
    keys: createTokenKeys([ec, rsa]),
    objects: {
      serviceAccounts: createTestObjects([
        { metadata: { namespace: 'shop', name: 'bot', uid: 'sa-1' } },
        { metadata: { namespace: 'kube-system', name: 'admin', uid: 'sa-2' } },
      ]),
      pods: createTestObjects(),
      secrets: createTestObjects(),
      nodes: createTestObjects(),
    },
  },
});

/** Whom a request with this `Authorization` header is from; undefined when it is refused. */
async function callerOf(authorization: string): Promise<string | undefined> {
  const request = createTestRequest({ headers: { authorization } });
  const result = await authenticator.authenticate(request, noDecisionTrace);
  return result.outcome === 'authenticated' ? result.user.name : undefined;
}

const claims: JsonObject = {
  aud: [api],
  exp: now + 3600,
  iat: now,
  iss: api,
  nbf: now,
  sub: 'system:serviceaccount:shop:bot',
  'kubernetes.io': { namespace: 'shop', serviceaccount: { name: 'bot', uid: 'sa-1' } },
};
const header = { alg: 'ES256', kid: ec.id };
const encode = (text: string | Buffer) => Buffer.from(text).toString('base64url');
type Sign = (input: string) => Buffer;
const ecdsa =
  (key: KeyObject = ec.privateKey): Sign =>
  (input) =>
    sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' });
const hmac =
  (secret: string | Buffer): Sign =>
  (input) =>
    createHmac('sha256', secret).update(input).digest();

interface Parts {
  /** JSON, or text that claims to be. */
  readonly head?: object | string;
  readonly body?: object | string;
  readonly by?: Sign;
}
function tokenOf({ head = header, body = claims, by = ecdsa() }: Parts = {}): string {
  const text = (value: object | string) =>
    typeof value === 'string' ? value : JSON.stringify(value);
  const input = `${encode(text(head))}.${encode(text(body))}`;
  return `${input}.${encode(by(input))}`;
}
const bodyText = JSON.stringify(claims);
const good = tokenOf();
const [first = '', second = '', third = ''] = good.split('.');
const derSignature = sign('sha256', Buffer.from(`${first}.${second}`), ec.privateKey);

/** The last character of unpadded base64 with another of its unused bits set. */
function withSpareBits(part: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const last = alphabet.indexOf(part.at(-1) ?? '');
  return part.slice(0, -1) + (alphabet[last + 1] ?? '');
}

test('the token that all rows start from is good', async () => {
  const bot = 'system:serviceaccount:shop:bot';
  assert.equal(await callerOf(`Bearer ${good}`), bot);
  assert.equal(await callerOf(`bearer ${good}`), bot);
  const byRsa = { alg: 'RS256', kid: rsa.id };
  const rs256: Sign = (input) => sign('sha256', Buffer.from(input), rsa.privateKey);
  assert.equal(await callerOf(`Bearer ${tokenOf({ head: byRsa, by: rs256 })}`), bot);
  // A header member that means nothing here, and is not critical, changes nothing.
  const typed = tokenOf({ head: { ...header, typ: 'JWT' } });
  assert.equal(await callerOf(`Bearer ${typed}`), bot);
});

const nothing: Sign = () => Buffer.alloc(0);
const foreignJwk = foreign.publicKey.export({ format: 'jwk' });
const foreignSet = { keys: [{ ...foreignJwk, kid: ec.id }] };
const secretName = 'kubernetes.io/serviceaccount/secret.name';
const byForeign = ecdsa(foreign.privateKey);
const private_ = claims['kubernetes.io'] as JsonObject;

const forgeries: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'the algorithm': {
    none: tokenOf({ head: { ...header, alg: 'none' }, by: nothing }),
    NONE: tokenOf({ head: { ...header, alg: 'NONE' }, by: nothing }),
    'none with our signature': tokenOf({ head: { ...header, alg: 'none' } }),
    empty: tokenOf({ head: { ...header, alg: '' } }),
    missing: tokenOf({ head: { kid: ec.id } }),
    null: tokenOf({ head: { ...header, alg: null } }),
    'a list': tokenOf({ head: { ...header, alg: ['ES256'] } }),
    'in lower case': tokenOf({ head: { ...header, alg: 'es256' } }),
    'HS256 keyed with the public PEM': tokenOf({
      head: { ...header, alg: 'HS256' },
      by: hmac(pem(ec.publicKey)),
    }),
    'HS256 keyed with the public DER': tokenOf({
      head: { ...header, alg: 'HS256' },
      by: hmac(ec.publicKey.export({ type: 'spki', format: 'der' })),
    }),
    'HS256 keyed with the RSA PEM': tokenOf({
      head: { alg: 'HS256', kid: rsa.id },
      by: hmac(pem(rsa.publicKey)),
    }),
    'HS256 keyed with nothing': tokenOf({ head: { ...header, alg: 'HS256' }, by: hmac('') }),
    'RS256 that is an HMAC': tokenOf({
      head: { alg: 'RS256', kid: rsa.id },
      by: hmac(pem(rsa.publicKey)),
    }),
    'RS256 for the curve': tokenOf({ head: { ...header, alg: 'RS256' } }),
    'ES256 for RSA': tokenOf({ head: { alg: 'ES256', kid: rsa.id } }),
    'PS256 for RSA': tokenOf({ head: { alg: 'PS256', kid: rsa.id } }),
    'ES384 for P-256': tokenOf({ head: { ...header, alg: 'ES384' } }),
    EdDSA: tokenOf({ head: { ...header, alg: 'EdDSA' } }),
  },
  'the key id': {
    unknown: tokenOf({ head: { ...header, kid: 'x' } }),
    'a path': tokenOf({ head: { ...header, kid: '../../../../dev/null' }, by: hmac('') }),
    'a file': tokenOf({ head: { alg: 'HS256', kid: '/etc/hostname' }, by: hmac('x') }),
    SQL: tokenOf({ head: { ...header, kid: `x' UNION SELECT '${ec.id}` } }),
    'a command': tokenOf({ head: { ...header, kid: '$(id)' } }),
    'a URL': tokenOf({ head: { ...header, kid: 'https://evil.example/key' }, by: byForeign }),
    'of a prototype': tokenOf({ head: { ...header, kid: '__proto__' }, by: byForeign }),
    'with a zero byte': tokenOf({ head: { ...header, kid: `${ec.id}\0` } }),
    'with a space': tokenOf({ head: { ...header, kid: ` ${ec.id}` } }),
    'in another case': tokenOf({ head: { ...header, kid: ec.id.toUpperCase() } }),
    'of the other key': tokenOf({ head: { ...header, kid: rsa.id } }),
    'a list': tokenOf({ head: { ...header, kid: [ec.id] } }),
    'a number': tokenOf({ head: { ...header, kid: 1 } }),
    'ours twice': tokenOf({ head: `{"alg":"ES256","kid":"${ec.id}","kid":"${ec.id}"}` }),
    'theirs, then ours': tokenOf({ head: `{"alg":"ES256","kid":"x","kid":"${ec.id}"}` }),
    'ours, signed by a foreign key': tokenOf({ by: byForeign }),
    'none, signed by a foreign key': tokenOf({ head: { alg: 'ES256' }, by: byForeign }),
  },
  'keys that come with the token': {
    jwk: tokenOf({ head: { ...header, jwk: foreignJwk }, by: byForeign }),
    'jwk alone': tokenOf({ head: { alg: 'ES256', jwk: foreignJwk }, by: byForeign }),
    jwks: tokenOf({ head: { ...header, jwks: foreignSet }, by: byForeign }),
    jku: tokenOf({ head: { ...header, jku: 'https://evil.example/jwks' }, by: byForeign }),
    'jku in data': tokenOf({
      head: { ...header, jku: `data:application/json,${JSON.stringify(foreignSet)}` },
      by: byForeign,
    }),
    x5u: tokenOf({ head: { ...header, x5u: 'https://evil.example/cert' }, by: byForeign }),
    x5c: tokenOf({
      head: { ...header, x5c: [foreign.publicKey.export({ type: 'spki', format: 'der' })] },
      by: byForeign,
    }),
    'a key set in the claims': tokenOf({ body: { ...claims, jwks: foreignSet }, by: byForeign }),
    crit: tokenOf({ head: { ...header, crit: ['exp'], exp: 1 } }),
    'crit of nothing': tokenOf({ head: { ...header, crit: [] } }),
    'an unencoded payload': tokenOf({ head: { ...header, b64: false, crit: ['b64'] } }),
    compressed: tokenOf({ head: { ...header, zip: 'DEF', crit: ['zip'] } }),
  },
  'the claims': {
    expired: tokenOf({ body: { ...claims, exp: now - 61 } }),
    'not yet': tokenOf({ body: { ...claims, nbf: now + 61 } }),
    'issued in the future': tokenOf({ body: { ...claims, iat: now + 61 } }),
    'an expiry that is text': tokenOf({ body: { ...claims, exp: '9999999999' } }),
    'an expiry that is a list': tokenOf({ body: { ...claims, exp: [now + 60] } }),
    'an infinite expiry': tokenOf({ body: bodyText.replace(/"exp":\d+/, '"exp":1e999') }),
    'another audience': tokenOf({ body: { ...claims, aud: ['vault'] } }),
    'an audience that begins like ours': tokenOf({ body: { ...claims, aud: [`${api}.evil`] } }),
    'an audience in another case': tokenOf({ body: { ...claims, aud: [api.toUpperCase()] } }),
    'an audience that is an object': tokenOf({ body: { ...claims, aud: { [api]: 1 } } }),
    'another issuer': tokenOf({ body: { ...claims, iss: 'https://evil.example' } }),
    'an issuer with a slash': tokenOf({ body: { ...claims, iss: `${api}/` } }),
    'an issuer in a list': tokenOf({ body: { ...claims, iss: [api] } }),
    'no issuer': tokenOf({ body: { ...claims, iss: undefined } }),
    'the issuer of Secrets': tokenOf({
      body: { ...claims, iss: 'kubernetes/serviceaccount', [secretName]: 's' },
    }),
    'another account of the same uid': tokenOf({
      body: {
        ...claims,
        'kubernetes.io': { ...private_, serviceaccount: { name: 'admin', uid: 'sa-1' } },
      },
    }),
    'no account': tokenOf({ body: { ...claims, 'kubernetes.io': { namespace: 'shop' } } }),
    'no claims of ours': tokenOf({ body: { ...claims, 'kubernetes.io': null } }),
    'an audience twice': tokenOf({ body: bodyText.replace('"aud":', '"aud":["vault"],"aud":') }),
    'an expiry twice': tokenOf({ body: bodyText.replace('"exp":', '"exp":1,"exp":') }),
    'an issuer twice': tokenOf({ body: bodyText.replace('"iss":', '"iss":"x","iss":') }),
    'an account twice': tokenOf({
      body: bodyText.replace('"serviceaccount":', '"serviceaccount":{},"serviceaccount":'),
    }),
    'a name twice, written differently': tokenOf({
      body: bodyText.replace('"sub":', '"\\u0073ub":"x","sub":'),
    }),
  },
  'the signature': {
    missing: `${first}.${second}.`,
    'of zeros': tokenOf({ by: () => Buffer.alloc(64) }),
    'of ones': tokenOf({ by: () => Buffer.alloc(64, 0xff) }),
    'in DER': `${first}.${second}.${encode(derSignature)}`,
    shorter: good.slice(0, -2),
    longer: `${good}AA`,
    'of another token': `${first}.${encode(JSON.stringify({ ...claims, sub: 'x' }))}.${third}`,
    'of another header': `${encode(JSON.stringify({ ...header, typ: 'JWT' }))}.${second}.${third}`,
  },
  'the spelling': {
    'spare bits in the signature': `${first}.${second}.${withSpareBits(third)}`,
    'padding of the signature': `${good}==`,
    'padding of the header': `${first}=.${second}.${third}`,
    'padding of the claims': `${first}.${second}=.${third}`,
    'the other base64': `${first}.${second}.${Buffer.from(third, 'base64url').toString('base64')}==`,
    'a dot in front': `.${good}`,
    'a dot behind': `${good}.`,
    'two dots': good.replace('.', '..'),
    'two parts': `${first}.${second}`,
    'five parts': `${good}.x.y`,
    'a tab behind': `${good}\t`,
    'a line feed behind': `${good}\n`,
    'a line feed inside': `${first}.\n${second}.${third}`,
    'a zero byte behind': `${good}\0`,
    'percent signs': encodeURIComponent(`${first}.${second}.${third}`).replace('.', '%2E'),
    quotes: `"${good}"`,
    'a token list': `${good},${good}`,
    'the flattened form': JSON.stringify({ protected: first, payload: second, signature: third }),
    'the general form': JSON.stringify({
      payload: second,
      signatures: [{ protected: first, signature: third }],
    }),
    'claims that are a list': tokenOf({ body: [claims] }),
    'claims that are text': tokenOf({ body: '"x"' }),
    'claims with a tail': tokenOf({ body: `${bodyText}{}` }),
    'claims after a byte order mark': tokenOf({ body: `\ufeff${bodyText}` }),
    'a header that is a list': tokenOf({ head: [header] }),
    oversized: tokenOf({ body: { ...claims, pad: 'x'.repeat(20_000) } }),
    'very deep': tokenOf({ body: `{"a":${'['.repeat(6_000)}${']'.repeat(6_000)}}` }),
  },
};

/** Trailing white space of a header is the transport's, so these are the same token. */
const trimmed = new Set(['a tab behind', 'a line feed behind']);

for (const [what, rows] of Object.entries(forgeries))
  test(`forged: ${what}`, async (t) => {
    for (const [name, token] of Object.entries(rows))
      await t.test(name, async () => {
        const caller = await callerOf(`Bearer ${token}`);
        assert.equal(caller, trimmed.has(name) ? 'system:serviceaccount:shop:bot' : undefined);
      });
  });

test('a refused token never becomes an anonymous request', async () => {
  for (const rows of Object.values(forgeries))
    for (const [name, token] of Object.entries(rows))
      assert.notEqual(await callerOf(`Bearer ${token}`), 'system:anonymous', name);
});

test('what was refused once is not remembered as good, nor the other way round', async () => {
  const forged = `${first}.${second}.${withSpareBits(third)}`;
  for (let i = 0; i < 3; i++) {
    assert.equal(await callerOf(`Bearer ${forged}`), undefined);
    assert.equal(await callerOf(`Bearer ${good}`), 'system:serviceaccount:shop:bot');
  }
});
