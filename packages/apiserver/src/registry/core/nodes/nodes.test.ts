import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readObject, runCreate, testContext } from '../../testing/run-strategy.ts';
import { testCreates, testUpdates } from '../../testing/strategy-tables.ts';
import { nodeStrategy } from './strategy.ts';

function node(spec: object, status: object = {}, metadata: object = {}) {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: 'a', resourceVersion: '1', ...metadata },
    spec,
    status,
  };
}
const tainted = (...taints: object[]) => node({ taints });

testCreates(nodeStrategy, [
  ['bare', node({}), []],
  ['a CIDR of each family', node({ podCIDRs: ['10.0.0.0/24', 'fd00::/64'] }), []],
  [
    'two CIDRs of a family',
    node({ podCIDRs: ['10.0.0.0/24', '10.0.1.0/24'] }),
    [
      'spec.podCIDRs: Invalid value: ["10.0.0.0/24","10.0.1.0/24"]: may specify no more than one CIDR for each IP family',
    ],
  ],
  ['tainted', tainted({ key: 'a', effect: 'NoSchedule' }, { key: 'a', effect: 'NoExecute' }), []],
  [
    'an unknown effect',
    tainted({ key: 'a', effect: 'Never' }),
    [
      'metadata.taints[0].effect: Unsupported value: "Never": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"',
    ],
  ],
  [
    'a taint without an effect',
    tainted({ key: 'a' }),
    ['metadata.taints[0].effect: Required value'],
  ],
]);

testUpdates(nodeStrategy, [
  ['unschedulable', node({ unschedulable: true }), node({}), []],
  ['a CIDR for the first time', node({ podCIDRs: ['10.0.0.0/24'] }), node({}), []],
  [
    'another CIDR',
    node({ podCIDRs: ['10.0.1.0/24'] }),
    node({ podCIDRs: ['10.0.0.0/24'] }),
    ['spec.podCIDRs: Forbidden: node updates may not change podCIDR except from "" to valid'],
  ],
  [
    'another provider',
    node({ providerID: 'b' }),
    node({ providerID: 'a' }),
    ['spec.providerID: Forbidden: node updates may not change providerID except from "" to valid'],
  ],
]);

test('all of the capacity can be used unless the node says otherwise', () => {
  const { object } = runCreate(nodeStrategy, node({}, { capacity: { cpu: '4' } }));
  const status = object['status'] as { allocatable?: object };
  assert.deepEqual(status.allocatable, { cpu: '4' });
});

const labels = { 'node-role.kubernetes.io/worker': '', 'kubernetes.io/role': 'db' };
const ready = (status: string) => ({ conditions: [{ type: 'Ready', status }] });
const shown: readonly (readonly [string, object, string, string])[] = [
  ['ready', node({}, ready('True'), { labels }), 'Ready', 'db,worker'],
  ['cordoned', node({ unschedulable: true }, ready('True')), 'Ready,SchedulingDisabled', '<none>'],
  ['not ready', node({}, ready('Unknown')), 'NotReady', '<none>'],
  ['without conditions', node({}), 'Unknown', '<none>'],
];
for (const [what, object, status, roles] of shown) {
  test(`kubectl get nodes shows a node that is ${what}`, () => {
    const cells = nodeStrategy.tableCells?.(readObject(object) as never, testContext.nowMs);
    assert.deepEqual(cells?.slice(0, 3), ['a', status, roles]);
  });
}
