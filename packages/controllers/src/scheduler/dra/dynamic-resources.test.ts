// The acceptance cases of device allocation that are the scheduler's, by their number.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pod } from '@keelson/apimachinery/types/core.v1';
import type {
  AllocationResult,
  Device,
  DeviceClaim,
  ResourceClaim,
  ResourceSlice,
} from '@keelson/apimachinery/types/resource.k8s.io.v1';
import { summarizePod } from '../snapshot/pod-summary.ts';
import { createSchedulingCluster, testNode, testPod } from '../testing/scheduling-cluster.ts';
import type { ClaimTracker } from './claim-tracker.ts';

const driver = 'gpu.example.com';
const gpu = (name: string, numa: number, more: Partial<Device> = {}): Device => ({
  name,
  attributes: { numa: { int: numa }, model: { string: numa === 0 ? 'small' : 'large' } },
  capacity: { memory: { value: '8Gi' } },
  ...more,
});
const slice = (name: string, devices: Device[], more: object = {}): ResourceSlice => ({
  metadata: { name },
  spec: {
    driver,
    nodeName: 'a',
    pool: { name: 'a', generation: 1, resourceSliceCount: 1 },
    devices,
    ...more,
  },
});
const claim = (
  name: string,
  devices: DeviceClaim,
  more: Partial<ResourceClaim> = {},
): ResourceClaim => ({
  metadata: { name, namespace: 'n', uid: `claim-${name}` },
  spec: { devices },
  ...more,
});
const request = (more: object = {}) => ({
  name: 'r',
  exactly: { deviceClassName: 'gpu', ...more },
});
const selecting = (expression: string) => ({ selectors: [{ cel: { expression } }] });
const using = (name: string, ...claims: string[]): Pod =>
  testPod(name, { resourceClaims: claims.map((c) => ({ name: c, resourceClaimName: c })) });

interface Devices {
  readonly slices: readonly ResourceSlice[];
  readonly claims: readonly ResourceClaim[];
  readonly disabled?: readonly string[];
}

function setUp({ slices, claims, disabled = [] }: Devices) {
  const decided = new Map<string, AllocationResult>();
  const results = (allocation: AllocationResult | undefined) => allocation?.devices?.results ?? [];
  const tracker: ClaimTracker = {
    claim: (_namespace, name) => claims.find(({ metadata }) => metadata.name === name),
    deviceClass: (name) =>
      name === 'gpu'
        ? { metadata: { name }, spec: selecting(`device.driver == "${driver}"`) }
        : undefined,
    slices: () => slices,
    allocatedDevices: () =>
      new Set(
        [...claims.map(({ status }) => status?.allocation), ...decided.values()]
          .flatMap(results)
          .filter(({ adminAccess }) => adminAccess !== true)
          .map(({ pool, device }) => `${driver}/${pool}/${device}`),
      ),
    isInFlight: ({ metadata: { uid = '' } }) => decided.has(uid),
    decide({ metadata: { uid = '' } }, allocation) {
      decided.set(uid, allocation);
      return () => void decided.delete(uid);
    },
  };
  const cluster = createSchedulingCluster({
    devices: tracker,
    isEnabled: (gate) => !disabled.includes(gate),
  });
  for (const name of ['a', 'b']) cluster.cluster.putNode(testNode(name));
  /** The devices that the pod gets, or why it gets none. */
  const devicesFor = (pod: Pod): string[] | string => {
    const summary = summarizePod(pod);
    const result = cluster.cycle.schedule(summary);
    if (result.kind === 'none') return result.message.split('. ')[0] ?? '';
    const before = new Set(decided.keys());
    for (const plugin of cluster.plugins) plugin.reserve?.(summary, result.node);
    const fresh = [...decided]
      .filter(([uid]) => !before.has(uid))
      .map(([, allocation]) => allocation);
    return fresh.flatMap((allocation) =>
      results(allocation).map(({ request: name, device }) => `${name}=${device}`),
    );
  };
  return { cluster, devicesFor, decided };
}

