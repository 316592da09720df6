import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pod } from '@keelson/apimachinery/types/core.v1';
import { summarizePod } from '../snapshot/pod-summary.ts';
import {
  asking,
  createSchedulingCluster,
  testNode,
  testPod,
} from '../testing/scheduling-cluster.ts';

const ranked = (name: string, priority: number, cpu: string, more: object = {}): Pod => {
  const pod = testPod(name, { ...asking({ cpu }), priority, ...more }, { app: name });
  return { ...pod, status: { startTime: `2026-01-01T00:00:0${priority % 10}Z` } };
};
const budget = (app: string, disruptionsAllowed: number) => ({
  metadata: { name: app, namespace: 'n' },
  spec: { selector: { matchLabels: { app } } },
  status: { disruptionsAllowed, currentHealthy: 1, desiredHealthy: 1, expectedPods: 1 },
});

const counting = (app: string) => {
  const { status, ...rest } = budget(app, 0);
  return { ...rest, status: { ...status, disruptedPods: { [app]: '2026-01-01T00:00:00Z' } } };
};
const started = (pod: Pod, time: string): Pod => ({
  ...pod,
  status: { ...pod.status, startTime: `2026-01-01T${time}Z` },
});
const promised = (pod: Pod, nominatedNodeName: string): Pod => ({
  ...pod,
  status: { ...pod.status, nominatedNodeName },
});
/** It has been told to go, by a scheduler. */
const leaving = (pod: Pod): Pod => ({
  ...pod,
  metadata: { ...pod.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' },
  status: {
    ...pod.status,
    conditions: [{ type: 'DisruptionTarget', status: 'True', reason: 'PreemptionByScheduler' }],
  },
});
const onNode = (name: string) => ({ 'kubernetes.io/hostname': name });

interface Scene {
  readonly what: string;
  readonly there: readonly [pod: Pod, node: string][];
  readonly pod: Pod;
  readonly budgets?: ReturnType<typeof budget>[];
  /** The node that is promised, and who leaves it. Empty: none; undefined: what was promised stands. */
  readonly expected: readonly [node: string, ...victims: string[]] | '' | undefined;
}

const scenes: readonly Scene[] = [
  {
    what: 'the less important pod leaves',
    there: [[ranked('low', 1, '3'), 'a']],
    pod: ranked('high', 9, '2'),
    expected: ['a', 'low'],
  },
  {
    what: 'equals do not make each other leave',
    there: [[ranked('other', 9, '3'), 'a']],
    pod: ranked('high', 9, '2'),
    expected: '',
  },
  {
    what: 'not one more than necessary leaves, and the least important ones',
    there: [
      [ranked('one', 1, '1'), 'a'],
      [ranked('two', 2, '1'), 'a'],
      [ranked('three', 3, '2'), 'a'],
    ],
    pod: ranked('high', 9, '2'),
    expected: ['a', 'two', 'one'],
  },
  {
    what: 'the node with the less important victims is taken',
    there: [
      [ranked('middle', 5, '3'), 'a'],
      [ranked('low', 1, '3'), 'b'],
    ],
    pod: ranked('high', 9, '3'),
    expected: ['b', 'low'],
  },
  {
    what: 'a budget protects its pods where others can leave',
    there: [
      [ranked('guarded', 1, '2'), 'a'],
      [ranked('free', 2, '2'), 'a'],
    ],
    budgets: [budget('guarded', 0)],
    pod: ranked('high', 9, '2'),
    expected: ['a', 'free'],
  },
  {
    what: 'the node where no budget is violated is taken, though its victim is more important',
    there: [
      [ranked('guarded', 1, '3'), 'a'],
      [ranked('free', 5, '3'), 'b'],
    ],
    budgets: [budget('guarded', 0)],
    pod: ranked('high', 9, '3'),
    expected: ['b', 'free'],
  },
  {
    what: 'a budget that allows a disruption does not stand in the way',
    there: [
      [ranked('guarded', 1, '3'), 'a'],
      [ranked('free', 5, '3'), 'b'],
    ],
    budgets: [budget('guarded', 1)],
    pod: ranked('high', 9, '3'),
    expected: ['a', 'guarded'],
  },
  {
    what: 'nobody leaves for a pod that would not fit then either',
    there: [[ranked('low', 1, '3'), 'a']],
    pod: ranked('high', 9, '9'),
    expected: '',
  },
  {
    what: 'of budgets that stand in the way everywhere the fewest are violated',
    there: [
      [ranked('guarded', 1, '2'), 'a'],
      [ranked('kept', 1, '2'), 'a'],
      [ranked('precious', 5, '4'), 'b'],
    ],
    budgets: [budget('guarded', 0), budget('kept', 0), budget('precious', 0)],
    pod: ranked('high', 9, '4'),
    expected: ['b', 'precious'],
  },
  {
    what: 'an eviction that a budget has counted already does not violate it',
    there: [
      [ranked('counted', 1, '3'), 'a'],
      [ranked('free', 5, '3'), 'b'],
    ],
    budgets: [counting('counted')],
    pod: ranked('high', 9, '3'),
    expected: ['a', 'counted'],
  },
  {
    what: 'of equal victims fewer leave',
    there: [
      [ranked('one', 1, '2'), 'a'],
      [ranked('two', 1, '2'), 'a'],
      [ranked('three', 1, '4'), 'b'],
    ],
    pod: ranked('high', 9, '4'),
    expected: ['b', 'three'],
  },
  {
    what: 'the sum of their priorities counts before their number',
    there: [
      [ranked('one', 5, '2'), 'a'],
      [ranked('two', -2_000_000_000, '2'), 'a'],
      [ranked('three', 5, '2'), 'b'],
      [ranked('four', 5, '2'), 'b'],
    ],
    pod: ranked('high', 9, '4'),
    expected: ['a', 'one', 'two'],
  },
  {
    what: 'of else equal victims those leave that have run for the shortest time',
    there: [
      [started(ranked('old', 1, '3'), '00:00:01'), 'a'],
      [started(ranked('young', 1, '3'), '00:00:09'), 'b'],
    ],
    pod: ranked('high', 9, '3'),
    expected: ['b', 'young'],
  },
  {
    what: 'who must not be near it leaves too, though there is room',
    there: [[ranked('low', 1, '1'), 'a']],
    pod: ranked('high', 9, '1', {
      affinity: {
        podAntiAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: [
            {
              topologyKey: 'kubernetes.io/hostname',
              labelSelector: { matchLabels: { app: 'low' } },
            },
          ],
        },
      },
    }),
    expected: ['a', 'low'],
  },
  {
    what: 'a node that is cordoned is not made room on',
    there: [[ranked('low', 1, '3'), 'a']],
    pod: ranked('high', 9, '2', { nodeSelector: { missing: 'label' } }),
    expected: '',
  },
  {
    what: 'nobody else leaves while those that were told to are still going',
    there: [
      [leaving(ranked('low', 1, '3')), 'a'],
      [ranked('other', 1, '3'), 'b'],
    ],
    pod: promised(ranked('high', 9, '3'), 'a'),
    expected: undefined,
  },
  {
    what: 'others leave when what was promised cannot come true any more',
    there: [
      [leaving(ranked('low', 1, '3')), 'a'],
      [ranked('other', 1, '3'), 'b'],
    ],
    pod: promised(ranked('high', 9, '3', { nodeSelector: onNode('b') }), 'a'),
    expected: ['b', 'other'],
  },
  {
    what: 'nobody leaves for a pod whose policy is Never',
    there: [[ranked('low', 1, '3'), 'a']],
    pod: ranked('high', 9, '2', { preemptionPolicy: 'Never' }),
    expected: undefined,
  },
];

