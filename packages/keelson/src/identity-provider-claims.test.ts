// How claims of verified tokens become users, and what rules may ask of both (spec/auth §3.4).

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '@keelson/apimachinery';
import { startAuthenticatedPlane, until } from './testing/authenticated-plane.ts';
import {
  configuration,
  outcome,
  planeWith,
  provider,
  ready,
  start,
} from './testing/identity-provider-plane.ts';
import { audience, createProviderKey, type Claims } from './testing/identity-provider.ts';

test('auth §3.9 (1): each issuer maps with its own prefix', async (t) => {
  const [a, b] = [await provider(t), await provider(t, { algorithm: 'RS256' })];
  const mapped = (prefix: string) => ({ username: { claim: 'sub', prefix } });
  const plane = await planeWith(
    t,
    configuration([
      { provider: a, claimMappings: mapped('a:') },
      { provider: b, claimMappings: mapped('b:') },
    ]),
  );
  for (const one of [a, b]) await ready(plane, one.token());
  assert.equal(await outcome(plane, a.token()), 'a:jane [system:authenticated]');
  assert.equal(await outcome(plane, b.token()), 'b:jane [system:authenticated]');
  const groups = { groups: ['x', 'y'] };
  assert.equal(await outcome(plane, a.token(groups)), 'a:jane [idp:x idp:y system:authenticated]');
  assert.equal(await plane.status('/api', { authorization: `Bearer ${a.token()}` }), 200);
  assert.equal(await plane.status('/api', { authorization: `Bearer ${b.token()}x` }), 401);
});

test('auth §3.9 (3): one of several audiences is enough', async (t) => {
  const idp = await provider(t);
  const issuer = { audiences: ['a', 'b'], audienceMatchPolicy: 'MatchAny' };
  const plane = await planeWith(t, configuration([{ provider: idp, issuer }]));
  await ready(plane, idp.token());
  assert.equal(await outcome(plane, idp.token({ aud: ['b'] })), 'idp:jane [system:authenticated]');
  assert.equal(
    await outcome(plane, idp.token({ aud: ['c'] })),
    'oidc: verify token: oidc: expected audience in ["a" "b"] got ["c"]',
  );
});

test('auth §3.4: claims become users by expression', async (t) => {
  const idp = await provider(t);
  const plane = await planeWith(
    t,
    configuration([
      {
        provider: idp,
        claimMappings: {
          username: { expression: 'claims.sub + "@" + claims.tenant__dash__id' },
          groups: { expression: 'claims.roles.map(r, "role:" + r)' },
          uid: { expression: 'claims.?oid.orValue("none")' },
          extra: [
            { key: 'acme.io/team', valueExpression: 'claims.acme__dot__io.team' },
            { key: 'acme.io/empty', valueExpression: '""' },
          ],
        },
      },
    ]),
  );
  const claims = {
    'tenant-id': 't1',
    roles: ['a', 'b'],
    'acme.io': { team: ['x', ''] },
    oid: 'u1',
  };
  await ready(plane, idp.token(claims));
  const user = await plane.review(idp.token({ ...claims, jti: 'j-1' }));
  assert.deepEqual(
    [user.username, user.uid, user.groups, user.extra],
    [
      'jane@t1',
      'u1',
      ['role:a', 'role:b', 'system:authenticated'],
      { 'acme.io/team': ['x'], 'authentication.kubernetes.io/credential-id': ['JTI=j-1'] },
    ],
  );
  const without = (name: string) => idp.token({ ...claims, [name]: undefined });
  assert.equal((await plane.review(without('oid'))).uid, 'none');
  assert.match(
    await outcome(plane, without('roles')),
    /^oidc: error evaluating group claim expression: expression 'claims\.roles\.map\(r, "role:" \+ r\)' resulted in error: no such key: roles$/,
  );
  assert.equal(
    await outcome(plane, idp.token({ ...claims, sub: '', 'tenant-id': 1 })),
    `oidc: error evaluating username claim expression: expression 'claims.sub + "@" + claims.tenant__dash__id' resulted in error: no such overload`,
  );
});

test('auth §3.4: an empty name by expression is no name', async (t) => {
  const idp = await provider(t);
  const claimMappings = { username: { expression: 'claims.name' } };
  const plane = await planeWith(t, configuration([{ provider: idp, claimMappings }]));
  await ready(plane, idp.token());
  const rows: [name: unknown, expected: string][] = [
    ['', 'oidc: empty username via CEL expression is not allowed'],
    [
      7,
      'oidc: error evaluating username claim expression: username claim expression must return a string',
    ],
    ['ada', 'ada [system:authenticated]'],
  ];
  for (const [name, expected] of rows)
    assert.equal(await outcome(plane, idp.token({ name })), expected);
});

