// Tokens of identity providers against a whole control plane, over real HTTPS with real keys:
// what is accepted, and what each wrong token is told (spec/auth §3).

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import {
  configuration,
  outcome,
  planeWith,
  provider,
  ready,
  start,
} from './testing/identity-provider-plane.ts';
import {
  audience,
  createProviderKey,
  signJwt,
  type Claims,
  type IdentityProvider,
} from './testing/identity-provider.ts';

const unknownToken = 'invalid bearer token';
const verify = (text: string) => `oidc: verify token: ${text}`;
const unsigned = verify('failed to verify signature: failed to verify id token signature');
const critical = verify('oidc: malformed jwt: its header has critical extensions');
const algorithms = '["ES256" "ES384" "ES512" "PS256" "PS384" "PS512" "RS256" "RS384" "RS512"]';
const unsupported = (algorithm: string) =>
  verify(
    `oidc: id token signed with unsupported algorithm, expected ${algorithms} got "${algorithm}"`,
  );

type TokenRow = [what: string, token: (idp: IdentityProvider) => string, expected: string];

function hmacToken(idp: IdentityProvider, secret: string | Buffer, header: Claims = {}): string {
  const [, claims] = idp.token().split('.');
  const head = Buffer.from(JSON.stringify({ alg: 'HS256', kid: idp.key.id, ...header }));
  const text = `${head.toString('base64url')}.${claims}`;
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
}

