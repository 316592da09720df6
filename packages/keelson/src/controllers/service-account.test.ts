import assert from 'node:assert/strict';
import { test } from 'node:test';
import { core, find, namesIn, simulateCluster } from '../testing/simulated-cluster.ts';

test('every active namespace has its default account', async (t) => {
  const { client, clock, namespaces, warnings } = await simulateCluster(t);
  const accounts = (namespace: string) =>
    client.resource(core('serviceaccounts')).namespace(namespace);
  for (const name of await namesIn(namespaces))
    assert.ok(await find(accounts(name), 'default'), name);

  await namespaces.create({ metadata: { name: 'shop' } });
  await accounts('shop').create({ metadata: { name: 'bot' } });
  await clock.advance(10);
  const first = await accounts('shop').get('default');
  await accounts('shop').delete('default');
  await accounts('shop').delete('bot');
  await clock.advance(10);
  const second = await accounts('shop').get('default');
  assert.notEqual(second.metadata.uid, first.metadata.uid);
  assert.deepEqual(await namesIn(accounts('shop')), ['default']);
  assert.deepEqual(warnings, []);
});

test('a namespace on its way out gets none', async (t) => {
  const controllers = ['serviceaccount-controller'];
  const { client, clock, namespaces, warnings } = await simulateCluster(t, { controllers });
  const accounts = client.resource(core('serviceaccounts')).namespace('shop');
  await namespaces.create({ metadata: { name: 'shop' } });
  await clock.advance(10);
  await namespaces.delete('shop');
  await accounts.delete('default');
  await clock.advance(60_000);
  assert.deepEqual(await namesIn(accounts), []);
  assert.deepEqual(warnings, []);
});
