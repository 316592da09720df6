import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { Secret, ServiceAccount } from '@keelson/apimachinery/types/core.v1';
import { core, find, simulateCluster } from '../testing/simulated-cluster.ts';

const controllers = ['serviceaccount-token-controller'];
const annotation = 'kubernetes.io/service-account.name';
const tokenSecret = (name: string, account: string): Secret => ({
  metadata: { name, annotations: { [annotation]: account } },
  type: 'kubernetes.io/service-account-token',
});

async function simulate(t: TestContext) {
  const simulated = await simulateCluster(t, { controllers });
  const { client, clock } = simulated;
  const secrets = client.resource<Secret>(core('secrets')).namespace('default');
  const accounts = client.resource<ServiceAccount>(core('serviceaccounts')).namespace('default');
  const text = (secret: Secret | undefined, key: string) =>
    Buffer.from(secret?.data?.[key] ?? '', 'base64').toString();
  // Keys are made and used on other threads, for which simulated time does not wait.
  const filled = async (name: string): Promise<Secret> => {
    for (;;) {
      await clock.advance(10);
      const secret = await secrets.get(name);
      if (secret.data?.['ca.crt'] !== undefined) return secret;
      await setImmediate();
    }
  };
  return { ...simulated, secrets, accounts, text, filled };
}

test('a Secret of an account gets a token that the server takes', async (t) => {
  const { filled, secrets, accounts, cluster, text, warnings } = await simulate(t);
  const { metadata } = await accounts.create({ metadata: { name: 'bot' } });
  await secrets.create(tokenSecret('t', 'bot'));
  const secret = await filled('t');
  assert.deepEqual(Object.keys(secret.data ?? {}), ['ca.crt', 'namespace', 'token']);
  assert.equal(text(secret, 'namespace'), 'default');
  assert.match(text(secret, 'ca.crt'), /BEGIN CERTIFICATE/);
  assert.equal(secret.metadata.annotations?.['kubernetes.io/service-account.uid'], metadata.uid);
  const review = await cluster
    .client()
    .resource({ group: 'authentication.k8s.io', version: 'v1', resource: 'tokenreviews' })
    .create({
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenReview',
      metadata: {},
      spec: { token: text(secret, 'token') },
    });
  const { user } = review['status'] as { user?: { username?: string } };
  assert.equal(user?.username, 'system:serviceaccount:default:bot');
  assert.deepEqual(warnings, []);
});

test('what is there stays, what is missing comes back', async (t) => {
  const { clock, secrets, accounts, text, filled } = await simulate(t);
  await accounts.create({ metadata: { name: 'bot' } });
  const data = { more: 'bW9yZQ==', namespace: 'b3RoZXI=' };
  await secrets.create({ ...tokenSecret('t', 'bot'), data });
  const first = await filled('t');
  assert.equal(text(first, 'more'), 'more');
  assert.equal(text(first, 'namespace'), 'other');
  await secrets.patch('t', 'merge', { data: { 'ca.crt': 'eA==' } });
  await clock.advance(10);
  assert.deepEqual((await secrets.get('t')).data, first.data);
});

test('a Secret without its account is removed, others are left alone', async (t) => {
  const { clock, secrets, accounts, filled, warnings } = await simulate(t);
  await accounts.create({ metadata: { name: 'bot' } });
  await secrets.create(tokenSecret('t', 'bot'));
  await secrets.create(tokenSecret('orphan', 'ghost'));
  await secrets.create({ metadata: { name: 'mine', annotations: { [annotation]: 'ghost' } } });
  await filled('t');
  assert.equal(await find(secrets, 'orphan'), undefined);
  await accounts.delete('bot');
  await clock.advance(10);
  assert.equal(await find(secrets, 't'), undefined);
  assert.ok(await find(secrets, 'mine'));
  assert.deepEqual(warnings, []);
});

test('an account of the same name is another account', async (t) => {
  const { clock, secrets, accounts, filled } = await simulate(t);
  await accounts.create({ metadata: { name: 'bot' } });
  await secrets.create(tokenSecret('t', 'bot'));
  await filled('t');
  await accounts.delete('bot');
  await accounts.create({ metadata: { name: 'bot' } });
  await clock.advance(10);
  assert.equal(await find(secrets, 't'), undefined);
});

test('an account no longer lists a Secret that is gone', async (t) => {
  const { clock, secrets, accounts, filled } = await simulate(t);
  await accounts.create({ metadata: { name: 'bot' }, secrets: [{ name: 't' }, { name: 'other' }] });
  await secrets.create(tokenSecret('t', 'bot'));
  await filled('t');
  await secrets.delete('t');
  await clock.advance(10);
  assert.deepEqual((await accounts.get('bot')).secrets, [{ name: 'other' }]);
});
