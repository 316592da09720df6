// The acceptance cases of device allocation that are the scheduler's, by their number (node §20).

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatTime } from '@keelson/apimachinery';
import type {
  CapacityRequestPolicy,
  DeviceClaim,
  ResourceClaim,
  ResourceSlice,
} from '@keelson/apimachinery/types/resource.k8s.io.v1';
import {
  busy,
  cannot,
  claim,
  createDeviceCluster,
  driver,
  four,
  gpu,
  request,
  selecting,
  slice,
  using,
} from '../testing/device-cluster.ts';
import { bindingState } from './device-binding.ts';

const sameNuma = { constraints: [{ matchAttribute: `${driver}/numa` }] };
const awaited = (name: string) =>
  gpu(name, 0, { bindingConditions: ['Ready'], bindingFailureConditions: ['Broken'] });
const listed = (name: string, ...ints: number[]) =>
  gpu(name, 0, { attributes: { numa: { ints } } });
const shareable = (name: string, requestPolicy?: CapacityRequestPolicy, numa = 0) =>
  gpu(name, numa, {
    allowMultipleAllocations: true,
    capacity: { memory: { value: '8Gi', ...(requestPolicy !== undefined && { requestPolicy }) } },
  });
const sharing = (memory: string) => request({ capacity: { requests: { memory } } });
/** Has a share already. */
const sharer = (memory: string, device = 'g0') => {
  const shareID = '00000000-0000-4000-8000-000000000000';
  const result = { request: 'r', driver, pool: 'a', device, shareID, consumedCapacity: { memory } };
  const status = { allocation: { devices: { results: [result] } } };
  return claim(`sharer-${device}`, { requests: [request()] }, { status });
};

interface Row {
  readonly what: string;
  readonly claim: DeviceClaim;
  readonly expected: string[] | string;
  readonly slices?: readonly ResourceSlice[];
  readonly others?: readonly ResourceClaim[];
  readonly disabled?: readonly string[];
}

