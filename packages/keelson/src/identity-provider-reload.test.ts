// How identity providers come, go and change while a control plane runs, and what ends its start
// (spec/auth §3.5, §2.8).

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AuthenticationConfigurationError } from '@keelson/apiserver';
import { until } from './testing/authenticated-plane.ts';
import {
  configuration,
  notReady,
  outcome,
  planeWith,
  provider,
  ready,
  start,
  startMs,
} from './testing/identity-provider-plane.ts';
import { startIdentityProvider, type IdentityProvider } from './testing/identity-provider.ts';

const unknownToken = 'invalid bearer token';
const unsigned =
  'oidc: verify token: failed to verify signature: failed to verify id token signature';

test('auth §3.9 (9): a provider that comes back', async (t) => {
  const gone = await startIdentityProvider({ nowMs: () => startMs });
  await gone.close();
  const plane = await planeWith(t, configuration([{ provider: gone }]));
  await until(() => plane.log.some((line) => line.includes('discovery failed')));
  assert.equal(await outcome(plane, gone.token()), notReady);
  assert.equal(await plane.status('/version'), 200);
  const back = await provider(t, { port: gone.port });
  await plane.clock.advance(10_000);
  await ready(plane, back.token());
  assert.equal(await outcome(plane, back.token()), 'idp:jane [system:authenticated]');
});

test('providers that misbehave are not believed', async (t) => {
  const idp = await provider(t);
  const plane = await planeWith(t, configuration([{ provider: idp }]));
  await ready(plane, idp.token());
  const rows: [mode: IdentityProvider['mode'], reason: RegExp][] = [
    [
      'another-issuer',
      /issuer did not match the issuer returned by provider, expected .* got .*somebody\.test/,
    ],
    ['garbage', /failed to decode provider discovery object/],
    ['broken', /failed: status 503/],
    ['redirecting', /failed: status 302/],
    ['no-keys', /provider did not return JWKS URL/],
    ['plain-keys', /is not one of https/],
    ['endless', /the document is larger than 1048576 bytes/],
  ];
  for (const [mode, reason] of rows) {
    const other = await provider(t);
    other.mode = mode;
    const fresh = await planeWith(t, configuration([{ provider: other }]));
    await until(() => fresh.log.some((line) => reason.test(line)));
    assert.equal(await outcome(fresh, other.token()), notReady, mode);
    assert.ok(!other.requests.includes('/elsewhere'), mode);
  }
});

test('a provider that says nothing is given up, and asked again', async (t) => {
  const idp = await provider(t);
  idp.mode = 'silent';
  const plane = await planeWith(t, configuration([{ provider: idp }]));
  await until(() => idp.requests.length === 1);
  await plane.clock.advance(30_000);
  await until(() => plane.log.some((line) => line.includes('context deadline exceeded')));
  assert.equal(await outcome(plane, idp.token()), notReady);
  assert.equal(await plane.status('/livez'), 200);
  idp.mode = 'well';
  await plane.clock.advance(10_000);
  await ready(plane, idp.token());
  assert.equal(await outcome(plane, idp.token()), 'idp:jane [system:authenticated]');
});

test('keys: rotation is found, invented key ids do not make a storm', async (t) => {
  const idp = await provider(t);
  const plane = await planeWith(t, configuration([{ provider: idp }]));
  await ready(plane, idp.token());
  const fetches = () => idp.requests.filter((path) => path === '/keys').length;
  assert.equal(await outcome(plane, idp.token()), 'idp:jane [system:authenticated]');
  assert.equal(fetches(), 1);
  const old = idp.key;
  const before = idp.token({ jti: 'before' });
  assert.equal(await outcome(plane, before), 'idp:jane [system:authenticated]');
  for (let i = 0; i < 20; i++)
    assert.equal(await outcome(plane, idp.token({}, { kid: `invented-${i}` })), unsigned);
  assert.equal(fetches(), 1, 'within five seconds');
  idp.rotate();
  await plane.clock.advance(5_000);
  assert.equal(await outcome(plane, idp.token()), 'idp:jane [system:authenticated]');
  assert.equal(fetches(), 2);
  assert.equal(await outcome(plane, idp.token({}, {}, old)), unsigned, 'a withdrawn key');
  assert.equal(await outcome(plane, before), unsigned, 'what it had signed before');
  await plane.clock.advance(5_000);
  idp.mode = 'broken';
  idp.rotate();
  assert.match(await outcome(plane, idp.token()), /fetching keys get keys failed: status 503/);
  idp.mode = 'well';
  await plane.clock.advance(5_000);
  assert.equal(await outcome(plane, idp.token()), 'idp:jane [system:authenticated]');
});

