import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { DaemonSet } from '@keelson/apimachinery/types/apps.v1';
import type { Node, Pod, Taint, Toleration } from '@keelson/apimachinery/types/core.v1';
import { tolerationsOf } from './daemon-pod.ts';
import { eligibilityOf } from './eligible-nodes.ts';
import { oldestFirst, planNodes, planUpdate, updateBounds, type DaemonNodes } from './plan-pods.ts';

const daemonSet = (spec: object, rollingUpdate: object = {}): DaemonSet =>
  ({
    metadata: { name: 'agent' },
    spec: {
      selector: { matchLabels: { app: 'agent' } },
      template: { spec: { containers: [], ...spec } },
      updateStrategy: { type: 'RollingUpdate', rollingUpdate },
    },
  }) as DaemonSet;

test('on which nodes', () => {
  const node = (labels: object, taints: Taint[] = []): Node =>
    ({ metadata: { name: 'n', labels }, spec: { taints } }) as Node;
  const taint = (key: string, effect: string): Taint => ({ key, effect });
  const toleration: Toleration = { key: 'gpu', operator: 'Exists' };
  const rows: [spec: object, node: Node, shouldRun: boolean, mayStay: boolean][] = [
    [{}, node({}), true, true],
    [{ nodeName: 'other' }, node({}), false, false],
    [{ nodeSelector: { disk: 'ssd' } }, node({ disk: 'ssd' }), true, true],
    [{ nodeSelector: { disk: 'ssd' } }, node({ disk: 'hdd' }), false, false],
    [{}, node({}, [taint('gpu', 'NoSchedule')]), false, true],
    [{}, node({}, [taint('gpu', 'NoExecute')]), false, false],
    [{}, node({}, [taint('gpu', 'PreferNoSchedule')]), true, true],
    [{ tolerations: [toleration] }, node({}, [taint('gpu', 'NoExecute')]), true, true],
    [{}, node({}, [taint('node.kubernetes.io/unschedulable', 'NoSchedule')]), true, true],
    [{}, node({}, [taint('node.kubernetes.io/not-ready', 'NoExecute')]), true, true],
    [{}, node({}, [taint('node.kubernetes.io/network-unavailable', 'NoSchedule')]), false, true],
    [
      { hostNetwork: true },
      node({}, [taint('node.kubernetes.io/network-unavailable', 'NoSchedule')]),
      true,
      true,
    ],
  ];
  for (const [spec, of, shouldRun, mayStay] of rows)
    assert.deepEqual(
      eligibilityOf(daemonSet(spec))(of),
      { shouldRun, mayStay },
      JSON.stringify([spec, of]),
    );
});

test('a toleration that every daemon has takes the place of one that says the same', () => {
  const effect = 'NoExecute';
  const notReady: Toleration = { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect };
  const other: Toleration = { key: 'gpu', operator: 'Exists' };
  const [first = notReady, ...rest] = tolerationsOf({ containers: [] });
  assert.deepEqual(first, notReady);
  const rows: [tolerations: Toleration[], expected: Toleration[]][] = [
    [[other], [other, first, ...rest]],
    [
      [{ ...notReady, tolerationSeconds: 30 }, other],
      [first, other, ...rest],
    ],
    [
      [other, notReady],
      [other, first, ...rest],
    ],
    [[{ ...notReady, value: 'x' }], [{ ...notReady, value: 'x' }, first, ...rest]],
    [[{ ...notReady, operator: 'Equal' }], [{ ...notReady, operator: 'Equal' }, first, ...rest]],
  ];
  for (const [tolerations, expected] of rows)
    assert.deepEqual(tolerationsOf({ containers: [], tolerations }), expected);
});

/** Whether a node gets pods, and whether its old and its new pod serve; null: there is none. */
type Spot = readonly [shouldRun: boolean, old: boolean | null, fresh: boolean | null];