const rows: readonly Row[] = [
  {
    what: 'node §20 (1): two devices with the same attribute',
    claim: { requests: [request({ count: 2 })], ...sameNuma },
    expected: ['r=g0', 'r=g2'],
  },
  {
    what: 'node §20 (2): three with the same attribute are not there',
    claim: { requests: [request({ count: 3 })], ...sameNuma },
    expected: cannot,
  },
  {
    what: 'different attributes',
    claim: {
      requests: [request({ count: 2 })],
      constraints: [{ distinctAttribute: `${driver}/numa` }],
    },
    expected: ['r=g0', 'r=g1'],
  },
  {
    what: 'node §20 (3): an attribute that may be missing is asked for first',
    claim: {
      requests: [
        request(
          selecting(`"x" in device.attributes["${driver}"] && device.attributes["${driver}"].x`),
        ),
      ],
    },
    expected: cannot,
  },
  {
    what: 'node §20 (3): a domain that is missing is empty',
    claim: { requests: [request(selecting('"x" in device.attributes["other.example.com"]'))] },
    expected: cannot,
  },
  {
    what: 'amounts are compared as quantities',
    claim: {
      requests: [
        request(selecting(`device.capacity["${driver}"].memory.isGreaterThan(quantity("4Gi"))`)),
      ],
    },
    expected: ['r=g0'],
  },
  {
    what: 'node §20 (4): all, and one of them is busy',
    claim: { requests: [request({ allocationMode: 'All' })] },
    others: [busy('g1')],
    expected: cannot,
  },
  {
    what: 'node §20 (4): all that are selected',
    claim: {
      requests: [
        request({
          allocationMode: 'All',
          ...selecting(`device.attributes["${driver}"].numa == 1`),
        }),
      ],
    },
    expected: ['r=g1', 'r=g3'],
  },
  {
    what: 'node §20 (5): the second best, where the best is not there',
    claim: {
      requests: [
        {
          name: 'r',
          firstAvailable: [
            { name: 'many', deviceClassName: 'gpu', count: 5 },
            { name: 'one', deviceClassName: 'gpu' },
          ],
        },
      ],
    },
    expected: ['r/one=g0'],
  },
  {
    what: 'in use',
    claim: { requests: [request({ count: 4 })] },
    others: [busy('g3')],
    expected: cannot,
  },
  {
    what: 'node §20 (8): access for administration takes what is in use',
    claim: { requests: [request({ count: 4, adminAccess: true })] },
    others: [busy('g3')],
    expected: ['r=g0', 'r=g1', 'r=g2', 'r=g3'],
  },
  {
    what: 'node §20 (9): a pool whose slices are not all there',
    claim: { requests: [request()] },
    slices: [slice('s', four, { pool: { name: 'a', generation: 2, resourceSliceCount: 2 } })],
    expected: cannot,
  },
  {
    what: 'node §20 (9): an older generation of a pool',
    claim: { requests: [request({ count: 2 })] },
    slices: [
      slice('s', four),
      slice('t', [gpu('new', 0)], { pool: { name: 'a', generation: 2, resourceSliceCount: 1 } }),
    ],
    expected: cannot,
  },
  {
    what: 'two devices of one name',
    claim: { requests: [request()] },
    slices: [slice('s', [gpu('g0', 0), gpu('g0', 1)])],
    expected: cannot,
  },
  {
    what: 'a taint that is not tolerated',
    claim: { requests: [request()] },
    slices: [slice('s', [gpu('g0', 0, { taints: [{ key: 'k', effect: 'NoSchedule' }] })])],
    expected: cannot,
  },
  {
    what: 'a taint where taints mean nothing yet',
    claim: { requests: [request()] },
    slices: [slice('s', [gpu('g0', 0, { taints: [{ key: 'k', effect: 'NoSchedule' }] })])],
    disabled: ['DRADeviceTaints'],
    expected: ['r=g0'],
  },
  {
    what: 'a device that must be made ready is the last choice',
    claim: { requests: [request()] },
    slices: [
      slice('s', [awaited('w0')]),
      slice('t', [gpu('g0', 0)], { pool: { name: 'z', generation: 1, resourceSliceCount: 1 } }),
    ],
    expected: ['r=g0'],
  },
  {
    what: 'a device that must be made ready, where nobody waits for that yet',
    claim: { requests: [request()] },
    slices: [slice('s', [awaited('w0')])],
    disabled: ['DRADeviceBindingConditions'],
    expected: cannot,
  },
  {
    what: 'partitions mean nothing before their release',
    claim: { requests: [request()] },
    slices: [
      slice('s', [gpu('g0', 0, { nodeName: 'a' })], {
        nodeName: undefined,
        perDeviceNodeSelection: true,
      }),
    ],
    disabled: ['DRAPartitionableDevices'],
    expected: cannot,
  },
  {
    what: 'each device may say where it is',
    claim: { requests: [request()] },
    slices: [
      slice('s', [gpu('g0', 0, { nodeName: 'x' }), gpu('g1', 0, { allNodes: true })], {
        nodeName: undefined,
        perDeviceNodeSelection: true,
      }),
    ],
    expected: ['r=g1'],
  },
  {
    what: 'attributes with several values have one in common',
    claim: { requests: [request({ count: 2 })], ...sameNuma },
    slices: [slice('s', [listed('g0', 1, 2), listed('g1', 3), listed('g2', 2, 3)])],
    expected: ['r=g0', 'r=g2'],
  },
  {
    what: 'attributes with several values mean nothing before their release',
    claim: { requests: [request({ count: 2 })], ...sameNuma },
    slices: [slice('s', [listed('g0', 1, 2), listed('g2', 2, 3)])],
    disabled: ['DRAListTypeAttributes'],
    expected: cannot,
  },
  {
    what: 'more of a capacity than a device has',
    claim: { requests: [request({ capacity: { requests: { memory: '9Gi' } } })] },
    expected: cannot,
  },
  {
    what: 'a capacity that no device has',
    claim: { requests: [request({ capacity: { requests: { cores: '1' } } })] },
    expected: cannot,
  },
  {
    what: 'shares of one device for two requests',
    claim: { requests: [sharing('4Gi'), { ...sharing('4Gi'), name: 'q' }] },
    slices: [slice('s', [shareable('g0')])],
    expected: ['r=g0', 'q=g0'],
  },
  {
    what: 'shares of different devices, where that is wanted',
    claim: {
      requests: [sharing('4Gi'), { ...sharing('4Gi'), name: 'q' }],
      constraints: [{ distinctAttribute: `${driver}/numa` }],
    },
    slices: [slice('s', [shareable('g0'), shareable('g1', {}, 1)])],
    expected: ['r=g0', 'q=g1'],
  },
  {
    what: 'a share of what others have left',
    claim: { requests: [sharing('4Gi')] },
    slices: [slice('s', [shareable('g0')])],
    others: [sharer('4Gi')],
    expected: ['r=g0'],
  },
  {
    what: 'a share of more than others have left',
    claim: { requests: [sharing('5Gi')] },
    slices: [slice('s', [shareable('g0')])],
    others: [sharer('4Gi')],
    expected: cannot,
  },
  {
    what: 'who names no amount takes all, unless the device says otherwise',
    claim: { requests: [request()] },
    slices: [
      slice('s', [shareable('g0'), shareable('g1', { default: '1Gi', validValues: ['1Gi'] })]),
    ],
    others: [sharer('4Gi'), sharer('7Gi', 'g1')],
    expected: ['r=g1'],
  },
  {
    what: 'amounts are rounded up as the device says, and then there is too little',
    claim: { requests: [sharing('3Gi')] },
    slices: [
      slice('s', [shareable('g0', { default: '1Gi', validRange: { min: '1Gi', step: '4Gi' } })]),
    ],
    others: [sharer('4Gi')],
    expected: cannot,
  },
  {
    what: 'amounts beyond what the device allows at once',
    claim: { requests: [sharing('3Gi')] },
    slices: [
      slice('s', [
        shareable('g0', { default: '1Gi', validRange: { min: '1Gi', max: '2Gi' } }),
        shareable('g1', { default: '1Gi', validValues: ['1Gi', '2Gi'] }),
      ]),
    ],
    expected: cannot,
  },
  {
    what: 'a device that somebody has a share of is nobody’s alone',
    claim: { requests: [request()] },
    slices: [slice('s', [shareable('g0')])],
    others: [sharer('1Gi')],
    disabled: ['DRAConsumableCapacity'],
    expected: cannot,
  },
];

