import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test, type TestContext } from 'node:test';
import type { ConfigMap, Secret } from '@keelson/apimachinery/types/core.v1';
import { selectControllers } from '../controller-list.ts';
import { core, find, namesIn, simulateCluster } from '../testing/simulated-cluster.ts';

const signer = 'bootstrap-signer-controller';
const cleaner = 'token-cleaner-controller';
const hour = 3_600_000;
const key = (id: string) => `jws-kubeconfig-${id}`;
const kubeconfig = 'apiVersion: v1\nkind: Config\n';

function tokenSecret(id: string, changes: Record<string, string | undefined> = {}): Secret {
  const texts = {
    'token-id': id,
    'token-secret': `${id}0123456789`.slice(0, 16),
    'usage-bootstrap-signing': 'true',
    ...changes,
  };
  const data = Object.entries(texts).flatMap(([name, text]) =>
    text === undefined ? [] : [[name, Buffer.from(text).toString('base64')]],
  );
  return {
    metadata: { name: `bootstrap-token-${id}` },
    type: 'bootstrap.kubernetes.io/token',
    data: Object.fromEntries(data) as Record<string, string>,
  };
}

/** The detached signature as RFC 7515 describes it. */
function signatureOf(content: string, id: string): string {
  const part = (text: string) => Buffer.from(text).toString('base64url');
  const header = part(`{"alg":"HS256","kid":"${id}"}`);
  const secret = `${id}0123456789`.slice(0, 16);
  const mac = createHmac('sha256', secret).update(`${header}.${part(content)}`);
  return `${header}..${mac.digest('base64url')}`;
}

async function simulate(t: TestContext, controllers: readonly string[]) {
  const simulated = await simulateCluster(t, { controllers });
  const { client, clock } = simulated;
  return {
    ...simulated,
    secrets: client.resource<Secret>(core('secrets')).namespace('kube-system'),
    maps: client.resource<ConfigMap>(core('configmaps')).namespace('kube-public'),
    inHours: (hours: number) => new Date(clock.now() + hours * hour).toISOString(),
  };
}

test('both run only when they are named', () => {
  const standard = selectControllers(['*']);
  assert.ok(!standard.has(signer) && !standard.has(cleaner));
  assert.ok(selectControllers(['*', signer]).has(signer));
});

test('the cluster information carries a signature of each token', async (t) => {
  const { secrets, maps, clock, inHours, warnings } = await simulate(t, [signer]);
  await secrets.create(tokenSecret('aaaaaa'));
  await secrets.create(tokenSecret('bbbbbb', { expiration: inHours(1) }));
  const not: Record<string, string | undefined>[] = [
    { 'usage-bootstrap-signing': 'false' },
    { 'usage-bootstrap-signing': undefined },
    { 'token-secret': undefined },
    { 'token-id': 'zzzzzz' },
    { expiration: inHours(-1) },
    { expiration: 'tomorrow' },
  ];
  for (const [i, changes] of not.entries()) await secrets.create(tokenSecret(`cccc0${i}`, changes));
  for (const id of ['short', 'toolong', 'with.d']) await secrets.create(tokenSecret(id));
  await clock.advance(10);
  assert.equal(await find(maps, 'cluster-info'), undefined);

  await maps.create({
    metadata: { name: 'cluster-info' },
    data: { kubeconfig, [key('gone00')]: 'stale', other: 'kept' },
  });
  await clock.advance(10);
  const data = async () => (await maps.get('cluster-info')).data;
  assert.deepEqual(await data(), {
    kubeconfig,
    other: 'kept',
    [key('aaaaaa')]: signatureOf(kubeconfig, 'aaaaaa'),
    [key('bbbbbb')]: signatureOf(kubeconfig, 'bbbbbb'),
  });
  const { resourceVersion } = (await maps.get('cluster-info')).metadata;
  await clock.advance(10 * 60_000);
  assert.equal((await maps.get('cluster-info')).metadata.resourceVersion, resourceVersion);

  await maps.patch('cluster-info', 'merge', { data: { kubeconfig: 'new' } });
  await secrets.delete('bootstrap-token-aaaaaa');
  await clock.advance(10);
  const left = { kubeconfig: 'new', other: 'kept' };
  assert.deepEqual(await data(), { ...left, [key('bbbbbb')]: signatureOf('new', 'bbbbbb') });
  await clock.advance(hour);
  assert.deepEqual(await data(), left);
  assert.deepEqual(warnings, []);
});

test('a token is deleted when its time has come', async (t) => {
  const { secrets, clock, inHours, client } = await simulate(t, [cleaner]);
  await secrets.create(tokenSecret('forevr'));
  await secrets.create(tokenSecret('onehou', { expiration: inHours(1) }));
  await secrets.create(tokenSecret('threeh', { expiration: inHours(3) }));
  await secrets.create(tokenSecret('passed', { expiration: inHours(-1) }));
  await secrets.create(tokenSecret('garble', { expiration: 'soon' }));
  const opaque = { ...tokenSecret('opaque', { expiration: inHours(-1) }), type: 'Opaque' };
  await secrets.create(opaque);
  const elsewhere = client.resource<Secret>(core('secrets')).namespace('default');
  await elsewhere.create(tokenSecret('passed', { expiration: inHours(-1) }));
  const left = async () => (await namesIn(secrets)).map((name) => name.slice(-6));
  await clock.advance(10);
  assert.deepEqual(await left(), ['forevr', 'onehou', 'opaque', 'threeh']);
  await secrets.patch('bootstrap-token-threeh', 'merge', {
    data: { expiration: Buffer.from(inHours(2)).toString('base64') },
  });
  await clock.advance(hour);
  assert.deepEqual(await left(), ['forevr', 'opaque', 'threeh']);
  await clock.advance(hour + 1_000);
  assert.deepEqual(await left(), ['forevr', 'opaque']);
  assert.ok(await find(elsewhere, 'bootstrap-token-passed'));
});