for (const { what, there, pod, budgets = [], expected } of scenes) {
  test(what, async () => {
    const cluster = createSchedulingCluster({ budgets });
    for (const name of new Set(['a', ...there.map(([, node]) => node)]))
      cluster.cluster.putNode(testNode(name));
    for (const [other, node] of there) cluster.put(other, node);
    const before = cluster.cluster.nodes.map(({ requested }) => requested.milliCpu);
    const result = cluster.schedule(pod);
    assert.equal(result.kind, 'none');
    if (result.kind !== 'none') return;
    await result.makeRoom?.(new AbortController().signal);
    const [candidate] = cluster.evicted;
    const found = candidate && [candidate.node.name, ...candidate.victims.map(({ name }) => name)];
    assert.deepEqual(found, typeof expected === 'object' ? expected : undefined);
    assert.equal(result.nominatedNodeName, typeof expected === 'object' ? expected[0] : expected);
    // Asking what would be has changed nothing.
    assert.deepEqual(
      cluster.cluster.nodes.map(({ requested }) => requested.milliCpu),
      before,
    );
  });
}

test('room that is promised is not given to less important pods, but to more important ones', () => {
  const cluster = createSchedulingCluster();
  cluster.cluster.putNode(testNode('a'));
  const promised = ranked('promised', 5, '3');
  const result = cluster.schedule(promised);
  assert.equal(result.kind, 'node');
  cluster.nominated.put(summarizePod(promised), 'a');
  assert.equal(cluster.schedule(ranked('low', 1, '2')).kind, 'none');
  assert.equal(cluster.schedule(ranked('high', 9, '2')).kind, 'node');
  assert.equal(cluster.schedule(promised).kind, 'node');
});