const wrongTokens: readonly TokenRow[] = [
  ['alg none', (idp) => `${idp.token({}, { alg: 'none' })}`, unsupported('none')],
  [
    'alg none without signature',
    (idp) => idp.token({}, { alg: 'none' }).replace(/[^.]*$/, ''),
    unsupported('none'),
  ],
  ['alg nOnE', (idp) => idp.token({}, { alg: 'nOnE' }), unsupported('nOnE')],
  [
    'no alg',
    (idp) => idp.token({}, { alg: undefined }),
    verify('oidc: malformed jwt: its header names no algorithm'),
  ],
  [
    'the public key as an HMAC secret',
    (idp) => hmacToken(idp, idp.key.publicKey.export({ type: 'spki', format: 'pem' })),
    unsupported('HS256'),
  ],
  [
    'the same in DER',
    (idp) => hmacToken(idp, idp.key.publicKey.export({ type: 'spki', format: 'der' })),
    unsupported('HS256'),
  ],
  ['another algorithm than the key’s', (idp) => idp.token({}, { alg: 'RS256' }), unsigned],
  ['another algorithm of the same family', (idp) => idp.token({}, { alg: 'ES384' }), unsigned],
  ['another key', (idp) => idp.token({}, { kid: idp.key.id }, createProviderKey('x')), unsigned],
  [
    'another key without id',
    (idp) => idp.token({}, { kid: undefined }, createProviderKey('x')),
    unsigned,
  ],
  ['an unknown key id', (idp) => idp.token({}, { kid: 'key-9' }), unsigned],
  ['a path as key id', (idp) => idp.token({}, { kid: '../../../../dev/null' }), unsigned],
  ['SQL as key id', (idp) => idp.token({}, { kid: "x' UNION SELECT 'k" }), unsigned],
  ['a prototype as key id', (idp) => idp.token({}, { kid: '__proto__' }), unsigned],
  [
    'a list as key id',
    (idp) => idp.token({}, { kid: [idp.key.id] }),
    verify('oidc: malformed jwt: its key id is no text'),
  ],
  [
    'its own key in the header',
    (idp) => {
      const own = createProviderKey('own');
      return idp.token({}, { jwk: own.publicKey.export({ format: 'jwk' }) }, own);
    },
    unsigned,
  ],
  [
    'keys at an address of its own',
    (idp) => idp.token({}, { jku: `${idp.url}/evil` }, createProviderKey('own')),
    unsigned,
  ],
  [
    'a certificate of its own',
    (idp) => idp.token({}, { x5u: `${idp.url}/evil`, x5c: ['MIIB'] }, createProviderKey('own')),
    unsigned,
  ],
  ['a critical extension', (idp) => idp.token({}, { crit: ['exp'], exp: 1 }), critical],
  [
    'a payload that is not encoded',
    (idp) => idp.token({}, { b64: false, crit: ['b64'] }),
    critical,
  ],
  ['another issuer', (idp) => idp.token({ iss: 'https://somebody.test' }), unknownToken],
  ['the issuer with a slash', (idp) => idp.token({ iss: `${idp.url}/` }), unknownToken],
  ['the issuer in upper case', (idp) => idp.token({ iss: idp.url.toUpperCase() }), unknownToken],
  ['no issuer', (idp) => idp.token({ iss: undefined }), unknownToken],
  ['a list of issuers', (idp) => idp.token({ iss: [idp.url] }), unknownToken],
  [
    'another audience',
    (idp) => idp.token({ aud: 'vault' }),
    verify('oidc: expected audience "kubernetes" got ["vault"]'),
  ],
  [
    'no audience',
    (idp) => idp.token({ aud: undefined }),
    verify('oidc: expected audience "kubernetes" got []'),
  ],
  [
    'a longer audience',
    (idp) => idp.token({ aud: 'kubernetes2' }),
    verify('oidc: expected audience "kubernetes" got ["kubernetes2"]'),
  ],
  [
    'an audience that is an object',
    (idp) => idp.token({ aud: { kubernetes: true } }),
    verify('oidc: failed to unmarshal claims: "aud" has a wrong type'),
  ],
  [
    'expired a second ago',
    (idp) => idp.token({ exp: start(-1) }),
    verify('oidc: token is expired (Token Expiry: 2025-12-31 23:59:59 +0000 UTC)'),
  ],
  [
    'no expiry',
    (idp) => idp.token({ exp: undefined }),
    verify('oidc: token is expired (Token Expiry: 0001-01-01 00:00:00 +0000 UTC)'),
  ],
  [
    'an expiry in words',
    (idp) => idp.token({ exp: '9999999999' }),
    verify('oidc: failed to unmarshal claims: "exp" has a wrong type'),
  ],
  [
    'not yet valid',
    (idp) => idp.token({ nbf: start(61) }),
    verify(
      'oidc: current time 2026-01-01 00:00:00 +0000 UTC before the nbf (not before) time: 2026-01-01 00:01:01 +0000 UTC',
    ),
  ],
  [
    'a claim twice',
    (idp) =>
      signJwt(
        { alg: 'ES256', kid: idp.key.id },
        JSON.stringify({ iss: idp.url, aud: audience, exp: start(60), sub: 'jane' }).replace(
          '"sub"',
          '"sub":"root","sub"',
        ),
        idp.key,
      ),
    verify('oidc: malformed jwt: duplicate field "sub"'),
  ],
  [
    'other claims under the same signature',
    (idp) => {
      const [head, , signature] = idp.token().split('.');
      const [, claims] = idp.token({ sub: 'root' }).split('.');
      return [head, claims, signature].join('.');
    },
    unsigned,
  ],
  ['a cut signature', (idp) => idp.token().slice(0, -4), unsigned],
  ['two parts', (idp) => idp.token().split('.').slice(0, 2).join('.'), unknownToken],
  ['four parts', (idp) => `${idp.token()}.x`, unknownToken],
  [
    'JSON serialization',
    (idp) => {
      const [head, payload, signature] = idp.token().split('.');
      return JSON.stringify({ protected: head, payload, signature });
    },
    unknownToken,
  ],
  ['an oversized token', (idp) => idp.token({ filler: 'x'.repeat(70_000) }), unknownToken],
  [
    'no user name',
    (idp) => idp.token({ sub: undefined }),
    'oidc: parse username claims "sub": claim not present',
  ],
  ['an empty user name', (idp) => idp.token({ sub: '' }), 'oidc: username claim "sub" is empty'],
  ['null as user name', (idp) => idp.token({ sub: null }), 'oidc: username claim "sub" is empty'],
  [
    'a number as user name',
    (idp) => idp.token({ sub: 7 }),
    verify('oidc: failed to unmarshal claims: "sub" has a wrong type'),
  ],
  [
    'groups that are a number',
    (idp) => idp.token({ groups: 7 }),
    'oidc: parse groups claim "groups": json: cannot unmarshal number into Go value of type string',
  ],
  [
    'groups that are an object',
    (idp) => idp.token({ groups: { 'system:masters': true } }),
    'oidc: parse groups claim "groups": json: cannot unmarshal object into Go value of type string',
  ],
  [
    'a number among the groups',
    (idp) => idp.token({ groups: ['a', 7] }),
    'oidc: parse groups claim "groups": json: cannot unmarshal array into Go value of type string',
  ],
  [
    'nested groups',
    (idp) => idp.token({ groups: [['system:masters']] }),
    'oidc: parse groups claim "groups": json: cannot unmarshal array into Go value of type string',
  ],
];

