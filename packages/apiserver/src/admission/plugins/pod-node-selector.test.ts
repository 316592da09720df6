import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTestObjects } from '../../authentication/testing.ts';
import { admit, createTestAttributes } from '../testing.ts';
import { createPodNodeSelector } from './pod-node-selector.ts';

const key = 'scheduler.alpha.kubernetes.io/node-selector';
const namespaces = createTestObjects([
  { metadata: { name: 'plain' } },
  { metadata: { name: 'zoned', annotations: { [key]: 'zone=a, disk = ssd' } } },
  { metadata: { name: 'empty', annotations: { [key]: '' } } },
  { metadata: { name: 'broken', annotations: { [key]: 'zone' } } },
  { metadata: { name: 'odd', annotations: { [key]: 'zone=a b' } } },
]);
const plugin = createPodNodeSelector(namespaces, {
  clusterDefaultNodeSelector: 'pool=shared',
  zoned: 'zone=a,disk=ssd,team=x',
});
const refused = (why: string) => `pods "web" is forbidden: ${why}`;

test('PodNodeSelector', async () => {
  const rows: [
    namespace: string,
    given: Record<string, string> | undefined,
    result: Record<string, string> | string | undefined,
  ][] = [
    ['plain', undefined, { pool: 'shared' }],
    ['plain', { a: 'b' }, { pool: 'shared', a: 'b' }],
    ['empty', { a: 'b' }, { a: 'b' }],
    ['empty', undefined, undefined],
    ['zoned', undefined, { zone: 'a', disk: 'ssd' }],
    ['zoned', { zone: 'a', team: 'x' }, { zone: 'a', disk: 'ssd', team: 'x' }],
    [
      'zoned',
      { zone: 'b' },
      refused('pod node label selector conflicts with its namespace node label selector'),
    ],
    [
      'zoned',
      { team: 'y' },
      refused('pod node label selector labels conflict with its namespace whitelist'),
    ],
    [
      'zoned',
      { other: 'x' },
      refused('pod node label selector labels conflict with its namespace whitelist'),
    ],
    ['broken', undefined, 'invalid selector: zone'],
    ['missing', undefined, 'namespaces "missing" not found'],
  ];
  for (const [namespace, nodeSelector, result] of rows) {
    const object = { metadata: { name: 'web' }, spec: { nodeSelector } };
    const attributes = createTestAttributes({ namespace, object });
    const message = await admit(plugin, attributes);
    if (typeof result === 'string') assert.equal(message, result);
    else {
      assert.equal(message, undefined);
      const spec = attributes.object?.['spec'] as { nodeSelector?: Record<string, string> };
      assert.deepEqual(spec.nodeSelector, result);
    }
  }
  const odd = createTestAttributes({ namespace: 'odd', object: { metadata: {}, spec: {} } });
  assert.match((await admit(plugin, odd)) ?? '', /valid label/);
});

test('what later plugins made of the selector is checked', () => {
  const object = { metadata: { name: 'web' }, spec: { nodeSelector: { zone: 'b' } } };
  assert.throws(() => plugin.validate?.(createTestAttributes({ namespace: 'zoned', object })), {
    message: refused('pod node label selector conflicts with its namespace node label selector'),
  });
});