function updateOf(spots: Readonly<Record<string, Spot>>, rollingUpdate: object) {
  const podOn = (node: string, which: 'old' | 'new', isServing: boolean | null): Pod[] => {
    if (isServing === null) return [];
    const conditions = [{ type: 'Ready', status: isServing ? 'True' : 'False' }];
    const labels = { 'controller-revision-hash': which };
    const spec = { containers: [], nodeName: node };
    return [{ metadata: { name: `${node}-${which}`, labels }, spec, status: { conditions } }];
  };
  const entries = Object.entries(spots);
  const { create, delete: remove } = planUpdate({
    daemonSet: daemonSet({}, rollingUpdate),
    hash: 'new',
    pods: new Map(
      entries.map(([node, [, old, fresh]]) => [
        node,
        [...podOn(node, 'old', old), ...podOn(node, 'new', fresh)],
      ]),
    ),
    nodes: new Map(entries.map(([node, [shouldRun]]) => [node, { shouldRun, mayStay: true }])),
    now: 0,
  });
  return [create, remove.map(({ metadata }) => metadata.name)];
}

test('an update with a surge also clears nodes that get no new pod, when others serve', () => {
  const rows: [spots: Record<string, Spot>, create: string[], gone: string[]][] = [
    [{ a: [true, true, null], b: [false, false, null] }, ['a'], ['b-old']],
    [{ a: [true, true, null], b: [false, true, null] }, ['a'], ['b-old']],
    [{ a: [true, false, null], b: [false, true, null] }, ['a'], []],
    [{ a: [true, false, true], b: [false, true, null] }, [], ['a-old']],
    [{ a: [true, null, false], b: [false, true, null], c: [false, true, null] }, [], ['b-old']],
    [{ a: [true, true, false], b: [true, true, null] }, [], []],
  ];
  for (const [spots, create, gone] of rows)
    assert.deepEqual(
      updateOf(spots, { maxSurge: 1, maxUnavailable: 0 }),
      [create, gone],
      JSON.stringify(spots),
    );
});

test('old pods that serve nobody are replaced, and count as missing', () => {
  const rows: [spots: Record<string, Spot>, maxUnavailable: number, gone: string[]][] = [
    [{ a: [true, true, null], b: [true, true, null] }, 1, ['a-old']],
    [{ a: [true, true, null], b: [true, false, null] }, 1, ['b-old']],
    [{ a: [true, false, null], b: [true, false, null] }, 1, ['a-old', 'b-old']],
    [{ a: [true, true, null], b: [true, false, null] }, 2, ['b-old', 'a-old']],
    [{ a: [true, true, null], b: [true, null, false] }, 1, []],
    [{ a: [true, true, null], b: [true, null, true] }, 1, ['a-old']],
  ];
  for (const [spots, maxUnavailable, gone] of rows)
    assert.deepEqual(updateOf(spots, { maxUnavailable }), [[], gone], JSON.stringify(spots));
});

test('the oldest pod of a node is the one that was there, also within a second', () => {
  const podAt = (name: string, second: number, hash: string, nodeName?: string): Pod => ({
    metadata: {
      name,
      creationTimestamp: `2026-01-01T00:00:0${second}Z`,
      labels: { 'controller-revision-hash': hash },
    },
    spec: { containers: [], ...(nodeName !== undefined && { nodeName }) },
  });
  const rows: [pods: Pod[], oldest: string][] = [
    [[podAt('a', 2, 'old', 'n'), podAt('b', 1, 'old', 'n')], 'b'],
    [[podAt('a', 1, 'new', 'n'), podAt('b', 1, 'old', 'n')], 'b'],
    [[podAt('b', 1, 'old', 'n'), podAt('a', 1, 'old', 'n')], 'a'],
    [[podAt('a', 1, 'new', 'n'), podAt('b', 2, 'old', 'n')], 'a'],
    [[podAt('a', 1, 'old'), podAt('b', 2, 'new', 'n')], 'b'],
  ];
  for (const [pods, oldest] of rows) {
    const state = { daemonSet: daemonSet({}), hash: 'new', pods: new Map(), nodes: new Map() };
    const [first] = oldestFirst({ ...state, now: 0 }, pods);
    assert.equal(first?.metadata.name, oldest);
  }
});