test('tokens that are not good: none passes, and each is told why', async (t) => {
  const idp = await provider(t);
  const plane = await planeWith(t, configuration([{ provider: idp }]));
  await ready(plane, idp.token());
  for (const [what, make, expected] of wrongTokens) {
    const token = make(idp);
    assert.equal(await outcome(plane, token), expected, what);
    // Keys are asked for again only so often; each row has its turn.
    await plane.clock.advance(0);
  }
  for (const [what, make] of wrongTokens)
    assert.equal(
      await plane.status('/api', { authorization: `Bearer ${make(idp)}` }),
      401,
      `${what}: anonymous`,
    );
  assert.ok(idp.requests.every((path) => !path.includes('evil')));
  assert.equal(await outcome(plane, idp.token()), 'idp:jane [system:authenticated]');
  for (const line of plane.log) assert.ok(!line.includes(idp.token().slice(0, 40)), line);
});

test('tokens that are good in unusual ways', async (t) => {
  const idp = await provider(t, { algorithm: 'PS256' });
  const plane = await planeWith(t, configuration([{ provider: idp }]));
  await ready(plane, idp.token());
  const jane = 'idp:jane [system:authenticated]';
  const rows: TokenRow[] = [
    ['no key id', () => idp.token({}, { kid: undefined }), jane],
    ['a list of audiences', () => idp.token({ aud: ['vault', audience] }), jane],
    ['expires now', () => idp.token({ exp: start(0) }), jane],
    ['a minute early', () => idp.token({ nbf: start(60) }), jane],
    ['one group', () => idp.token({ groups: 'x' }), 'idp:jane [idp:x system:authenticated]'],
    ['no groups', () => idp.token({ groups: [] }), jane],
    ['null as groups', () => idp.token({ groups: null }), jane],
    [
      'empty groups',
      () => idp.token({ groups: ['', null, 'x'] }),
      'idp:jane [idp:x system:authenticated]',
    ],
  ];
  for (const [what, make, expected] of rows)
    assert.equal(await outcome(plane, make(idp)), expected, what);
});

test('names that only look like others stay what they are', async (t) => {
  const idp = await provider(t);
  const plane = await planeWith(t, configuration([{ provider: idp }]));
  await ready(plane, idp.token());
  const names = [
    'system:admin',
    'system:serviceaccount:kube-system:default',
    'system:node:n1',
    'SYSTEM:ADMIN',
    'ѕystem:admin',
    'system\u200b:admin',
    'cafe\u0301',
    'caf\u00e9',
    ' jane',
    'jane\u0000',
  ];
  for (const sub of names) {
    const { username, groups } = await plane.review(idp.token({ sub, groups: [sub] }));
    assert.equal(username, `idp:${sub}`);
    assert.deepEqual(groups, [`idp:${sub}`, 'system:authenticated']);
  }
  const masters = idp.token({ groups: ['system:masters', 'masters'] });
  assert.deepEqual((await plane.review(masters)).groups, [
    'idp:system:masters',
    'idp:masters',
    'system:authenticated',
  ]);
  assert.equal(await plane.status('/api/v1/secrets', { authorization: `Bearer ${masters}` }), 403);
});

test('email addresses that nobody has confirmed', async (t) => {
  const idp = await provider(t);
  const claimMappings = { username: { claim: 'email', prefix: '' } };
  const plane = await planeWith(t, configuration([{ provider: idp, claimMappings }]));
  await ready(plane, idp.token());
  const email = 'jane@example.test';
  const rows: [claims: Claims, expected: string][] = [
    [{ email }, `${email} [system:authenticated]`],
    [{ email, email_verified: true }, `${email} [system:authenticated]`],
    [{ email, email_verified: false }, 'oidc: email not verified'],
    [{ email, email_verified: null }, 'oidc: email not verified'],
    [
      { email, email_verified: 'true' },
      "oidc: parse 'email_verified' claim: json: cannot unmarshal string into Go value of type bool",
    ],
    [{ email_verified: true }, 'oidc: parse username claims "email": claim not present'],
  ];
  for (const [claims, expected] of rows)
    assert.equal(await outcome(plane, idp.token(claims)), expected, JSON.stringify(claims));
});