test('auth §3.9 (7), (8): what claims and users must be', async (t) => {
  const idp = await provider(t);
  const plane = await planeWith(
    t,
    configuration([
      {
        provider: idp,
        claimMappings: { username: { claim: 'sub', prefix: '' } },
        more: {
          claimValidationRules: [
            { claim: 'tenant', requiredValue: 't1' },
            { expression: 'claims.exp - claims.nbf <= 86400', message: 'at most a day' },
          ],
          userValidationRules: [
            {
              expression: "!user.username.startsWith('system:')",
              message: 'username cannot used reserved system: prefix',
            },
            { expression: "user.groups.all(g, !g.startsWith('system:'))" },
          ],
        },
      },
    ]),
  );
  const good = { tenant: 't1', nbf: start(0) };
  await ready(plane, idp.token(good));
  const rows: [claims: Claims, expected: string][] = [
    [good, 'jane [system:authenticated]'],
    [{ nbf: start(0) }, 'oidc: required claim tenant not present in ID token'],
    [
      { ...good, tenant: 't2' },
      'oidc: required claim tenant value does not match. Got = t2, want = t1',
    ],
    [
      { ...good, tenant: ['t1'] },
      'oidc: parse claim tenant: json: cannot unmarshal array into Go value of type string',
    ],
    [
      { ...good, exp: start(86_401) },
      "oidc: error evaluating claim validation expression: validation expression 'claims.exp - claims.nbf <= 86400' failed: at most a day",
    ],
    [
      { ...good, nbf: undefined },
      "oidc: error evaluating claim validation expression: expression 'claims.exp - claims.nbf <= 86400' resulted in error: no such key: nbf",
    ],
    [
      { ...good, sub: 'system:x' },
      "oidc: error evaluating user info validation rule: validation expression '!user.username.startsWith('system:')' failed: username cannot used reserved system: prefix",
    ],
  ];
  for (const [claims, expected] of rows)
    assert.equal(await outcome(plane, idp.token(claims)), expected);
  assert.equal(
    await plane.status('/api', { authorization: `Bearer ${idp.token({ sub: 'system:x' })}` }),
    401,
  );
});

test('auth §3.9 (14): the token id is the credential id since 1.32', async (t) => {
  const idp = await provider(t);
  const text = configuration([{ provider: idp }]).replace('k8s.io/v1"', 'k8s.io/v1beta1"');
  const key = 'authentication.kubernetes.io/credential-id';
  for (const [emulatedVersion, expected] of [
    ['1.31', undefined],
    ['1.32', ['JTI=abc']],
    ['1.36', ['JTI=abc']],
  ] as const) {
    const plane = await planeWith(t, text, { emulatedVersion });
    await ready(plane, idp.token());
    assert.deepEqual((await plane.review(idp.token({ jti: 'abc' }))).extra[key], expected);
    for (const jti of [undefined, '', 7])
      assert.equal((await plane.review(idp.token({ jti }))).extra[key], undefined);
  }
});

test('auth §3.9 (7): the log says which rule failed, the client does not learn it', async (t) => {
  const idp = await provider(t);
  const claimValidationRules = [{ expression: "claims.tenant == 't1'", message: 'wrong tenant' }];
  const plane = await planeWith(
    t,
    configuration([{ provider: idp, more: { claimValidationRules } }]),
  );
  await ready(plane, idp.token({ tenant: 't1' }));
  const token = idp.token({ tenant: 't2' });
  assert.equal(await plane.status('/api', { authorization: `Bearer ${token}` }), 401);
  const [line = ''] = plane.log.filter((text) => text.startsWith('unable to authenticate'));
  assert.match(line, /failed: wrong tenant/);
  assert.ok(!line.includes(token));
});

test('mappings that could make names of the system are told of', async (t) => {
  const idp = await provider(t);
  const username = (prefix: string) => ({ username: { claim: 'sub', prefix } });
  const rule = [{ expression: "!user.username.startsWith('system:')" }];
  const rows: [claimMappings: JsonObject, more: JsonObject, mappings: string | undefined][] = [
    [username('idp:'), {}, undefined],
    [username(''), {}, '["username"]'],
    [username('sys'), {}, '["username"]'],
    [username('system:idp:'), {}, '["username"]'],
    [username(''), { userValidationRules: rule }, undefined],
    [
      { username: { expression: 'claims.sub' }, groups: { claim: 'g', prefix: '' } },
      {},
      '["username","groups"]',
    ],
  ];
  for (const [claimMappings, more, mappings] of rows) {
    const plane = await planeWith(t, configuration([{ provider: idp, claimMappings, more }]));
    const line = plane.log.find((text) => text.startsWith('tokens of this issuer'));
    assert.equal(
      /"mappings":(\[.*?\])/.exec(line ?? '')?.[1],
      mappings,
      JSON.stringify(claimMappings),
    );
  }
});