for (const { what, claim: devices, expected, slices, others = [], disabled = [] } of rows) {
  test(what, () => {
    const claims = [claim('c', devices), ...others];
    const { devicesFor } = createDeviceCluster({
      slices: slices ?? [slice('s', four)],
      claims,
      disabled,
    });
    assert.deepEqual(devicesFor(using('p', 'c')), expected);
  });
}

test('partitions are given out until the counters they share are used up', () => {
  const part = (name: string, used: string) =>
    gpu(name, 0, { consumesCounters: [{ counterSet: 'mem', counters: { m: { value: used } } }] });
  const pool = { name: 'a', generation: 1, resourceSliceCount: 2 };
  const counters = slice('counters', [], {
    pool,
    sharedCounters: [{ name: 'mem', counters: { m: { value: '10' } } }],
  });
  const slices = [
    slice('s', [part('p0', '6'), part('p1', '6'), part('p2', '4')], { pool }),
    counters,
  ];
  const names = ['c1', 'c2', 'c3'];
  const { devicesFor } = createDeviceCluster({
    slices,
    claims: names.map((name) => claim(name, { requests: [request()] })),
  });
  assert.deepEqual(
    names.map((name) => devicesFor(using(name, name))),
    [['r=p0'], ['r=p2'], cannot],
  );
});

test('node §20 (3): what nobody can decide is an error, not a refusal', () => {
  const missing = selecting(`device.attributes["${driver}"].missing == 1`);
  const five = Array.from({ length: 5 }, (_, i) => ({ ...request({ count: 10 }), name: `r${i}` }));
  const scenes: [DeviceClaim, RegExp, disabled?: string[]][] = [
    [
      { requests: [request(missing)] },
      /^running .*DynamicResources.*: claim n\/c: selector #0: CEL runtime error: no such key: missing$/,
    ],
    [
      { requests: five },
      /^running .*DynamicResources.*: claim n\/c: number of requested devices 50 exceeds the claim limit of 32$/,
    ],
    [
      { requests: [request({ adminAccess: true })] },
      /^running .*DynamicResources.*: claim n\/c, request r: admin access is requested, but the feature is disabled$/,
      ['DRAAdminAccess'],
    ],
    [
      { requests: [request({ capacity: { requests: { memory: '1Gi' } } })] },
      /^running .*DynamicResources.*: claim n\/c, request r: has capacity requests, but the DRAConsumableCapacity feature is disabled$/,
      ['DRAConsumableCapacity'],
    ],
    [
      { requests: [{ name: 'r', firstAvailable: [{ name: 's', deviceClassName: 'gpu' }] }] },
      /^running .*DynamicResources.*: claim n\/c, request r: has subrequests, but the DRAPrioritizedList feature is disabled$/,
      ['DRAPrioritizedList'],
    ],
  ];
  for (const [devices, message, disabled] of scenes) {
    const { devicesFor } = createDeviceCluster({
      slices: [slice('s', four)],
      claims: [claim('c', devices)],
      ...(disabled !== undefined && { disabled }),
    });
    assert.throws(() => devicesFor(using('p', 'c')), { message });
  }
});