test('auth §3.9 (10), §2.9 (15): a bad configuration leaves the last good one', async (t) => {
  const idp = await provider(t);
  const good = configuration([{ provider: idp }]);
  const plane = await planeWith(t, good);
  await ready(plane, idp.token());
  const reloads = 'apiserver_authentication_config_controller_automatic_reloads_total';
  const counts = async () =>
    (await plane.metrics(`${reloads}{`)).map((line) => line.replace(/.*status="(\w+)"\} /, '$1 '));
  const rows: [text: string, why: RegExp][] = [
    ['jwt: [', /failed to load authentication configuration from file/],
    ['', /empty config data/],
    [
      configuration([{ provider: idp }, { provider: idp }]),
      /jwt\[1\]\.issuer\.url: Duplicate value/,
    ],
    [
      configuration([{ provider: idp }], { anonymous: { enabled: true } }),
      /anonymous: Forbidden: changed from initial configuration file/,
    ],
    [
      configuration([
        { provider: idp, issuer: { url: 'https://kubernetes.default.svc.cluster.local' } },
      ]),
      /URL must not overlap with disallowed issuers/,
    ],
  ];
  let failures = 0;
  for (const [text, why] of rows) {
    plane.write(text);
    await plane.clock.advance(60_000);
    await until(() => plane.log.some((line) => why.test(line)));
    failures++;
    await plane.clock.advance(180_000);
    await until(async () => (await counts()).join() === `failure ${failures}`);
    assert.equal(
      await outcome(plane, idp.token({ exp: start(86_400) })),
      'idp:jane [system:authenticated]',
    );
  }
  plane.write(
    configuration([
      { provider: idp, claimMappings: { username: { claim: 'sub', prefix: 'new:' } } },
    ]),
  );
  await plane.clock.advance(60_000);
  await until(async () => {
    await plane.clock.advance(1_000);
    return (await outcome(plane, idp.token({ exp: start(86_400) }))).startsWith('new:');
  });
  assert.deepEqual((await counts()).sort(), [`failure ${failures}`, 'success 1']);
  const [info = ''] = await plane.metrics(
    'apiserver_authentication_config_controller_last_config_info{',
  );
  assert.match(info, /apiserver_id_hash="sha256:[0-9a-f]{64}",hash="sha256:[0-9a-f]{64}"\} 1$/);
});

test('auth §3.9 (11): an issuer that cannot be found is waited for', async (t) => {
  const [idp, late] = [await provider(t), await startIdentityProvider({ nowMs: () => startMs })];
  await late.close();
  const plane = await planeWith(t, configuration([{ provider: idp }]));
  await ready(plane, idp.token());
  plane.write(configuration([{ provider: idp }, { provider: late }]));
  const failed = () => plane.log.some((line) => line.includes('is not healthy'));
  await until(async () => {
    await plane.clock.advance(10_000);
    return failed();
  });
  const [line = ''] = plane.log.filter((text) => text.includes('is not healthy'));
  assert.match(
    line,
    /^failed to reload authentication config .*authenticator for issuer .* is not healthy/,
  );
  assert.equal(await outcome(plane, late.token({ exp: start(86_400) })), unknownToken);
  assert.equal(
    await outcome(plane, idp.token({ exp: start(86_400) })),
    'idp:jane [system:authenticated]',
  );
  const back = await provider(t, { port: late.port });
  await until(async () => {
    await plane.clock.advance(10_000);
    return (
      (await outcome(plane, back.token({ exp: start(86_400) }))) ===
      'idp:jane [system:authenticated]'
    );
  });
});