test('auth §3.9 (15): expressions that give no groups', async (t) => {
  const idp = await provider(t);
  const claimMappings = {
    username: { claim: 'sub', prefix: '' },
    groups: { expression: 'claims.g' },
  };
  const plane = await planeWith(t, configuration([{ provider: idp, claimMappings }]));
  await ready(plane, idp.token());
  for (const g of ['', [], null, ['']])
    assert.deepEqual((await plane.review(idp.token({ g }))).groups, ['system:authenticated']);
  for (const g of [7, [7], { a: 1 }, true])
    assert.equal(
      await outcome(plane, idp.token({ g })),
      'oidc: error evaluating group claim expression: expression must return a string or a list of strings',
    );
});

test('auth §3.4: groups that are somewhere else', async (t) => {
  const idp = await provider(t);
  const plane = await planeWith(t, configuration([{ provider: idp }]));
  await ready(plane, idp.token());
  const endpoint = idp.publish('jane', idp.token({ groups: ['far'] }));
  const at = (source: Claims) => ({
    _claim_names: { groups: 's' },
    _claim_sources: { s: source },
  });
  const claims = at({ endpoint, access_token: 'opaque' });
  await until(
    async () => !(await outcome(plane, idp.token(claims))).includes('not initialized for'),
  );
  assert.equal(await outcome(plane, idp.token(claims)), 'idp:jane [idp:far system:authenticated]');
  assert.ok(idp.credentials.includes('Bearer opaque'));
  const expand = 'oidc: could not expand distributed claims: ';
  const foreign = idp.publish('foreign', idp.token({ groups: ['x'] }, {}, createProviderKey('o')));
  const other = idp.publish('other', idp.token({ groups: ['x'], aud: 'vault' }));
  const bare = idp.publish('bare', idp.token());
  const rows: [what: string, claims: Claims, expected: string][] = [
    [
      'groups of its own',
      { ...claims, groups: ['near'] },
      'idp:jane [idp:near system:authenticated]',
    ],
    [
      'another claim',
      { _claim_names: { roles: 's' }, _claim_sources: {} },
      'idp:jane [system:authenticated]',
    ],
    ['no sources', { _claim_names: { groups: 's' } }, `${expand}oidc: no claim sources`],
    [
      'another source',
      { _claim_names: { groups: 's' }, _claim_sources: {} },
      `${expand}id token _claim_names contained a source s missing in _claims_sources`,
    ],
    [
      'names that are none',
      { _claim_names: 7 },
      `${expand}oidc: error parsing distributed claim names`,
    ],
    [
      'another key',
      at({ endpoint: foreign }),
      `${expand}verify distributed claim token: failed to verify signature: failed to verify id token signature`,
    ],
    [
      'another audience',
      at({ endpoint: other }),
      `${expand}verify distributed claim token: oidc: expected audience "kubernetes" got ["vault"]`,
    ],
    [
      'a token without it',
      at({ endpoint: bare }),
      `${expand}jwt returned by distributed claim endpoint "${bare}" did not contain claim: groups`,
    ],
    [
      'nothing there',
      at({ endpoint: `${idp.url}/claims/none` }),
      `${expand}while getting distributed claim "groups": error while getting distributed claim JWT: status 404`,
    ],
    [
      'an address without TLS',
      at({ endpoint: 'http://127.0.0.1:1/x' }),
      `${expand}while getting distributed claim "groups": http://127.0.0.1:1/x is not a URL of https`,
    ],
  ];
  for (const [what, changed, expected] of rows)
    assert.equal(await outcome(plane, idp.token(changed)), expected, what);
});

test('auth §3.2: the flags --oidc-*', async (t) => {
  const idp = await provider(t, { algorithm: 'RS256' });
  const settings = {
    issuerUrl: idp.url,
    clientId: audience,
    certificateAuthority: idp.authorityPem,
    usernameClaim: 'sub',
    usernamePrefix: '',
    groupsClaim: 'groups',
    groupsPrefix: 'g:',
    requiredClaims: new Map([['tenant', 't1']]),
  };
  const claims = { tenant: 't1', email: 'j@x.test', groups: ['a'] };
  const rows: [changes: object, expected: string][] = [
    [{}, `${idp.url}#jane [g:a system:authenticated]`],
    [{ usernamePrefix: '-' }, 'jane [g:a system:authenticated]'],
    [{ usernamePrefix: 'x:' }, 'x:jane [g:a system:authenticated]'],
    [{ usernameClaim: 'email' }, 'j@x.test [g:a system:authenticated]'],
    [{ groupsClaim: '' }, `${idp.url}#jane [system:authenticated]`],
    [
      { requiredClaims: new Map([['tenant', 't2']]) },
      'oidc: required claim tenant value does not match. Got = t1, want = t2',
    ],
  ];
  for (const [changes, expected] of rows) {
    const oidc = { settings: { ...settings, ...changes }, algorithms: ['RS256'] };
    const plane = await startAuthenticatedPlane(t, { oidc, emulatedVersion: '1.28' });
    await ready(plane, idp.token(claims));
    assert.equal(await outcome(plane, idp.token(claims)), expected);
    assert.match(
      await outcome(plane, idp.token(claims, { alg: 'PS256' })),
      /unsupported algorithm, expected \["RS256"\] got "PS256"/,
    );
  }
});
