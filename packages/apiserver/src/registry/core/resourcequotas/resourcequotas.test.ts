import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readObject, runUpdate, testContext } from '../../testing/run-strategy.ts';
import { testCreates, testUpdates } from '../../testing/strategy-tables.ts';
import { resourceQuotaStrategy } from './strategy.ts';

function quota(spec: object, status: object = {}) {
  return {
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata: { name: 'q', namespace: 'n', resourceVersion: '1' },
    spec,
    status,
  };
}
const selecting = (...matchExpressions: object[]) =>
  quota({ hard: { pods: '1' }, scopeSelector: { matchExpressions } });

testCreates(resourceQuotaStrategy, [
  ['counted objects', quota({ hard: { 'count/jobs.batch': '4', pods: '10', cpu: '2' } }), []],
  ['storage that is asked for', quota({ hard: { 'requests.storage': '1Gi' } }), []],
  [
    'storage as such',
    quota({ hard: { storage: '1Gi' } }),
    ['spec.hard[storage]: Invalid value: "storage": must be a standard resource for quota'],
  ],
  ['a scope', quota({ hard: { pods: '1' }, scopes: ['BestEffort'] }), []],
  [
    'a resource that nobody knows',
    quota({ hard: { bogus: '1' } }),
    [
      'spec.hard[bogus]: Invalid value: "bogus": must be a standard resource type or fully qualified',
      'spec.hard[bogus]: Invalid value: "bogus": must be a standard resource for quota',
    ],
  ],
  [
    'less than nothing',
    quota({ hard: { pods: '-1' } }),
    ['spec.hard[pods]: Invalid value: "-1": must be greater than or equal to 0'],
  ],
  [
    'half a pod',
    quota({ hard: { pods: '500m' } }),
    ['spec.hard[pods]: Invalid value: "500m": must be an integer'],
  ],
  [
    'scopes against each other',
    quota({ hard: { pods: '1' }, scopes: ['BestEffort', 'NotBestEffort'] }),
    ['spec.scopes: Invalid value: ["BestEffort","NotBestEffort"]: conflicting scopes'],
  ],
  [
    'a scope for something else',
    quota({ hard: { services: '1' }, scopes: ['BestEffort'] }),
    ['spec.scopes: Invalid value: ["BestEffort"]: unsupported scope applied to resource'],
  ],
  ['a selected priority', selecting({ scopeName: 'PriorityClass', operator: 'Exists' }), []],
  [
    'a selector without values',
    selecting({ scopeName: 'PriorityClass', operator: 'In' }),
    [
      "spec.scopeSelector.matchExpressions.values: Required value: must be at least one value when `operator` is 'In' or 'NotIn' for scope selector",
    ],
  ],
]);

testUpdates(resourceQuotaStrategy, [
  [
    'scopes',
    quota({ hard: { pods: '1' }, scopes: ['Terminating'] }),
    quota({ hard: { pods: '1' }, scopes: ['NotTerminating'] }),
    ['spec.scopes: Invalid value: ["Terminating"]: field is immutable'],
  ],
  ['amounts', quota({ hard: { pods: '2' } }), quota({ hard: { pods: '1' } }), []],
]);

test('usage is told through the status', () => {
  const used = { hard: { pods: '2' }, used: { pods: '1' } };
  const old = quota({ hard: { pods: '2' } });
  const now = quota({ hard: { pods: '9' } }, used);
  const { object } = runUpdate(resourceQuotaStrategy, [now, old], 'status');
  assert.deepEqual([object['spec'], object['status']], [{ hard: { pods: '2' } }, used]);
  assert.deepEqual(runUpdate(resourceQuotaStrategy, [now, old]).object['status'], {});
});

test('kubectl shows requests and limits apart', () => {
  const hard = { pods: '2', 'limits.cpu': '4', 'requests.cpu': '1' };
  const shown = readObject(quota({ hard }, { hard, used: { pods: '1' } }));
  const cells = resourceQuotaStrategy.tableCells?.(shown as never, testContext.nowMs);
  assert.deepEqual(cells, ['q', 'pods: 1/2, requests.cpu: 0/1', 'limits.cpu: 0/4', '<unknown>']);
});
