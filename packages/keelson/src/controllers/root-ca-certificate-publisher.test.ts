import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonValue } from '@keelson/apimachinery';
import type { ConfigMap } from '@keelson/apimachinery/types/core.v1';
import { core, find, namesIn, simulateCluster } from '../testing/simulated-cluster.ts';

const name = 'kube-root-ca.crt';
const controllers = ['root-ca-certificate-publisher-controller'];
const annotation = 'kubernetes.io/description';

test('every active namespace has the authority', async (t) => {
  const { clock, client, namespaces, cluster } = await simulateCluster(t, { controllers });
  await namespaces.create({ metadata: { name: 'shop' } });
  await clock.advance(10);
  const { kubeconfig } = await cluster.listen();
  const [, authority = ''] =
    /certificate-authority-data: ['"]?(?:>-\s*)?([\w+/=\s]+)/.exec(kubeconfig) ?? [];
  for (const namespace of await namesIn(namespaces)) {
    const map = await client.resource<ConfigMap>(core('configmaps')).namespace(namespace).get(name);
    assert.deepEqual(Object.keys(map.data ?? {}), ['ca.crt'], namespace);
    assert.equal(map.data?.['ca.crt'], Buffer.from(authority, 'base64').toString());
    assert.match(map.metadata.annotations?.[annotation] ?? '', /^Contains a CA bundle/);
  }
});

const changes: [what: string, patch: JsonValue][] = [
  ['another authority', { data: { 'ca.crt': 'mine' } }],
  ['more than the authority', { data: { more: 'x' } }],
  ['no authority', { data: null }],
  ['no description', { metadata: { annotations: null } }],
];
for (const [what, patch] of changes) {
  test(`put back: ${what}`, async (t) => {
    const { clock, configMaps } = await simulateCluster(t, { controllers });
    const maps = configMaps('default');
    const before = await maps.get(name);
    await maps.patch(name, 'merge', { metadata: { labels: { mine: 'yes' } } });
    await clock.advance(10);
    await maps.patch(name, 'merge', patch);
    await clock.advance(10);
    const after = await maps.get(name);
    assert.deepEqual(after['data'], before['data']);
    assert.deepEqual(after.metadata.annotations, before.metadata.annotations);
    // Labels are nobody's business.
    assert.deepEqual(after.metadata.labels, { mine: 'yes' });
  });
}

test('deleted, it comes back, but not in a namespace on its way out', async (t) => {
  const { clock, configMaps, namespaces, warnings } = await simulateCluster(t, { controllers });
  await configMaps('default').delete(name);
  await clock.advance(10);
  assert.ok(await find(configMaps('default'), name));

  await namespaces.create({ metadata: { name: 'shop' } });
  await clock.advance(10);
  await namespaces.delete('shop');
  await configMaps('shop').delete(name);
  await clock.advance(60_000);
  assert.equal(await find(configMaps('shop'), name), undefined);
  assert.deepEqual(warnings, []);
});
