// Tokens that live in Secrets (KEP-2799): nobody makes them unasked, their use is noted, and those
// that nobody uses go. Titles carry the section and number of the acceptance case that they hold.

import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { ConfigMap, Secret, ServiceAccount } from '@keelson/apimachinery/types/core.v1';
import type { KubeObject } from '@keelson/apimachinery';
import type { ClusterOptions } from './create-cluster.ts';
import { core, find, simulateCluster } from './testing/simulated-cluster.ts';
import { getWithToken, reviewToken } from './testing/token-client.ts';

const lastUsed = 'kubernetes.io/legacy-token-last-used';
const invalidSince = 'kubernetes.io/legacy-token-invalid-since';
const trackingName = 'kube-apiserver-legacy-service-account-token-tracking';
const tokens = 'serviceaccount-token-controller';
const accountsController = 'serviceaccount-controller';
const cleaner = 'legacy-serviceaccount-token-cleaner-controller';
const day = 24 * 3_600_000;
const cleaning = { legacyTokenCleanUpPeriodMs: day, legacyTokenSyncIntervalMs: 1_000 };

async function simulate(t: TestContext, options: ClusterOptions = {}) {
  const simulated = await simulateCluster(t, { controllers: [tokens], ...options });
  const { client, clock, leap } = simulated;
  const secrets = client.resource<Secret>(core('secrets')).namespace('default');
  const accounts = client.resource<ServiceAccount>(core('serviceaccounts')).namespace('default');
  const maps = client.resource<ConfigMap>(core('configmaps')).namespace('kube-system');
  const today = () => new Date(clock.now()).toISOString().slice(0, 10);
  /** Lets a moment pass; keys are used on other threads, for which simulated time does not wait. */
  const settle = async () => {
    for (let i = 0; i < 20; i++) {
      await clock.advance(10);
      await setImmediate();
    }
  };
  return {
    ...simulated,
    secrets,
    accounts,
    maps,
    today,
    settle,
    /** Days go by, and the cleaner looks at what is there after each. */
    async pass(days: number): Promise<void> {
      for (let i = 0; i < days; i++) {
        leap(day);
        await clock.advance(1_000);
      }
    },
    /** The token of a new Secret of the account `bot`, which lists it when it is `generated`. */
    async tokenOf(name: string, kind: 'manual' | 'generated' = 'manual'): Promise<string> {
      await accounts.create({ metadata: { name: 'bot' } }).catch(() => {});
      await secrets.create({
        metadata: { name, annotations: { 'kubernetes.io/service-account.name': 'bot' } },
        type: 'kubernetes.io/service-account-token',
      });
      await settle();
      if (kind === 'generated') {
        const { secrets: listed = [] } = await accounts.get('bot');
        await accounts.patch('bot', 'merge', { secrets: [...listed, { name }] as never });
      }
      const { data = {} } = await secrets.get(name);
      return Buffer.from(data['token'] ?? '', 'base64').toString();
    },
    labelsOf: async (name: string) => (await secrets.get(name)).metadata.labels ?? {},
    async verdict(token: string) {
      const { authenticated, error } = await reviewToken(client, token);
      await settle();
      return authenticated === true ? 'ok' : String(error);
    },
    async counted(name: string) {
      const bytes = await client.send({ method: 'GET', path: '/metrics' });
      const text = Buffer.from(bytes).toString();
      return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1]);
    },
  };
}

test('auth §5.3 (1): a new account has no secrets', async (t) => {
  const { accounts, secrets, settle } = await simulate(t, {
    controllers: [accountsController, tokens],
  });
  await accounts.create({ metadata: { name: 'bot' } });
  await settle();
  for (const name of ['default', 'bot'])
    assert.equal((await accounts.get(name)).secrets, undefined, name);
  assert.deepEqual((await secrets.list()).items, []);
});

test('auth §5.3 (2, 3): a Secret made by hand gets a token, its use is noted once a day', async (t) => {
  const { tokenOf, verdict, labelsOf, secrets, today, pass, counted } = await simulate(t);
  const token = await tokenOf('t');
  assert.match(token, /^[\w-]+\.[\w-]+\.[\w-]+$/);
  assert.equal((await labelsOf('t'))[lastUsed], undefined);
  assert.equal(await verdict(token), 'ok');
  assert.equal((await labelsOf('t'))[lastUsed], today());
  const { resourceVersion } = (await secrets.get('t')).metadata;
  assert.equal(await verdict(token), 'ok');
  assert.equal((await secrets.get('t')).metadata.resourceVersion, resourceVersion);
  await pass(1);
  assert.equal(await verdict(token), 'ok');
  assert.equal((await labelsOf('t'))[lastUsed], today());
  assert.equal(await counted('serviceaccount_legacy_tokens_total'), 3);
  assert.equal(await counted('serviceaccount_legacy_manual_token_uses_total'), 3);
  assert.equal(await counted('serviceaccount_legacy_auto_token_uses_total'), 0);
});

