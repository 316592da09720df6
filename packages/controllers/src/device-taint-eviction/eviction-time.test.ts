import assert from 'node:assert/strict';
import { test } from 'node:test';
import type {
  DeviceTaint,
  DeviceToleration,
  ResourceSlice,
} from '@keelson/apimachinery/types/resource.k8s.io.v1';
import type {
  DeviceTaintRule,
  DeviceTaintSelector,
} from '@keelson/apimachinery/types/resource.k8s.io.v1beta2';
import { evictionOf } from './eviction-time.ts';
import { findDevice } from './published-devices.ts';
import { withRuleTaints } from './rule-taints.ts';

const added = '2026-01-01T00:00:00Z';
const addedMs = Date.parse(added);
const gone: DeviceTaint = { key: 'gone', value: 'yes', effect: 'NoExecute', timeAdded: added };
const later: DeviceTaint = { ...gone, key: 'later', timeAdded: '2026-01-01T00:01:00Z' };

function slice(name: string, taints: readonly DeviceTaint[], generation = 1): ResourceSlice {
  return {
    metadata: { name },
    spec: {
      driver: 'd',
      pool: { name: 'p', generation, resourceSliceCount: 1 },
      allNodes: true,
      devices: [{ name: 'gpu', taints: [...taints] }, { name: 'other' }],
    },
  };
}

interface Row {
  readonly what: string;
  readonly slices: readonly ResourceSlice[];
  readonly tolerations?: readonly DeviceToleration[];
  readonly device?: string;
  /** After the taint was added. */
  readonly seconds: number | undefined;
}

const exists = { operator: 'Exists' } as const;
const rows: readonly Row[] = [
  { what: 'no taint', slices: [slice('a', [])], seconds: undefined },
  { what: 'a taint', slices: [slice('a', [gone])], seconds: 0 },
  {
    what: 'a taint of another device',
    slices: [slice('a', [gone])],
    device: 'other',
    seconds: undefined,
  },
  { what: 'no such device', slices: [slice('a', [gone])], device: 'none', seconds: undefined },
  {
    what: 'another effect',
    slices: [slice('a', [{ ...gone, effect: 'NoSchedule' }])],
    seconds: undefined,
  },
  {
    what: 'an unknown effect',
    slices: [slice('a', [{ ...gone, effect: 'Shout' }])],
    seconds: undefined,
  },
  {
    what: 'tolerated for ever',
    slices: [slice('a', [gone])],
    tolerations: [{ key: 'gone', ...exists, effect: 'NoExecute' }],
    seconds: undefined,
  },
  {
    what: 'tolerated whatever it is',
    slices: [slice('a', [gone, later])],
    tolerations: [exists],
    seconds: undefined,
  },
  {
    what: 'tolerated for scheduling only',
    slices: [slice('a', [gone])],
    tolerations: [{ key: 'gone', ...exists, effect: 'NoSchedule' }],
    seconds: 0,
  },
  {
    what: 'another value is tolerated',
    slices: [slice('a', [gone])],
    tolerations: [{ key: 'gone', operator: 'Equal', value: 'no' }],
    seconds: 0,
  },
  {
    what: 'tolerated for a while',
    slices: [slice('a', [gone])],
    tolerations: [{ ...exists, tolerationSeconds: 30 }],
    seconds: 30,
  },
  {
    what: 'the shortest while counts',
    slices: [slice('a', [gone])],
    tolerations: [
      { ...exists, tolerationSeconds: 30 },
      { ...exists, tolerationSeconds: 20 },
    ],
    seconds: 20,
  },
  {
    what: 'less than no time is none',
    slices: [slice('a', [gone])],
    tolerations: [{ ...exists, tolerationSeconds: -5 }],
    seconds: 0,
  },
  {
    what: 'the first of two taints',
    slices: [slice('a', [later, gone])],
    tolerations: [{ key: 'gone', ...exists, tolerationSeconds: 90 }],
    seconds: 60,
  },
  {
    what: 'a newer generation without the taint',
    slices: [slice('a', [gone]), slice('b', [], 2)],
    seconds: undefined,
  },
  {
    what: 'a newer generation with the taint',
    slices: [slice('a', []), slice('b', [gone], 2)],
    seconds: 0,
  },
];

for (const { what, slices, tolerations = [], device = 'gpu', seconds } of rows)
  test(`${what}: ${seconds === undefined ? 'stays' : `goes after ${seconds} s`}`, () => {
    const result = { request: 'r', driver: 'd', pool: 'p', device, tolerations: [...tolerations] };
    const due = evictionOf({ devices: { results: [result] } }, { slices, rules: [] })?.dueMs;
    assert.equal(due === undefined ? undefined : (due - addedMs) / 1000, seconds);
  });

const selectors: readonly (readonly [DeviceTaintSelector | undefined, boolean])[] = [
  [undefined, false],
  [{}, true],
  [{ driver: 'd' }, true],
  [{ driver: 'e' }, false],
  [{ driver: 'd', pool: 'p' }, true],
  [{ pool: 'q' }, false],
  [{ device: 'gpu' }, true],
  [{ device: 'other' }, false],
  [{ driver: 'd', pool: 'p', device: 'gpu' }, true],
  [{ driver: 'd', pool: 'q', device: 'gpu' }, false],
];
for (const [deviceSelector, isSelected] of selectors)
  test(`a rule for ${JSON.stringify(deviceSelector)} ${isSelected ? 'taints' : 'does not taint'} the device`, () => {
    const rule: DeviceTaintRule = {
      metadata: { name: 'r' },
      spec: { ...(deviceSelector && { deviceSelector }), taint: gone },
    };
    const before = slice('a', [later]);
    const after = withRuleTaints([before], [rule]);
    const device = findDevice(after, { driver: 'd', pool: 'p', device: 'gpu' });
    assert.deepEqual(device?.taints, isSelected ? [later, gone] : [later]);
    assert.deepEqual(before, slice('a', [later]), 'what is stored stays as it is');
  });
