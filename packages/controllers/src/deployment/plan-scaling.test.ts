import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Deployment, ReplicaSet } from '@keelson/apimachinery/types/apps.v1';
import { scaleAll, stepCurrent, stepOld, type Resize } from './plan-scaling.ts';
import { allOf, sumOf, wantedReplicas, type ReplicaSetsOfDeployment } from './replica-sets.ts';
import { rolloutBounds } from './rollout-bounds.ts';

const size = fc.integer({ min: 0, max: 12 });
const bound = fc.oneof(
  fc.integer({ min: 0, max: 6 }),
  fc.integer({ min: 0, max: 100 }).map((n) => `${n}%`),
);

const deployment = (
  replicas: number,
  maxSurge: number | string,
  maxUnavailable: number | string,
): Deployment => ({
  metadata: { name: 'web' },
  spec: {
    replicas,
    selector: { matchLabels: { app: 'web' } },
    template: { spec: { containers: [] } },
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge, maxUnavailable } },
  },
});
let made = 0;
const replicaSet = (replicas: number, available: number, annotations = {}): ReplicaSet => ({
  metadata: {
    name: `web-${made++}`,
    creationTimestamp: new Date(made * 1000).toISOString(),
    annotations,
  },
  spec: { replicas, selector: {} },
  status: { replicas, availableReplicas: available },
});
const resized = (
  sets: ReplicaSetsOfDeployment,
  resizes: readonly Resize[],
): ReplicaSetsOfDeployment => {
  const change = (set: ReplicaSet): ReplicaSet => {
    const replicas = resizes.findLast((resize) => resize.set === set)?.replicas;
    if (replicas === undefined) return set;
    // A pod that serves nobody is deleted before one that does.
    const available = Math.min(replicas, set.status?.availableReplicas ?? 0);
    return {
      ...set,
      spec: { ...set.spec, replicas },
      status: { replicas, availableReplicas: available },
    };
  };
  return { current: sets.current && change(sets.current), old: sets.old.map(change) };
};
const total = (sets: ReplicaSetsOfDeployment) => sumOf(allOf(sets), wantedReplicas);
const available = (sets: ReplicaSetsOfDeployment) =>
  sumOf(allOf(sets), ({ status }) => status?.availableReplicas ?? 0);

test('of ReplicaSets of the same size growth goes to the newest, whenever it was made', () => {
  const made = (name: string, second: number, revision: number): ReplicaSet => {
    const set = replicaSet(2, 2);
    const annotations = { 'deployment.kubernetes.io/revision': String(revision) };
    const creationTimestamp = `2026-01-01T00:00:0${second}Z`;
    return { ...set, metadata: { ...set.metadata, name, creationTimestamp, annotations } };
  };
  const rows: [sets: [ReplicaSet, ReplicaSet], grown: string][] = [
    [[made('a', 1, 1), made('b', 2, 2)], 'b'],
    [[made('a', 2, 1), made('b', 1, 2)], 'a'],
    [[made('a', 1, 2), made('b', 1, 1)], 'a'],
    [[made('a', 1, 1), made('b', 1, 1)], 'b'],
  ];
  for (const [[one, other], grown] of rows) {
    const of = { ...deployment(5, 0, 1), status: { replicas: 4 } };
    const [first] = scaleAll(of, { current: one, old: [other] });
    assert.equal(first?.set.metadata.name, grown);
  }
});

