import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runCreate } from '../../testing/run-strategy.ts';
import { testCreates, testUpdates } from '../../testing/strategy-tables.ts';
import { runtimeClassStrategy } from './strategy.ts';

const runtimeClass = (more: object) => ({
  apiVersion: 'node.k8s.io/v1',
  kind: 'RuntimeClass',
  metadata: { name: 'r', resourceVersion: '1' },
  handler: 'runc',
  ...more,
});
const tolerating = (...tolerations: object[]) => runtimeClass({ scheduling: { tolerations } });
const everything = { operator: 'Exists' };

testCreates(runtimeClassStrategy, [
  ['a handler', runtimeClass({}), []],
  ['no handler', runtimeClass({ handler: '' }), ['handler: Required value']],
  ['a toleration', tolerating(everything), []],
  [
    'a toleration twice',
    tolerating(everything, everything),
    [
      'scheduling.tolerations[1]: Duplicate value: {"Key":"","Operator":"Exists","Value":"","Effect":"","TolerationSeconds":null}',
    ],
  ],
  [
    'a toleration of nothing',
    tolerating({ operator: 'Equal' }),
    [
      'scheduling.tolerations[0].operator: Invalid value: "Equal": operator must be Exists when `key` is empty, which means "match all values and all keys"',
    ],
  ],
  [
    'an overhead of no resource',
    runtimeClass({ overhead: { podFixed: { bogus: '1' } } }),
    [
      'overhead.limits[bogus]: Invalid value: "bogus": must be a standard resource type or fully qualified',
      'overhead.limits[bogus]: Invalid value: "bogus": must be a standard resource for containers',
    ],
  ],
]);

testUpdates(runtimeClassStrategy, [
  [
    'handler',
    runtimeClass({ handler: 'kata' }),
    runtimeClass({}),
    ['handler: Invalid value: "kata": field is immutable'],
  ],
]);

test('the overhead is rounded up to thousandths', () => {
  const { object } = runCreate(
    runtimeClassStrategy,
    runtimeClass({ overhead: { podFixed: { cpu: '1u' } } }),
  );
  assert.deepEqual(object['overhead'], { podFixed: { cpu: '1m' } });
});