test('auth §5.3 (4): the use of a generated one is answered with a warning', async (t) => {
  const { cluster, tokenOf, counted } = await simulate(t);
  const manual = await tokenOf('manual');
  const generated = await tokenOf('generated', 'generated');
  const address = await cluster.listen();
  const warning = async (token: string) =>
    (await getWithToken(address, '/version', token)).headers['warning'];
  assert.equal(await warning(manual), undefined);
  assert.match(
    String(await warning(generated)),
    /^299 - "Use tokens from the TokenRequest API or manually created secret-based tokens instead of auto-generated secret-based tokens\."$/,
  );
  assert.equal(await counted('serviceaccount_legacy_auto_token_uses_total'), 1);
});

test('auth §5.3 (5): the ConfigMap says since when, and is repaired', async (t) => {
  const { maps, today, settle, pass, warnings } = await simulate(t);
  const since = async () => (await maps.get(trackingName)).data;
  assert.deepEqual(await since(), { since: today() });
  const first = today();
  await pass(3);
  assert.deepEqual(await since(), { since: first });
  for (const broken of ['yesterday', '2026-13-01', '']) {
    await maps.patch(trackingName, 'merge', { data: { since: broken, more: 'kept' } });
    await settle();
    assert.deepEqual(await since(), { since: today(), more: 'kept' }, broken);
  }
  await maps.patch(trackingName, 'merge', { data: { since: '2020-02-29' } });
  await settle();
  assert.equal((await since())?.['since'], '2020-02-29');
  assert.deepEqual(warnings, []);
});

test('auth §5.3 (6): it comes back at most every half hour', async (t) => {
  const { maps, settle, clock } = await simulate(t);
  const isThere = async () => (await find(maps, trackingName)) !== undefined;
  await maps.delete(trackingName);
  await settle();
  assert.equal(await isThere(), false);
  await clock.advance(28 * 60_000);
  assert.equal(await isThere(), false);
  await clock.advance(2 * 60_000);
  assert.equal(await isThere(), true);
  await clock.advance(31 * 60_000);
  await maps.delete(trackingName);
  await settle();
  assert.equal(await isThere(), true);
});

test('what releases do about tokens in Secrets', async (t) => {
  const rows: [version: string, tracks: boolean, refuses: boolean][] = [
    ['1.26', false, false],
    ['1.27', true, false],
    ['1.28', true, false],
    ['1.29', true, true],
    ['1.36', true, true],
  ];
  for (const [emulatedVersion, tracks, refuses] of rows) {
    const { tokenOf, verdict, labelsOf, secrets, maps } = await simulate(t, { emulatedVersion });
    assert.equal((await find(maps, trackingName)) !== undefined, tracks, emulatedVersion);
    const token = await tokenOf('t', 'generated');
    await verdict(token);
    assert.equal((await labelsOf('t'))[lastUsed] !== undefined, tracks, emulatedVersion);
    await secrets.patch('t', 'merge', { metadata: { labels: { [invalidSince]: '2020-01-01' } } });
    assert.equal((await verdict(token)) !== 'ok', refuses, emulatedVersion);
  }
});

test('without the gate the ConfigMap goes', async (t) => {
  const { maps, settle } = await simulate(t, { emulatedVersion: '1.26' });
  await maps.create({ metadata: { name: trackingName }, data: { since: '2020-01-01' } });
  await settle();
  assert.equal(await find(maps, trackingName), undefined);
});

const longText =
  /^\[invalid bearer token, the token in secret default\/t for service account default\/bot has been marked invalid\. Use tokens from the TokenRequest API or manually created secret-based tokens, or remove the 'kubernetes\.io\/legacy-token-invalid-since' label from the secret to temporarily allow use of this token\]$/;