/** A cluster in which pods become ready, fail and go at random. */
interface Simulated {
  readonly pods: Map<string, Pod[]>;
  made: number;
}
const podOf = (world: Simulated, hash: string, isReady: boolean): Pod =>
  ({
    metadata: {
      name: `p${world.made++}`,
      creationTimestamp: new Date(world.made * 1000).toISOString(),
      labels: { 'controller-revision-hash': hash },
    },
    spec: { containers: [], nodeName: 'set' },
    status: {
      phase: 'Running',
      conditions: [{ type: 'Ready', status: isReady ? 'True' : 'False' }],
    },
  }) as Pod;
const isReady = (pod: Pod) => pod.status?.conditions?.[0]?.status === 'True';
const serving = (world: Simulated) =>
  [...world.pods.values()].filter((pods) => pods.some(isReady)).length;

const bounds = fc.oneof(
  fc.record({ maxUnavailable: fc.integer({ min: 1, max: 4 }), maxSurge: fc.constant(0) }),
  fc.record({ maxUnavailable: fc.constant(0), maxSurge: fc.integer({ min: 1, max: 4 }) }),
);

test('an update keeps within its bounds and reaches every node', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 8 }),
      bounds,
      fc.array(fc.nat(7), { maxLength: 40 }),
      (count, rollingUpdate, readied) => {
        const of = daemonSet({}, rollingUpdate);
        const names = Array.from({ length: count }, (_, i) => `n${i}`);
        const world: Simulated = { pods: new Map(), made: 0 };
        for (const name of names) world.pods.set(name, [podOf(world, 'old', true)]);
        const state = (): DaemonNodes => ({
          daemonSet: of,
          hash: 'new',
          pods: new Map([...world.pods].filter(([, pods]) => pods.length > 0)),
          nodes: new Map(names.map((name) => [name, { shouldRun: true, mayStay: true }])),
          now: 0,
        });
        const { maxSurge, maxUnavailable } = updateBounds(state()) ?? {
          maxSurge: 0,
          maxUnavailable: 0,
        };
        const step = () => {
          const plan = planNodes(state());
          const isQuiet = plan.create.length + plan.delete.length === 0;
          const { create, delete: remove } = isQuiet ? planUpdate(state()) : plan;
          for (const name of create) world.pods.get(name)?.push(podOf(world, 'new', false));
          for (const [name, pods] of world.pods)
            world.pods.set(
              name,
              pods.filter((pod) => !remove.includes(pod)),
            );
          const doubled = [...world.pods.values()].filter((pods) => pods.length > 1).length;
          assert.ok(doubled <= maxSurge, `${doubled} nodes with two pods`);
          assert.ok(
            serving(world) >= count - maxUnavailable,
            `${serving(world)} of ${count} serve`,
          );
        };
        const ready = (name: string) =>
          world.pods.set(
            name,
            (world.pods.get(name) ?? []).map((pod) =>
              isReady(pod)
                ? pod
                : { ...pod, status: { conditions: [{ type: 'Ready', status: 'True' }] } },
            ),
          );
        for (const which of readied) {
          step();
          ready(names[which % count] ?? '');
        }
        for (let round = 0; round < 4 * count + 8; round++) {
          step();
          names.forEach(ready);
        }
        for (const [name, pods] of world.pods) {
          const hashes = pods.map(({ metadata }) => metadata.labels?.['controller-revision-hash']);
          assert.deepEqual(hashes, ['new'], name);
        }
      },
    ),
    { seed: 1, numRuns: 300 },
  );
});
