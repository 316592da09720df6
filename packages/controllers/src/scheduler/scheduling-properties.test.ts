import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSeededRandom, type Random } from '@keelson/apimachinery';
import type { Pod } from '@keelson/apimachinery/types/core.v1';
import {
  asking,
  createSchedulingCluster,
  testNode,
  testPod,
} from './testing/scheduling-cluster.ts';
import { summarizePod } from './snapshot/pod-summary.ts';

type Cluster = ReturnType<typeof createSchedulingCluster>;

const pick = (random: Random, max: number) => Math.floor(random.float() * max);

function randomPod(random: Random, i: number): Pod {
  const app = `app-${pick(random, 4)}`;
  const term = (topologyKey: string) => ({
    requiredDuringSchedulingIgnoredDuringExecution: [
      { topologyKey, labelSelector: { matchLabels: { app } } },
    ],
  });
  const extras = [
    {},
    {},
    { affinity: { podAntiAffinity: term('kubernetes.io/hostname') } },
    { affinity: { podAffinity: term('zone') } },
    {
      topologySpreadConstraints: [
        {
          maxSkew: 2,
          topologyKey: 'zone',
          whenUnsatisfiable: 'DoNotSchedule',
          labelSelector: { matchLabels: { app } },
        },
      ],
    },
    { nodeSelector: { zone: `z${pick(random, 3)}` } },
  ];
  const requests = { cpu: `${100 + pick(random, 15) * 100}m`, memory: `${pick(random, 2000)}Mi` };
  const ports =
    random.float() < 0.1 ? [{ containerPort: 1, hostPort: 8080 + pick(random, 2) }] : [];
  const containers = [{ name: 'c', image: 'app', resources: { requests }, ports }];
  return testPod(`p${i}`, { containers, ...extras[pick(random, extras.length)] }, { app });
}

/** What must hold on every node, recounted from the pods themselves. */
function checkNodes({ cluster }: Cluster): void {
  for (const node of cluster.nodes) {
    let milliCpu = 0;
    let memory = 0;
    const ports = new Set<string>();
    for (const pod of node.pods.values()) {
      milliCpu += pod.requests.milliCpu;
      memory += pod.requests.memory;
      for (const { port } of pod.hostPorts) {
        assert.ok(!ports.has(`${port}`), `port ${port} is used twice on ${node.name}`);
        ports.add(`${port}`);
      }
      for (const { selector } of pod.antiAffinity)
        for (const other of node.pods.values())
          assert.ok(
            other === pod || !selector.matches(other.labels),
            `${other.name} beside ${pod.name}`,
          );
    }
    assert.deepEqual([node.requested.milliCpu, node.requested.memory], [milliCpu, memory]);
    assert.ok(milliCpu <= node.allocatable.milliCpu && memory <= node.allocatable.memory);
    assert.ok(node.pods.size <= node.podsMax);
  }
}

for (let seed = 1; seed <= 8; seed++) {
  test(`no node is overcommitted and no rule broken, whatever comes and goes (seed ${seed})`, () => {
    const random = createSeededRandom(seed);
    const cluster = createSchedulingCluster({ seed });
    for (let i = 0; i < 12; i++)
      cluster.cluster.putNode(testNode(`n${i}`, { labels: { zone: `z${i % 3}` } }));
    const there = new Set<string>();
    for (let i = 0; i < 250; i++) {
      const pod = randomPod(random, i);
      const result = cluster.schedule(pod);
      if (result.kind === 'node') {
        cluster.cluster.assume(summarizePod(pod), result.node.name);
        there.add(`uid-p${i}`);
      }
      // Some leave, some are confirmed by the server, now and then a node is new again.
      const [oldest] = there;
      if (random.float() < 0.3 && oldest !== undefined) {
        cluster.cluster.removePod(oldest);
        there.delete(oldest);
      }
      if (random.float() < 0.05)
        cluster.cluster.putNode(testNode(`n${i % 12}`, { labels: { zone: `z${i % 3}` } }));
    }
    for (const uid of there) assert.ok(cluster.cluster.nodeOf(uid) !== undefined, `${uid} is lost`);
    checkNodes(cluster);
    for (const uid of there) cluster.cluster.removePod(uid);
    for (const { requested, pods, ports, nonZeroMilliCpu } of cluster.cluster.nodes) {
      assert.deepEqual([pods.size, ports.size, nonZeroMilliCpu], [0, 0, 0]);
      assert.deepEqual(
        { ...requested, scalars: requested.scalars.size },
        { milliCpu: 0, memory: 0, ephemeralStorage: 0, scalars: 0 },
      );
    }
  });
}

test('a thousand pods at once are counted exactly, and not one more fits', () => {
  const cluster = createSchedulingCluster();
  const allocatable = { cpu: '10', memory: '10Gi', pods: '200' };
  for (let i = 0; i < 10; i++)
    cluster.cluster.putNode(testNode(`n${i}`, { status: { allocatable } }));
  const pods = Array.from({ length: 1_001 }, (_, i) => testPod(`p${i}`, asking({ cpu: '100m' })));
  const results = pods.map((pod) => cluster.place(pod));
  const refused = results.filter((text) => text.startsWith('0/10'));
  assert.equal(refused.length, 1);
  assert.match(refused[0] ?? '', /: 10 Insufficient cpu\. /);
  for (const { requested } of cluster.cluster.nodes) assert.equal(requested.milliCpu, 10_000);
});

test('counts that are followed are those that would be counted anew', () => {
  const random = createSeededRandom(3);
  const cluster = createSchedulingCluster();
  for (let i = 0; i < 6; i++)
    cluster.cluster.putNode(testNode(`n${i}`, { labels: { zone: `z${i % 2}` } }));
  const question = {
    key: 'web',
    topologyKey: 'zone',
    weigh: ({ labels }: { labels: Readonly<Record<string, string>> }) =>
      labels['app'] === 'app-1' ? 1 : 0,
  };
  const { groups } = cluster.cluster;
  const followed = () => [...groups.group(question).byValue].toSorted();
  for (let i = 0; i < 100; i++) {
    cluster.place(randomPod(random, i));
    if (i % 3 === 0) cluster.cluster.removePod(`uid-p${pick(random, i + 1)}`);
    if (i === 50) cluster.cluster.removeNode('n5');
    const before = followed();
    groups.forget();
    assert.deepEqual(before, followed());
  }
});