test('an issuer that is gone from the file takes its tokens and its metrics with it', async (t) => {
  const [kept, gone] = [await provider(t), await provider(t)];
  const plane = await planeWith(t, configuration([{ provider: kept }, { provider: gone }]));
  const later = { exp: start(86_400) };
  for (const one of [kept, gone]) {
    await ready(plane, one.token(later));
    assert.equal(await outcome(plane, one.token(later)), 'idp:jane [system:authenticated]');
  }
  const keyMetrics = 'apiserver_authentication_jwt_authenticator_jwks_fetch_last_key_set_info{';
  assert.equal((await plane.metrics(keyMetrics)).length, 2);
  plane.write(configuration([{ provider: kept }]));
  await until(async () => {
    await plane.clock.advance(10_000);
    return (await outcome(plane, gone.token(later))) === unknownToken;
  });
  assert.equal((await plane.metrics(keyMetrics)).length, 1);
});

test('auth §3.9 (2), (12), §2.9 (4), (5): what is wrong at the start ends the start', async (t) => {
  const idp = await provider(t);
  const rows: [text: string, more: object, message: RegExp][] = [
    [
      configuration([
        { provider: idp, issuer: { url: 'https://kubernetes.default.svc.cluster.local' } },
      ]),
      {},
      /^invalid authentication configuration: jwt\[0\]\.issuer\.url: .* must not overlap with disallowed issuers/,
    ],
    [
      configuration([{ provider: idp }, { provider: idp }]),
      {},
      /^invalid authentication configuration: jwt\[1\]\.issuer\.url: Duplicate value/,
    ],
    ['{', {}, /^failed to load authentication configuration from file ".*authentication\.yaml": /],
    [
      configuration([{ provider: idp, issuer: { egressSelectorType: 'cluster' } }]),
      {},
      /^oidc: egress lookup for "cluster" is not configured$/,
    ],
    [
      configuration([], { anonymous: { enabled: true } }),
      { anonymous: true },
      /^anonymous: Forbidden: --anonymous-auth flag cannot be set when anonymous field is configured in authentication configuration file$/,
    ],
  ];
  for (const [text, more, message] of rows)
    await assert.rejects(
      () => planeWith(t, text, more),
      (error) => error instanceof AuthenticationConfigurationError && message.test(error.message),
    );
});

test('auth §2.9 (3): anonymous only for the configured paths', async (t) => {
  const anonymous = { enabled: true, conditions: [{ path: '/livez' }] };
  const plane = await planeWith(t, configuration([], { anonymous }));
  const rows: [url: string, expected: number][] = [
    ['/livez', 200],
    ['/livez?verbose', 200],
    ['/livez/ping', 401],
    ['/healthz', 401],
    ['/version', 401],
    ['/livez/', 401],
    ['//livez', 401],
  ];
  for (const [url, expected] of rows) assert.equal(await plane.status(url), expected, url);
  const off = await planeWith(t, configuration([], { anonymous: { enabled: false } }));
  assert.equal(await off.status('/livez'), 401);
});

test('a discovery URL of its own', async (t) => {
  const idp = await provider(t);
  const issuer = { discoveryURL: `${idp.url}/elsewhere` };
  const plane = await planeWith(t, configuration([{ provider: idp, issuer }]));
  await ready(plane, idp.token());
  assert.equal(await outcome(plane, idp.token()), 'idp:jane [system:authenticated]');
  assert.deepEqual(idp.requests, ['/elsewhere', '/keys']);
});

test('a provider whose certificate nobody vouches for is not asked', async (t) => {
  const idp = await provider(t);
  const issuer = { certificateAuthority: '' };
  const plane = await planeWith(t, configuration([{ provider: idp, issuer }]));
  await until(() => plane.log.some((line) => line.includes('discovery failed')));
  assert.equal(await outcome(plane, idp.token()), notReady);
  assert.deepEqual(idp.requests, []);
});