test('auth §5.3 (7, 8, 9): unused for long it is refused, then deleted', async (t) => {
  const simulated = await simulate(t, {
    controllers: [tokens, cleaner],
    controllerSettings: cleaning,
  });
  const { tokenOf, verdict, labelsOf, secrets, pass, counted, today, warnings } = simulated;
  const token = await tokenOf('t', 'generated');
  await pass(1);
  assert.equal((await labelsOf('t'))[invalidSince], undefined);
  await pass(2);
  const marked = (await labelsOf('t'))[invalidSince];
  assert.match(String(marked), /^\d{4}-\d\d-\d\d$/);
  assert.match(await verdict(token), longText);
  assert.equal(await counted('serviceaccount_invalid_legacy_auto_token_uses_total'), 1);
  // The attempt is noted too.
  assert.equal((await labelsOf('t'))[lastUsed], today());
  await secrets.patch('t', 'merge', { metadata: { labels: { [invalidSince]: null } } });
  assert.equal(await verdict(token), 'ok');
  await pass(1);
  assert.equal((await labelsOf('t'))[invalidSince], undefined);
  await pass(2);
  assert.notEqual((await labelsOf('t'))[invalidSince], undefined);
  await pass(3);
  assert.equal(await find(secrets, 't'), undefined);
  assert.deepEqual(warnings, []);
});

test('auth §5.3 (10, 11): what somebody may need is never marked', async (t) => {
  const simulated = await simulate(t, {
    controllers: [tokens, cleaner],
    controllerSettings: cleaning,
  });
  const { client, tokenOf, labelsOf, secrets, pass } = simulated;
  const pods = client.resource(core('pods')).namespace('default');
  const mounting: Record<string, object> = {
    volume: { volumes: [{ name: 'v', secret: { secretName: 'volume' } }] },
    projected: {
      volumes: [{ name: 'v', projected: { sources: [{ secret: { name: 'projected' } }] } }],
    },
    env: {
      containers: [
        {
          name: 'c',
          image: 'i',
          env: [{ name: 'X', valueFrom: { secretKeyRef: { name: 'env', key: 'token' } } }],
        },
      ],
    },
    'env-from': {
      containers: [{ name: 'c', image: 'i', envFrom: [{ secretRef: { name: 'env-from' } }] }],
    },
    pull: { imagePullSecrets: [{ name: 'pull' }] },
  };
  await tokenOf('manual');
  await tokenOf('unused', 'generated');
  for (const [name, spec] of Object.entries(mounting)) {
    await tokenOf(name, 'generated');
    await pods.create({
      metadata: { name },
      spec: {
        serviceAccountName: 'bot',
        automountServiceAccountToken: false,
        containers: [{ name: 'c', image: 'i' }],
        ...spec,
      },
    } as KubeObject);
  }
  await tokenOf('odd', 'generated');
  await secrets.patch('odd', 'merge', { metadata: { labels: { [lastUsed]: 'long-ago' } } });
  await tokenOf('gone', 'generated');
  await secrets.patch('gone', 'merge', { metadata: { finalizers: ['example.com/stay'] } });
  await secrets.delete('gone');
  await pass(3);
  for (const name of ['manual', 'odd', 'gone', ...Object.keys(mounting)])
    assert.equal((await labelsOf(name))[invalidSince], undefined, name);
  assert.notEqual((await labelsOf('unused'))[invalidSince], undefined);
});

test('auth §5.3 (12): who changes a Secret meanwhile saves it', async (t) => {
  const simulated = await simulate(t, {
    controllers: [tokens, cleaner],
    controllerSettings: cleaning,
  });
  const { cluster, tokenOf, secrets, pass, warnings } = simulated;
  await tokenOf('t', 'generated');
  await pass(3);
  const { metadata } = await secrets.get('t');
  assert.notEqual(metadata.labels?.[invalidSince], undefined);
  // What the cleaner asks for: the revision that it has seen.
  await secrets.patch('t', 'merge', { metadata: { annotations: { touched: 'yes' } } });
  const asCleaner = cluster
    .client({
      name: 'system:serviceaccount:kube-system:legacy-service-account-token-cleaner',
      groups: ['system:serviceaccounts', 'system:serviceaccounts:kube-system'],
    })
    .resource(core('secrets'))
    .namespace('default');
  const { resourceVersion = '' } = metadata;
  await assert.rejects(
    asCleaner.delete('t', { preconditions: { resourceVersion } }),
    /Conflict|conflict|precondition/i,
  );
  assert.ok(await find(secrets, 't'));
  assert.deepEqual(warnings, []);
});