test('a rolling update never has too many pods and never too few available ones', () => {
  const pods = fc.record({ replicas: size, missing: size });
  fc.assert(
    fc.property(
      fc.tuple(size, bound, bound),
      pods,
      fc.array(pods, { maxLength: 4 }),
      ([replicas, surge, missing], now, before) => {
        const of = deployment(replicas, surge, missing);
        const make = (p: { replicas: number; missing: number }) =>
          replicaSet(p.replicas, Math.max(0, p.replicas - p.missing));
        let sets: ReplicaSetsOfDeployment = { current: make(now), old: before.map(make) };
        const { maxSurge, maxUnavailable } = rolloutBounds(of);
        const [mostAllowed, leastAllowed] = [replicas + maxSurge, replicas - maxUnavailable];
        for (let step = 0; step < 100; step++) {
          const grown = stepCurrent(of, sets);
          const resizes = grown.length > 0 ? grown : stepOld(of, sets);
          const next = resized(sets, resizes);
          assert.ok(total(next) <= Math.max(mostAllowed, total(sets)), 'more pods than allowed');
          if (grown.length === 0)
            assert.ok(
              available(next) >= Math.min(leastAllowed, available(sets)),
              'too few available',
            );
          // Everything becomes available in the end.
          const ready = allOf(next).map((set) => ({ set, replicas: wantedReplicas(set) }));
          if (
            resizes.length === 0 &&
            ready.every(({ set, replicas: n }) => set.status?.availableReplicas === n)
          )
            break;
          sets = resizes.length > 0 ? next : allAvailable(next);
        }
        assert.equal(wantedReplicas(sets.current ?? replicaSet(0, 0)), replicas);
        assert.equal(sumOf(sets.old, wantedReplicas), 0);
      },
    ),
    { seed: 1, numRuns: 500 },
  );
});

function allAvailable({ current, old }: ReplicaSetsOfDeployment): ReplicaSetsOfDeployment {
  const ready = (set: ReplicaSet): ReplicaSet => ({
    ...set,
    status: { replicas: wantedReplicas(set), availableReplicas: wantedReplicas(set) },
  });
  return { current: current && ready(current), old: old.map(ready) };
}

test('a change of size in the middle of a rollout is shared in proportion', () => {
  const annotations = {
    'deployment.kubernetes.io/desired-replicas': '10',
    'deployment.kubernetes.io/max-replicas': '13',
  };
  const rows: [replicas: number, current: number, old: number[], expected: number[]][] = [
    [15, 5, [8], [11, 7]],
    [20, 5, [8], [14, 9]],
    [5, 5, [8], [5, 3]],
    [0, 5, [8], [0, 0]],
    [10, 5, [8], [8, 5]],
  ];
  for (const [replicas, current, old, expected] of rows) {
    const sets = {
      current: replicaSet(current, 0, annotations),
      old: old.map((n) => replicaSet(n, n, annotations)),
    };
    const resizes = scaleAll(deployment(replicas, 3, 2), sets);
    assert.deepEqual(
      resizes.map((resize) => resize.replicas),
      expected,
      `${replicas} replicas`,
    );
  }
});

test('one that is alone follows the size, the old ones go once the current is complete', () => {
  const of = deployment(4, 1, 0);
  const only = replicaSet(2, 2);
  assert.deepEqual(scaleAll(of, { current: replicaSet(0, 0), old: [only] }), [
    { set: only, replicas: 4 },
  ]);
  const current = replicaSet(4, 4, { 'deployment.kubernetes.io/desired-replicas': '4' });
  const old = [replicaSet(1, 1), replicaSet(0, 0)];
  assert.deepEqual(scaleAll(of, { current, old }), [{ set: old[0], replicas: 0 }]);
});

test('percentages are rounded so that something always moves', () => {
  const rows: [
    replicas: number,
    surge: number | string,
    missing: number | string,
    number,
    number,
  ][] = [
    [10, '25%', '25%', 3, 2],
    [1, '25%', '25%', 1, 0],
    [1, 0, 0, 0, 1],
    [3, '0%', '10%', 0, 1],
    [0, 0, 0, 0, 0],
    [2, 0, 5, 0, 2],
  ];
  for (const [replicas, surge, missing, maxSurge, maxUnavailable] of rows)
    assert.deepEqual(rolloutBounds(deployment(replicas, surge, missing)), {
      replicas,
      maxSurge,
      maxUnavailable,
    });
});
