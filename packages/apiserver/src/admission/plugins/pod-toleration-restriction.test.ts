import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Toleration } from '@keelson/apimachinery/types/core.v1';
import { createTestObjects } from '../../authentication/testing.ts';
import { createFeatures } from '../../features/create-features.ts';
import { admit, createTestAttributes } from '../testing.ts';
import { createPodTolerationRestriction } from './pod-toleration-restriction.ts';

const a: Toleration = { key: 'a', operator: 'Exists' };
const b: Toleration = { key: 'b', operator: 'Exists' };
const pressure: Toleration = {
  key: 'node.kubernetes.io/memory-pressure',
  operator: 'Exists',
  effect: 'NoSchedule',
};
const namespace = (name: string, defaults?: string, whitelist?: string) => ({
  metadata: {
    name,
    annotations: {
      ...(defaults !== undefined && {
        'scheduler.alpha.kubernetes.io/defaultTolerations': defaults,
      }),
      ...(whitelist !== undefined && {
        'scheduler.alpha.kubernetes.io/tolerationsWhitelist': whitelist,
      }),
    },
  },
});
const namespaces = createTestObjects([
  namespace('plain'),
  namespace('own', JSON.stringify([b])),
  namespace('none', '', ''),
  namespace('strict', '', JSON.stringify([b])),
  namespace('broken', '{'),
  namespace('odd', '[{"key": 1}]'),
]);
const refusal = (whose: string) =>
  'pod tolerations (possibly merged with namespace default tolerations) conflict with its ' +
  `${whose} whitelist`;
const features = createFeatures();
const plugin = createPodTolerationRestriction(namespaces, features, {
  default: [a],
  whitelist: [a, b, pressure],
});

test('PodTolerationRestriction', async () => {
  const burstable = { containers: [{ name: 'c', resources: { requests: { cpu: '1' } } }] };
  const c: Toleration = { key: 'c', operator: 'Exists' };
  type Row = [
    namespace: string,
    spec: { tolerations?: Toleration[]; containers?: object[] },
    result: Toleration[] | string | undefined,
    operation?: 'UPDATE',
  ];
  const rows: Row[] = [
    ['plain', {}, [a]],
    ['plain', { tolerations: [b] }, [a, b]],
    ['plain', burstable, [a, pressure]],
    ['plain', {}, undefined, 'UPDATE'],
    ['plain', burstable, [pressure], 'UPDATE'],
    ['plain', { tolerations: [c] }, refusal('cluster')],
    ['plain', { tolerations: [c] }, refusal('cluster'), 'UPDATE'],
    ['own', {}, [b]],
    ['none', {}, undefined],
    ['none', { tolerations: [c] }, [c]],
    ['strict', { tolerations: [b] }, [b]],
    ['strict', { tolerations: [a] }, refusal('namespace')],
    ['strict', burstable, refusal('namespace')],
    ['odd', {}, 'key of a toleration of the namespace is not a string'],
    ['missing', {}, 'namespaces "missing" not found'],
  ];
  for (const [name, spec, result, operation = 'CREATE'] of rows) {
    const object = { metadata: { name: 'web' }, spec };
    const attributes = createTestAttributes({
      operation,
      namespace: name,
      object,
      ...(operation === 'UPDATE' && { oldObject: object }),
    });
    const message = await admit(plugin, attributes);
    if (typeof result === 'string') assert.equal(message, result);
    else {
      assert.equal(message, undefined, name);
      assert.deepEqual(
        (attributes.object?.['spec'] as typeof spec | undefined)?.tolerations,
        result,
      );
    }
  }
  const broken = { namespace: 'broken', object: { metadata: {}, spec: {} } };
  assert.match((await admit(plugin, createTestAttributes(broken))) ?? '', /JSON/);
});

test('the lists of the configuration stay as they are', async () => {
  const shared = [Object.freeze({ ...a })];
  const frozen = createPodTolerationRestriction(namespaces, features, { default: shared });
  const attributes = createTestAttributes({
    namespace: 'plain',
    object: { metadata: {}, spec: {} },
  });
  await admit(frozen, attributes);
  const spec = attributes.object?.['spec'] as { tolerations: Toleration[] };
  assert.notEqual(spec.tolerations[0], shared[0]);
});