test('node §20 (6): pods that share a claim go where its devices are', () => {
  const allocation = {
    devices: { results: [{ request: 'r', driver, pool: 'a', device: 'g0' }] },
    nodeSelector: {
      nodeSelectorTerms: [
        { matchFields: [{ key: 'metadata.name', operator: 'In', values: ['a'] }] },
      ],
    },
  };
  const shared = claim('c', { requests: [request()] }, { status: { allocation } });
  const { cluster } = createDeviceCluster({ slices: [slice('s', four)], claims: [shared] });
  assert.equal(cluster.place(using('p', 'c')), 'a');
  assert.equal(cluster.place(using('q', 'c')), 'a');
  const elsewhere = using('r', 'c');
  const pod = {
    ...elsewhere,
    spec: { ...elsewhere.spec, nodeSelector: { 'kubernetes.io/hostname': 'b' } },
  };
  assert.match(
    cluster.place(pod),
    /^0\/2 nodes are available: 1 node\(s\) didn't match Pod's node affinity\/selector, 1 resourceclaim not available on the node\. deallocation of ResourceClaim completed, preemption: /,
  );
});

test('a claim that is being allocated is not allocated again', () => {
  const { devicesFor } = createDeviceCluster({
    slices: [slice('s', four)],
    claims: [claim('c', { requests: [request()] })],
  });
  assert.deepEqual(devicesFor(using('p', 'c')), ['r=g0']);
  const text = '0/2 nodes are available: resource claim n/c is in the process of being allocated';
  assert.equal(devicesFor(using('q', 'c')), text);
});

test('a share says what it consumes, by the rules of the device', () => {
  const policies: [CapacityRequestPolicy | undefined, asked: string, consumed: string][] = [
    [undefined, '3Gi', '3Gi'],
    [{ default: '1Gi', validRange: { min: '2Gi' } }, '1Gi', '1Gi'],
    [{ default: '3Gi', validRange: { min: '2Gi' } }, '1Gi', '2Gi'],
    [{ default: '1Gi', validRange: { min: '1Gi', step: '2Gi' } }, '4Gi', '5Gi'],
    [{ default: '1Gi', validRange: { min: '1Gi', step: '2Gi' } }, '3Gi', '3Gi'],
    [{ default: '1Gi', validValues: ['1Gi', '2Gi', '6Gi'] }, '3Gi', '6Gi'],
  ];
  for (const [policy, asked, memory] of policies) {
    const { devicesFor, decided } = createDeviceCluster({
      slices: [slice('s', [shareable('g0', policy)])],
      claims: [claim('c', { requests: [sharing(asked)] })],
    });
    assert.deepEqual(devicesFor(using('p', 'c')), ['r=g0']);
    const [result] = decided.get('claim-c')?.devices?.results ?? [];
    assert.deepEqual(result?.consumedCapacity, { memory });
    assert.match(result?.shareID ?? '', /^[0-9a-f-]{36}$/);
  }
});

test('devices that did not become ready are given up, those that may become so are not', () => {
  const results = [{ request: 'r', driver, pool: 'a', device: 'w0' }].map((result) => ({
    ...result,
    bindingConditions: ['Ready'],
    bindingFailureConditions: ['Broken'],
  }));
  const now = Date.parse('2026-01-01T00:00:00Z');
  const state = (type: string, ageMs = 0, status = 'True') => {
    const allocationTimestamp = formatTime(now - ageMs);
    const lastTransitionTime = allocationTimestamp;
    const condition = { type, status, lastTransitionTime, reason: 'Test', message: '' };
    const device = { driver, pool: 'a', device: 'w0', conditions: [condition] };
    const allocated = { allocation: { devices: { results }, allocationTimestamp } };
    const waiting = claim('c', {}, { status: { ...allocated, devices: [device] } });
    return bindingState(waiting, { now, timeoutMs: 600_000 });
  };
  assert.deepEqual(
    [
      state('Ready'),
      state('Ready', 0, 'False'),
      state('Other', 600_000),
      state('Other', 601_000),
      state('Ready', 601_000),
      state('Broken'),
      state('Broken', 0, 'False'),
    ],
    ['ready', 'pending', 'pending', 'timed-out', 'ready', 'failed', 'pending'],
  );
});
