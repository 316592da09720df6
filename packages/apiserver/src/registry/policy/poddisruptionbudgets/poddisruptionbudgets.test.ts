import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readObject, runUpdate, testContext } from '../../testing/run-strategy.ts';
import { testCreates, testUpdates } from '../../testing/strategy-tables.ts';
import { podDisruptionBudgetStrategy as strategy } from './strategy.ts';

const selector = { matchLabels: { app: 'web' } };
const budget = (spec: object, status: object = {}) => ({
  apiVersion: 'policy/v1',
  kind: 'PodDisruptionBudget',
  metadata: { name: 'b', namespace: 'n', resourceVersion: '1', generation: 1 },
  spec: { selector, ...spec },
  status,
});

testCreates(strategy, [
  ['a number', budget({ minAvailable: 1 }), []],
  ['a share', budget({ maxUnavailable: '25%' }), []],
  [
    'more than all',
    budget({ minAvailable: '101%' }),
    ['spec.minAvailable: Invalid value: "101%": must not be greater than 100%'],
  ],
  [
    'fewer than none',
    budget({ minAvailable: -1 }),
    ['spec.minAvailable: Invalid value: -1: must be greater than or equal to 0'],
  ],
  [
    'words',
    budget({ minAvailable: 'some' }),
    [
      "spec.minAvailable: Invalid value: \"some\": a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')",
    ],
  ],
  [
    'an unknown policy',
    budget({ unhealthyPodEvictionPolicy: 'Never' }),
    [
      'spec.unhealthyPodEvictionPolicy: Unsupported value: "Never": supported values: "AlwaysAllow", "IfHealthyBudget"',
    ],
  ],
]);

testUpdates(
  strategy,
  [
    ['counts', budget({}, { currentHealthy: 1 }), budget({}), []],
    [
      'counts below zero',
      budget({}, { expectedPods: -1 }),
      budget({}),
      ['status.expectedPods: Invalid value: -1: must be greater than or equal to 0'],
    ],
  ],
  'status',
);

test('a budget with two bounds is refused', () => {
  const { errors } = runUpdate(strategy, [
    budget({ minAvailable: 1, maxUnavailable: 1 }),
    budget({}),
  ]);
  assert.match(
    errors.join(),
    /^spec: Invalid value: .*: minAvailable and maxUnavailable cannot be both set$/,
  );
});

test('the generation counts changes of what is asked for', () => {
  const [one, two] = [budget({ minAvailable: 1 }), budget({ minAvailable: 2 })];
  assert.equal(runUpdate(strategy, [two, one]).object.metadata.generation, 2);
  assert.equal(runUpdate(strategy, [one, one]).object.metadata.generation, 1);
});

test('kubectl shows both bounds', () => {
  const shown = readObject(budget({ maxUnavailable: '25%' }, { disruptionsAllowed: 2 }));
  assert.deepEqual(strategy.tableCells?.(shown as never, testContext.nowMs), [
    'b',
    'N/A',
    '25%',
    2,
    '<unknown>',
  ]);
});
