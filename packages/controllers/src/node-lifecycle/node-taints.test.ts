import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Node, NodeCondition } from '@keelson/apimachinery/types/core.v1';
import { createSimulatedClock } from '@keelson/apimachinery';
import { gracePeriodMs, isSilent, nextHealth, unknownConditions } from './node-health.ts';
import { withNoExecuteTaint, withNoScheduleTaints } from './node-taints.ts';
import { createEvictionPace, evictionRateOf, zoneState } from './zones.ts';

const node = (conditions: Record<string, string>, spec: Node['spec'] = {}): Node => ({
  metadata: { name: 'n', uid: 'u', creationTimestamp: '1970-01-01T00:00:00Z' },
  spec,
  status: {
    conditions: Object.entries(conditions).map(([type, status]) => ({ type, status })),
  },
});
const keys = (taints: readonly { key: string }[] | undefined) => taints?.map(({ key }) => key);
const taint = (key: string, effect = 'NoSchedule') => ({ key, effect });

test('conditions ask for taints; those of others stay', () => {
  const prefix = 'node.kubernetes.io/';
  const rows: [what: string, node: Node, expected: string[] | undefined][] = [
    ['ready', node({ Ready: 'True' }), undefined],
    ['not ready', node({ Ready: 'False' }), [`${prefix}not-ready`]],
    ['unknown', node({ Ready: 'Unknown' }), [`${prefix}unreachable`]],
    ['nothing known', node({}), undefined],
    ['pressure', node({ Ready: 'True', DiskPressure: 'True' }), [`${prefix}disk-pressure`]],
    ['no pressure', node({ DiskPressure: 'False', MemoryPressure: 'Unknown' }), undefined],
    ['cordoned', node({}, { unschedulable: true }), [`${prefix}unschedulable`]],
    ['recovered', node({ Ready: 'True' }, { taints: [taint(`${prefix}not-ready`)] }), []],
    [
      'taints of others and other effects',
      node(
        { Ready: 'True' },
        {
          taints: [
            taint('mine'),
            taint(`${prefix}not-ready`, 'NoExecute'),
            taint(`${prefix}unreachable`),
          ],
        },
      ),
      ['mine', `${prefix}not-ready`],
    ],
    [
      'as it is',
      node({ Ready: 'False' }, { taints: [taint('mine'), taint(`${prefix}not-ready`)] }),
      undefined,
    ],
  ];
  for (const [what, given, expected] of rows)
    assert.deepEqual(keys(withNoScheduleTaints(given, 0)), expected, what);
  const tainted = node({}, { taints: [taint(`${prefix}not-ready`, 'NoExecute')] });
  assert.deepEqual(keys(withNoExecuteTaint(tainted, `${prefix}unreachable`, 0)), [
    `${prefix}unreachable`,
  ]);
  assert.deepEqual(withNoExecuteTaint(tainted, undefined, 0), []);
  assert.equal(withNoExecuteTaint(node({}), undefined, 0), undefined);
});

test('a node is silent after the grace period, however its own clock goes', () => {
  const lease = (renewTime: string) => ({ metadata: {}, spec: { renewTime } });
  const ready = node({ Ready: 'True' });
  let health = nextHealth(undefined, ready, { lease: lease('2100-01-01T00:00:00Z'), now: 1_000 });
  assert.equal(isSilent(health, ready, 1_000 + gracePeriodMs), false);
  assert.equal(isSilent(health, ready, 1_001 + gracePeriodMs), true);
  health = nextHealth(health, ready, { lease: lease('1999-01-01T00:00:00Z'), now: 40_000 });
  assert.equal(isSilent(health, ready, 1_001 + gracePeriodMs), false);
  const never = node({});
  const fresh = nextHealth(undefined, never, { lease: undefined, now: 50_000 });
  assert.equal(isSilent(fresh, never, 60_000), false);
  assert.equal(isSilent(fresh, never, 60_001), true);
  const other = { ...ready, metadata: { ...ready.metadata, uid: 'other' } };
  assert.equal(nextHealth(health, other, { lease: undefined, now: 70_000 }).heardAt, 70_000);
});

test('nobody knows how a silent node is', () => {
  const reasons = (conditions: NodeCondition[] | undefined) =>
    conditions?.map(({ type, status, reason }) => `${type} ${status} ${reason}`);
  assert.deepEqual(reasons(unknownConditions(node({ Ready: 'True', Other: 'True' }), 0)), [
    'Ready Unknown NodeStatusUnknown',
    'Other True undefined',
    'MemoryPressure Unknown NodeStatusNeverUpdated',
    'DiskPressure Unknown NodeStatusNeverUpdated',
    'PIDPressure Unknown NodeStatusNeverUpdated',
  ]);
  const all = { Ready: '', MemoryPressure: '', DiskPressure: '', PIDPressure: '' };
  for (const type of Object.keys(all)) Object.assign(all, { [type]: 'Unknown' });
  assert.equal(unknownConditions(node(all), 0), undefined);
});

test('zones in trouble are emptied slowly, small ones not at all', async () => {
  const zone = (ready: number, notReady: number) => [
    ...Array.from({ length: ready }, () => node({ Ready: 'True' })),
    ...Array.from({ length: notReady }, () => node({ Ready: 'Unknown' })),
  ];
  const rows: [ready: number, notReady: number, state: string, rate: number][] = [
    [1, 0, 'normal', 0.1],
    [0, 1, 'full-disruption', 0.1],
    [1, 2, 'normal', 0.1],
    [3, 3, 'normal', 0.1],
    [2, 3, 'partial-disruption', 0],
    [20, 30, 'partial-disruption', 0],
    [20, 31, 'partial-disruption', 0.01],
    [0, 0, 'normal', 0.1],
  ];
  for (const [ready, notReady, state, rate] of rows) {
    const actual = zoneState(zone(ready, notReady));
    assert.deepEqual([actual, evictionRateOf(actual, ready + notReady)], [state, rate]);
  }
  const excluded = node({ Ready: 'False' });
  excluded.metadata.labels = { 'node.kubernetes.io/exclude-disruption': '' };
  assert.equal(zoneState([excluded]), 'normal');

  const clock = createSimulatedClock();
  const pace = createEvictionPace(clock);
  assert.deepEqual(
    [pace.take('a', 0.1), pace.take('a', 0.1), pace.take('b', 0.1)],
    [true, false, true],
  );
  await clock.advance(10_000);
  assert.deepEqual(
    [pace.take('a', 0.01), pace.take('b', 0.1), pace.take('c', 0)],
    [false, true, false],
  );
});
