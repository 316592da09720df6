import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pod } from '@keelson/apimachinery/types/core.v1';
import { podRequests } from './pod-requests.ts';
import {
  replicasByAverage,
  replicasByShare,
  replicasByUtilization,
  replicasByValue,
  type PodMetrics,
} from './replica-calculator.ts';

const now = Date.parse('2026-01-01T12:00:00Z');
const readiness = {
  now,
  isCpu: true,
  cpuInitializationMs: 300_000,
  initialReadinessDelayMs: 30_000,
};
const tolerances = { up: 0.1, down: 0.1 };
const long = '2026-01-01T00:00:00Z';

interface GivenPod {
  readonly use?: number;
  readonly phase?: string;
  readonly ready?: string;
  readonly startTime?: string;
  readonly deleted?: boolean;
}
function metricsOf(given: readonly GivenPod[]): PodMetrics {
  const pods = given.map(
    ({ phase = 'Running', ready = 'True', startTime = long, deleted = false }, n): Pod => ({
      metadata: { name: `p${n}`, ...(deleted && { deletionTimestamp: long }) },
      spec: { containers: [] },
      status: {
        phase,
        startTime,
        conditions: [{ type: 'Ready', status: ready, lastTransitionTime: startTime }],
      },
    }),
  );
  const samples = new Map(
    given.flatMap(({ use }, n) =>
      use === undefined ? [] : [[`p${n}`, { value: use, at: now, windowMs: 60_000 }] as const],
    ),
  );
  return { pods, samples, currentReplicas: given.length, tolerances, readiness };
}
const all = (count: number, use: number): GivenPod[] =>
  Array.from({ length: count }, () => ({ use }));
const requests = new Map(Array.from({ length: 10 }, (_, n) => [`p${n}`, 1_000] as const));

test('by utilisation: spec §19.8, cases 3, 9 and 10, and their neighbours', () => {
  const starting = { startTime: '2026-01-01T11:59:00Z', ready: 'False' };
  const rows: [what: string, pods: GivenPod[], target: number, replicas: number][] = [
    ['3: 1.08 is near enough', all(4, 540), 50, 4],
    ['3: 1.12 is not', all(4, 560), 50, 5],
    ['3: nor is 0.88', all(4, 440), 50, 4],
    ['half is half', all(4, 250), 50, 2],
    ['0.92 is near enough', all(4, 460), 50, 4],
    ['9: missing ones use nothing on the way up', [...all(3, 1_000), {}], 50, 6],
    ['9: and may keep all as they are', [{ use: 600 }, {}], 50, 2],
    ['9: exactly as wanted, and one missing', [...all(2, 500), {}], 50, 3],
    ['9: missing ones use their request on the way down', [...all(2, 100), {}, {}], 50, 4],
    [
      '10: those that start count as idle on the way up',
      [...all(3, 1_000), { use: 1_000, ...starting }],
      50,
      6,
    ],
    ['10: pending ones too', [...all(3, 1_000), { phase: 'Pending' }], 50, 6],
    ['10: not on the way down', [...all(3, 100), { use: 100, ...starting }], 50, 1],
    [
      'failed ones and those that go count for nothing',
      [...all(2, 1_000), { phase: 'Failed' }, { deleted: true }],
      50,
      4,
    ],
  ];
  for (const [what, pods, target, replicas] of rows)
    assert.equal(replicasByUtilization(metricsOf(pods), requests, target).replicas, replicas, what);
});

test('case 4: a tolerance of zero scales at 1.01, in its direction only', () => {
  const metrics = (up: number, down: number) => ({
    ...metricsOf(all(5, 505)),
    tolerances: { up, down },
  });
  assert.equal(replicasByUtilization(metrics(0, 0.1), requests, 50).replicas, 5);
  const exact = { ...metricsOf(all(5, 510)), tolerances: { up: 0, down: 0.1 } };
  assert.equal(replicasByUtilization(exact, requests, 50).replicas, 6);
  const other = { ...metricsOf(all(5, 510)), tolerances: { up: 0.1, down: 0 } };
  assert.equal(replicasByUtilization(other, requests, 50).replicas, 5);
});

test('by average, value and share', () => {
  assert.equal(replicasByAverage(metricsOf(all(3, 20_000)), 10_000).replicas, 6);
  assert.equal(replicasByAverage(metricsOf(all(3, 10_500)), 10_000).replicas, 3);
  assert.equal(replicasByAverage(metricsOf([...all(2, 2_000), {}]), 10_000).replicas, 2);
  assert.equal(replicasByAverage(metricsOf([...all(2, 10_000), {}]), 10_000).replicas, 3);
  const rows: [ratio: number, current: number, ready: number, replicas: number][] = [
    [2, 3, 3, 6],
    [1.05, 3, 3, 3],
    [2.5, 0, 0, 3],
    [1e12, 5, 5, 2 ** 31 - 1],
  ];
  for (const [ratio, current, readyPods, replicas] of rows)
    assert.equal(replicasByValue(ratio, current, { readyPods, tolerances }), replicas);
  assert.equal(replicasByShare(100, 30, { replicas: 2, tolerances }), 4);
  assert.equal(replicasByShare(62, 30, { replicas: 2, tolerances }), 2);
  assert.equal(replicasByShare(62, 30, { replicas: 0, tolerances }), 3);
});

test('what cannot be said is an error', () => {
  const rows: [pods: GivenPod[], requests: ReadonlyMap<string, number>, error: RegExp][] = [
    [[], requests, /no pods returned by selector/],
    [[{}], requests, /did not receive metrics for targeted pods/],
    [all(1, 5), new Map(), /no metrics returned matched known pods/],
  ];
  for (const [pods, given, error] of rows)
    assert.throws(() => replicasByUtilization(metricsOf(pods), given, 50), error);
});

test('requests: of the container, of all, or of the pod (case 2)', () => {
  const pod = (spec: Partial<NonNullable<Pod['spec']>> = {}): Pod => ({
    metadata: { name: 'p' },
    spec: {
      containers: [{ name: 'app', resources: { requests: { cpu: '100m' } } }],
      initContainers: [
        { name: 'side', restartPolicy: 'Always', resources: { requests: { cpu: '1' } } },
        { name: 'init', resources: { requests: { cpu: '9' } } },
      ],
      ...spec,
    },
  });
  const bare = pod({
    initContainers: [],
    containers: [{ name: 'app', resources: { requests: { cpu: '100m' } } }, { name: 'side' }],
  });
  const of = (given: Pod, container?: string) => podRequests([given], 'cpu', container).get('p');
  assert.deepEqual(
    [of(pod()), of(pod(), 'app'), of(pod(), 'side'), of(bare, 'app')],
    [1_100, 100, 1_000, 100],
  );
  assert.equal(of(pod({ resources: { requests: { cpu: '2' } } })), 2_000);
  assert.throws(() => of(bare), /missing request for cpu in container side of Pod p/);
  assert.throws(() => of(pod(), 'none'), /container none not found in Pod p/);
  assert.throws(
    () => of(pod({ resources: { requests: { memory: '1' } } })),
    /missing pod-level request for cpu in Pod p/,
  );
});