const four = [gpu('g0', 0), gpu('g1', 1), gpu('g2', 0), gpu('g3', 1)];
const cannot = '0/2 nodes are available: 2 cannot allocate all claims';
const sameNuma = { constraints: [{ matchAttribute: `${driver}/numa` }] };
const busy = (device: string) =>
  claim(
    'busy',
    { requests: [request()] },
    {
      status: {
        allocation: { devices: { results: [{ request: 'r', driver, pool: 'a', device }] } },
      },
    },
  );

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
    what: '1: two devices with the same attribute',
    claim: { requests: [request({ count: 2 })], ...sameNuma },
    expected: ['r=g0', 'r=g2'],
  },
  {
    what: '2: three with the same attribute are not there',
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
    what: '3: an attribute that may be missing is asked for first',
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
    what: '3: a domain that is missing is empty',
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
    what: '4: all, and one of them is busy',
    claim: { requests: [request({ allocationMode: 'All' })] },
    others: [busy('g1')],
    expected: cannot,
  },
  {
    what: '4: all that are selected',
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
    what: '5: the second best, where the best is not there',
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
    what: '8: access for administration takes what is in use',
    claim: { requests: [request({ count: 4, adminAccess: true })] },
    others: [busy('g3')],
    expected: ['r=g0', 'r=g1', 'r=g2', 'r=g3'],
  },
  {
    what: '9: a pool whose slices are not all there',
    claim: { requests: [request()] },
    slices: [slice('s', four, { pool: { name: 'a', generation: 2, resourceSliceCount: 2 } })],
    expected: cannot,
  },
  {
    what: '9: an older generation of a pool',
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
];

for (const { what, claim: devices, expected, slices, others = [], disabled = [] } of rows) {
  test(what, () => {
    const claims = [claim('c', devices), ...others];
    const { devicesFor } = setUp({ slices: slices ?? [slice('s', four)], claims, disabled });
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
  const { devicesFor } = setUp({
    slices,
    claims: names.map((name) => claim(name, { requests: [request()] })),
  });
  assert.deepEqual(
    names.map((name) => devicesFor(using(name, name))),
    [['r=p0'], ['r=p2'], cannot],
  );
});

test('what nobody can decide is an error, not a refusal', () => {
  const missing = selecting(`device.attributes["${driver}"].missing == 1`);
  const five = Array.from({ length: 5 }, (_, i) => ({ ...request({ count: 10 }), name: `r${i}` }));
  const scenes: [DeviceClaim, RegExp, disabled?: string[]][] = [
    [
      { requests: [request(missing)] },
      /^claim n\/c: selector #0: CEL runtime error: no such key: missing$/,
    ],
    [
      { requests: five },
      /^claim n\/c: number of requested devices 50 exceeds the claim limit of 32$/,
    ],
    [
      { requests: [request({ adminAccess: true })] },
      /^claim n\/c, request r: admin access is requested, but the feature is disabled$/,
      ['DRAAdminAccess'],
    ],
    [
      { requests: [request({ capacity: { requests: { memory: '1Gi' } } })] },
      /^claim n\/c, request r: has capacity requests, but the DRAConsumableCapacity feature is disabled$/,
    ],
  ];
  for (const [devices, message, disabled] of scenes) {
    const { devicesFor } = setUp({
      slices: [slice('s', four)],
      claims: [claim('c', devices)],
      ...(disabled !== undefined && { disabled }),
    });
    assert.throws(() => devicesFor(using('p', 'c')), { message });
  }
});

test('6: pods that share a claim go where its devices are', () => {
  const allocation = {
    devices: { results: [{ request: 'r', driver, pool: 'a', device: 'g0' }] },
    nodeSelector: {
      nodeSelectorTerms: [
        { matchFields: [{ key: 'metadata.name', operator: 'In', values: ['a'] }] },
      ],
    },
  };
  const shared = claim('c', { requests: [request()] }, { status: { allocation } });
  const { cluster } = setUp({ slices: [slice('s', four)], claims: [shared] });
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
  const { devicesFor } = setUp({
    slices: [slice('s', four)],
    claims: [claim('c', { requests: [request()] })],
  });
  assert.deepEqual(devicesFor(using('p', 'c')), ['r=g0']);
  const text = '0/2 nodes are available: resource claim n/c is in the process of being allocated';
  assert.equal(devicesFor(using('q', 'c')), text);
});
