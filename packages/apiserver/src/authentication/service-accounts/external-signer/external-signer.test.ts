// An external signer may be slow, gone, careless or lying. Titles carry the section and number of
// the acceptance case that they hold; the program of examples/external-signer holds the others.

import assert from 'node:assert/strict';
import { createHmac, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { test } from 'node:test';
import { createSimulatedClock, noDecisionTrace, type JsonObject } from '@keelson/apimachinery';
import { createFeatures } from '../../../features/create-features.ts';
import { createTestObjects } from '../../testing.ts';
import { createBoundTokenAuthenticator } from '../bound-token.ts';
import { createIssuerDiscovery } from '../issuer-discovery.ts';
import { createSignatureVerifier, encodePart } from '../json-web-token.ts';
import { createExternalTokenSigner } from './external-token-signer.ts';
import { createExternalKeyCache } from './key-cache.ts';
import { SignerError, type FetchedKey, type FetchedKeys } from './signer-client.ts';

const api = 'https://api.example';
const keys = () => generateKeyPairSync('ec', { namedCurve: 'P-256' });
const first = keys();
const second = keys();
const published = (id: string, publicKey: KeyObject, isExcluded = false): FetchedKey => ({
  id,
  key: publicKey.export({ type: 'spki', format: 'der' }),
  excludeFromOidcDiscovery: isExcluded,
});
const answerOf = (...list: FetchedKey[]): FetchedKeys => ({
  keys: list,
  dataTimestampSeconds: 1_767_225_600,
  refreshHintSeconds: 60,
});
const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const ecdsa = (header: string, claims: string, key: KeyObject) =>
  sign('sha256', Buffer.from(`${header}.${claims}`), {
    key,
    dsaEncoding: 'ieee-p1363',
  }).toString('base64url');

interface Behaviour {
  keys?: FetchedKeys | Error;
  header?: unknown;
  key?: KeyObject;
  signature?: string | ((header: string, claims: string) => string);
  gone?: boolean;
}

/** A signer that behaves as it is told, and everything of ours that talks to it. */
async function start(behaviour: Behaviour) {
  behaviour.keys ??= answerOf(published('first', first.publicKey));
  const clock = createSimulatedClock();
  const failures: string[] = [];
  let fetches = 0;
  const client = {
    fetchKeys() {
      fetches++;
      if (behaviour.gone === true)
        return Promise.reject(new SignerError('Unavailable', 'connect ENOENT'));
      return behaviour.keys instanceof Error
        ? Promise.reject(behaviour.keys)
        : Promise.resolve(behaviour.keys as FetchedKeys);
    },
    sign(claims: string) {
      if (behaviour.gone === true)
        return Promise.reject(new SignerError('Unavailable', 'connect ENOENT'));
      const given = behaviour.header ?? { alg: 'ES256', kid: 'first', typ: 'JWT' };
      const header = typeof given === 'string' ? given : part(given);
      const {
        signature = (h: string, c: string) => ecdsa(h, c, behaviour.key ?? first.privateKey),
      } = behaviour;
      return Promise.resolve({
        header,
        signature: typeof signature === 'string' ? signature : signature(header, claims),
      });
    },
  };
  const cache = createExternalKeyCache({
    client,
    clock,
    onError: (error) => failures.push(error instanceof Error ? error.message : String(error)),
  });
  await cache.refresh(1_000);
  const verifier = createSignatureVerifier();
  const signer = createExternalTokenSigner({ client, keys: cache, verifier });
  const account = { metadata: { namespace: 'shop', name: 'bot', uid: 'sa-1' } };
  const authenticator = createBoundTokenAuthenticator({
    issuers: [api],
    keys: cache,
    apiAudiences: [api],
    objects: {
      serviceAccounts: createTestObjects([account]),
      pods: createTestObjects(),
      secrets: createTestObjects(),
      nodes: createTestObjects(),
    },
    verifier,
    clock,
    features: createFeatures(),
  });
  const claims: JsonObject = {
    iss: api,
    sub: 'system:serviceaccount:shop:bot',
    aud: [api],
    exp: clock.now() / 1000 + 86_400,
    'kubernetes.io': { namespace: 'shop', serviceaccount: { name: 'bot', uid: 'sa-1' } },
  };
  return {
    clock,
    cache,
    failures,
    claims,
    fetches: () => fetches,
    sign: () => signer.sign(claims),
    async verdict(token: string) {
      const result = await authenticator.authenticateToken(token, [api], noDecisionTrace);
      return result.outcome === 'rejected' ? result.reason : result.outcome;
    },
    /** A token of this key, as the signer would make it. */
    tokenOf(kid: string, key: KeyObject) {
      const header = part({ alg: 'ES256', kid, typ: 'JWT' });
      const payload = encodePart(claims);
      return `${header}.${payload}.${ecdsa(header, payload, key)}`;
    },
  };
}

test('auth §6.9 (1): a token that it signed is good', async () => {
  const { sign: issue, verdict } = await start({});
  assert.equal(await verdict(await issue()), 'authenticated');
});

const good = { alg: 'ES256', kid: 'first', typ: 'JWT' };
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const publicPem = first.publicKey.export({ type: 'spki', format: 'pem' }).toString();
const lies: [what: string, behaviour: Behaviour, expected: RegExp][] = [
  [
    'auth §6.9 (2): a header with more in it',
    { header: { ...good, jku: 'https://a.example' } },
    /^while validating header: while parsing header JSON: json: unknown field "jku"$/,
  ],
  ['a key of its own in the header', { header: { ...good, jwk: {} } }, /unknown field "jwk"/],
  ['critical members', { header: { ...good, crit: ['exp'] } }, /unknown field "crit"/],
  [
    'auth §6.9 (3): an HMAC',
    {
      header: { ...good, alg: 'HS256' },
      signature: (h, c) => createHmac('sha256', publicPem).update(`${h}.${c}`).digest('base64url'),
    },
    /^while validating header: bad signing algorithm "HS256"$/,
  ],
  [
    'no signature, and says so',
    { header: { ...good, alg: 'none' } },
    /bad signing algorithm "none"/,
  ],
  ['another digest', { header: { ...good, alg: 'RS512' } }, /bad signing algorithm "RS512"/],
  ['no algorithm', { header: { kid: 'first', typ: 'JWT' } }, /bad signing algorithm ""/],
  [
    'auth §6.9 (4): a key that is not published',
    { header: { ...good, kid: 'old' }, key: second.privateKey },
    /^while validating header: key used for signing JWT \(kid: old\) is excluded from OIDC discovery docs$/,
  ],
  ['no type', { header: { alg: 'ES256', kid: 'first' } }, /^while validating header: bad type$/],
  ['another type', { header: { ...good, typ: 'at+jwt' } }, /bad type/],
  ['no key id', { header: { alg: 'ES256', typ: 'JWT' } }, /key id missing/],
  ['an empty key id', { header: { ...good, kid: '' } }, /key id missing/],
  ['a key id that is a number', { header: { ...good, kid: 7 } }, /key id missing/],
  ['a long key id', { header: { ...good, kid: 'é'.repeat(513) } }, /key id longer than 1 kb/],
  ['no header', { header: '' }, /while parsing header JSON/],
  ['a header that is a list', { header: [] }, /while parsing header JSON/],
  ['a header that is no base64', { header: '{}' }, /while unwrapping header/],
  ['a padded header', { header: `${part(good)}==` }, /while unwrapping header/],
  ['no signature', { signature: '' }, /^empty signature returned$/],
  [
    'a key that nobody knows',
    { header: { ...good, kid: 'mine' } },
    /^the signature is not one of a published key$/,
  ],
  [
    'the signature of another key',
    { key: second.privateKey },
    /^the signature is not one of a published key$/,
  ],
  [
    'a signature of nothing',
    { signature: 'AAAA' },
    /^the signature is not one of a published key$/,
  ],
  [
    'another algorithm than the key has',
    {
      header: { ...good, alg: 'RS256' },
      signature: (h, c) =>
        sign('sha256', Buffer.from(`${h}.${c}`), rsa.privateKey).toString('base64url'),
    },
    /^the signature is not one of a published key$/,
  ],
  [
    'a token for somebody else',
    { signature: (h) => ecdsa(h, part({ sub: 'system:admin' }), first.privateKey) },
    /^the signature is not one of a published key$/,
  ],
];
for (const [what, behaviour, expected] of lies)
  test(`a signer that lies: ${what}`, async () => {
    const { sign: issue } = await start({
      keys: answerOf(published('first', first.publicKey), published('old', second.publicKey, true)),
      ...behaviour,
    });
    await assert.rejects(issue(), (error: Error) => expected.test(error.message));
  });

test('auth §6.9 (5): a key that is not published still verifies', async () => {
  const keyList = answerOf(
    published('first', first.publicKey),
    published('old', second.publicKey, true),
  );
  const { cache, tokenOf, verdict } = await start({ keys: keyList });
  assert.equal(await verdict(tokenOf('old', second.privateKey)), 'authenticated');
  const documents = createIssuerDiscovery({
    issuer: api,
    jwksUri: () => `${api}/keys`,
    keys: cache,
  }).documents();
  const shown = JSON.parse(documents?.keySet ?? '') as { keys: { kid: string }[] };
  assert.deepEqual(
    shown.keys.map(({ kid }) => kid),
    ['first'],
  );
});

test('auth §6.9 (6): a new key is asked for once, whoever comes with it', async () => {
  const behaviour: Behaviour = {};
  const { tokenOf, verdict, fetches } = await start(behaviour);
  behaviour.keys = answerOf(
    published('first', first.publicKey),
    published('second', second.publicKey),
  );
  const token = tokenOf('second', second.privateKey);
  const verdicts = await Promise.all(Array.from({ length: 20 }, () => verdict(token)));
  assert.deepEqual(new Set(verdicts), new Set(['authenticated']));
  assert.equal(fetches(), 2);
});

test('invented key ids are asked about once a second, all together', async () => {
  const { clock, tokenOf, verdict, fetches } = await start({});
  const ask = (i: number) => verdict(tokenOf(`invented-${i}`, second.privateKey));
  assert.equal(await ask(0), 'invalid signature, no keys found');
  assert.equal(fetches(), 2);
  const waiting = Promise.all(Array.from({ length: 50 }, (_, i) => ask(i)));
  await clock.advance(900);
  assert.equal(fetches(), 2);
  await clock.advance(200);
  assert.deepEqual(new Set(await waiting), new Set(['invalid signature, no keys found']));
  assert.equal(fetches(), 3);
  const long = await verdict(tokenOf('x'.repeat(1025), second.privateKey));
  assert.equal(long, 'invalid signature, no keys found');
  assert.equal(fetches(), 3);
});

test('auth §6.9 (7): without it old tokens are good and there are no new ones', async () => {
  const behaviour: Behaviour = {};
  const { cache, clock, failures, sign: issue, verdict, fetches } = await start(behaviour);
  const token = await issue();
  const stop = new AbortController();
  const kept = cache.keepFresh(stop.signal);
  behaviour.gone = true;
  await clock.advance(65_000);
  assert.equal(await verdict(token), 'authenticated');
  await assert.rejects(issue(), /^Error: while signing jwt: connect ENOENT$/);
  // Tried again every ten seconds.
  assert.equal(fetches(), 2);
  await clock.advance(10_000);
  assert.equal(fetches(), 3);
  assert.equal(failures.length, 2);
  assert.equal(cache.maxAgeSeconds(), 0);
  behaviour.gone = false;
  await clock.advance(10_000);
  assert.ok(cache.maxAgeSeconds() > 0);
  assert.equal(await verdict(await issue()), 'authenticated');
  stop.abort();
  await kept;
});

const faults: [what: string, keys: FetchedKeys, expected: RegExp][] = [
  [
    'auth §6.9 (8): a refresh hint of zero',
    { ...answerOf(published('a', first.publicKey)), refreshHintSeconds: 0 },
    /^found invalid refresh hint \(0s\)$/,
  ],
  [
    'a refresh hint in the past',
    { ...answerOf(published('a', first.publicKey)), refreshHintSeconds: -5 },
    /^found invalid refresh hint \(-5s\)$/,
  ],
  ['no keys', answerOf(), /^found no keys$/],
  [
    'no time',
    { ...answerOf(published('a', first.publicKey)), dataTimestampSeconds: undefined },
    /^invalid data timestamp$/,
  ],
  [
    'a time after all times',
    { ...answerOf(published('a', first.publicKey)), dataTimestampSeconds: 1e12 },
    /^invalid data timestamp$/,
  ],
  ['no id', answerOf(published('', first.publicKey)), /^found invalid public key id ""$/],
  [
    'a long id',
    answerOf(published('x'.repeat(1025), first.publicKey)),
    /^found invalid public key id/,
  ],
  [
    'an empty key',
    answerOf({ id: 'a', key: new Uint8Array(), excludeFromOidcDiscovery: false }),
    /^found empty public key$/,
  ],
  [
    'a key that is none',
    answerOf({ id: 'a', key: Uint8Array.of(1, 2, 3), excludeFromOidcDiscovery: false }),
    /^while parsing external public keys: /,
  ],
  [
    'a key that signs nothing here',
    answerOf(published('a', generateKeyPairSync('ed25519').publicKey)),
    /^while parsing external public keys: /,
  ],
];
for (const [what, fault, expected] of faults)
  test(`an answer is refused whole: ${what}`, async () => {
    await assert.rejects(start({ keys: fault }), (error: Error) => expected.test(error.message));
    const behaviour: Behaviour = {};
    const { cache, sign: issue, verdict } = await start(behaviour);
    const token = await issue();
    behaviour.keys = {
      ...fault,
      keys: [published('first', second.publicKey), ...fault.keys],
      ...(fault.keys.length === 0 ? { keys: [] } : {}),
    };
    await assert.rejects(cache.refresh(1_000));
    assert.equal(await verdict(token), 'authenticated', 'the keys are as they were');
  });

test('a key id that means another key by now does not verify what the old one signed', async () => {
  const behaviour: Behaviour = {};
  const { cache, sign: issue, verdict } = await start(behaviour);
  const token = await issue();
  assert.equal(await verdict(token), 'authenticated');
  behaviour.keys = answerOf(published('first', second.publicKey));
  await cache.refresh(1_000);
  assert.equal(await verdict(token), 'go-jose/go-jose: error in cryptographic primitive');
});

test('auth §6.9 (11): others may keep the keys until we ask again', async () => {
  const { cache, clock } = await start({});
  const discovery = createIssuerDiscovery({
    issuer: api,
    jwksUri: () => `${api}/keys`,
    keys: cache,
  });
  assert.equal(discovery.documents()?.cacheControl, 'public, max-age=60');
  await clock.advance(25_500);
  assert.equal(discovery.documents()?.cacheControl, 'public, max-age=34');
});

test('when the last published key goes, the documents stay', async () => {
  const behaviour: Behaviour = {};
  const { cache } = await start(behaviour);
  const options = { issuer: api, jwksUri: () => `${api}/keys`, keys: cache };
  const discovery = createIssuerDiscovery(options);
  const before = discovery.documents()?.keySet;
  behaviour.keys = answerOf(published('first', first.publicKey, true));
  await cache.refresh(1_000);
  assert.equal(discovery.documents()?.keySet, before);
  assert.equal(createIssuerDiscovery(options).documents(), undefined);
});
