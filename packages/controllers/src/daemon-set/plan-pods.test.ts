import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { DaemonSet } from '@keelson/apimachinery/types/apps.v1';
import type { Node, Pod, Taint, Toleration } from '@keelson/apimachinery/types/core.v1';
import { tolerationsOf } from './daemon-pod.ts';
import { eligibilityOf } from './eligible-nodes.ts';
import { planNodes, planUpdate, updateBounds, type DaemonNodes } from './plan-pods.ts';

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

test('a toleration of the template that every daemon has is not there twice', () => {
  const own: Toleration = {
    key: 'node.kubernetes.io/not-ready',
    operator: 'Exists',
    effect: 'NoExecute',
  };
  const keys = tolerationsOf({ containers: [], tolerations: [own] }).map(({ key }) => key);
  assert.equal(new Set(keys).size, keys.length);
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
