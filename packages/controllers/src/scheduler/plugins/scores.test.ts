import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Node, Pod } from '@keelson/apimachinery/types/core.v1';
import type { SchedulerPlugin } from '../framework.ts';
import { createClusterState } from '../snapshot/cluster-state.ts';
import { summarizePod } from '../snapshot/pod-summary.ts';
import { asking, testNode, testPod } from '../testing/scheduling-cluster.ts';
import { createImageLocality } from './image-locality.ts';
import { createInterPodAffinity } from './inter-pod-affinity.ts';
import { createNodeAffinity } from './node-affinity.ts';
import { createNodeResourcesBalancedAllocation } from './node-resources-balanced-allocation.ts';
import { createNodeResourcesFit } from './node-resources-fit.ts';
import { createPodTopologySpread } from './pod-topology-spread.ts';
import { createTaintToleration } from './taint-toleration.ts';

interface Row {
  readonly what: string;
  readonly nodes: readonly Node[];
  readonly there?: readonly (readonly [node: string, pod: Pod])[];
  readonly pod: Pod;
  /** In the order of the nodes; undefined: the plugin says nothing. */
  readonly expected: readonly number[] | undefined;
  /** Of the nodes, those that take the pod; absent: all. */
  readonly among?: readonly string[];
}

function scoresOf(plugin: SchedulerPlugin, { nodes, there = [], pod, among }: Row) {
  const cluster = createClusterState();
  for (const node of nodes) cluster.putNode(node);
  for (const [name, other] of there) cluster.putPod(summarizePod(other), name);
  const takers = cluster.nodes.filter(({ name }) => among?.includes(name) !== false);
  const scores = plugin.score?.(summarizePod(pod), takers, cluster);
  return scores && [...scores];
}

function check(plugin: SchedulerPlugin, rows: readonly Row[]): void {
  for (const row of rows)
    test(`${plugin.name}: ${row.what}`, () =>
      assert.deepEqual(scoresOf(plugin, row), row.expected));
}

const sized = (name: string, cpu: string, memory: string, more: object = {}) =>
  testNode(name, { status: { allocatable: { cpu, memory, pods: '110', ...more } } });
const zoned = (name: string, zone?: string) =>
  testNode(name, { labels: zone === undefined ? {} : { zone } });
const user = (name: string, requests: Record<string, string>) => testPod(name, asking(requests));

check(createNodeResourcesFit(), [
  {
    what: 'the emptier node is better, by cpu and memory alike',
    nodes: [sized('a', '4', '10000'), sized('b', '6', '10000')],
    pod: user('p', { cpu: '3', memory: '5000' }),
    expected: [37, 50],
  },
  {
    what: 'who asks for nothing counts a little',
    nodes: [sized('a', '1', '2000Mi'), sized('b', '10', '2000Mi')],
    pod: testPod('p'),
    expected: [90, 94],
  },
  {
    what: 'an init container that asks for more than all others is what counts',
    nodes: [sized('a', '1', '1000Mi')],
    pod: testPod('p', {
      containers: [{ name: 'c' }],
      initContainers: [{ name: 'i', resources: { requests: { cpu: '500m', memory: '100Mi' } } }],
    }),
    expected: [65],
  },
  {
    what: 'a node without what is counted counts for the rest, and one with nothing for none',
    nodes: [sized('a', '0', '1000'), sized('b', '0', '0')],
    pod: user('p', { cpu: '0', memory: '250' }),
    expected: [75, 0],
  },
]);

check(createNodeResourcesBalancedAllocation(), [
  {
    what: 'a pod that uses an empty node evenly changes nothing, an uneven one costs',
    nodes: [sized('a', '4', '10000'), sized('b', '6', '10000')],
    pod: user('p', { cpu: '3', memory: '5000' }),
    expected: [68, 75],
  },
  {
    what: 'a pod that makes an uneven node even gains',
    nodes: [sized('a', '10', '10000'), sized('b', '10', '10000')],
    there: [['a', user('there', { memory: '8000' })]],
    pod: user('p', { cpu: '8' }),
    expected: [95, 55],
  },
  {
    what: 'more than there is counts as all',
    nodes: [sized('a', '1', '1000')],
    there: [['a', user('there', { cpu: '2', memory: '2000' })]],
    pod: user('p', { cpu: '1' }),
    expected: [75],
  },
  {
    what: 'a pod that asks for nothing balances nothing',
    nodes: [sized('a', '4', '10000')],
    pod: testPod('p'),
    expected: undefined,
  },
]);

const preferring = (...terms: [weight: number, key: string, value: string][]) =>
  testPod('p', {
    affinity: {
      nodeAffinity: {
        preferredDuringSchedulingIgnoredDuringExecution: terms.map(([weight, key, value]) => ({
          weight,
          preference: {
            matchExpressions: key === '' ? [] : [{ key, operator: 'In', values: [value] }],
          },
        })),
      },
    },
  });

check(createNodeAffinity(), [
  {
    what: 'weights of what a node fulfils are summed, and the best is a hundred',
    nodes: [
      testNode('a', { labels: { zone: 'x', disk: 'ssd' } }),
      testNode('b', { labels: { zone: 'x' } }),
      testNode('c'),
    ],
    pod: preferring([6, 'zone', 'x'], [2, 'disk', 'ssd']),
    expected: [100, 75, 0],
  },
  {
    what: 'an empty preference is none',
    nodes: [zoned('a', 'x'), zoned('b')],
    pod: preferring([90, '', ''], [10, 'zone', 'x']),
    expected: [100, 0],
  },
  {
    what: 'who prefers nothing says nothing',
    nodes: [zoned('a', 'x'), zoned('b')],
    pod: testPod('p'),
    expected: undefined,
  },
]);

const tainted = (name: string, ...effects: string[]) =>
  testNode(name, {
    spec: { taints: effects.map((effect, i) => ({ key: `k${i}`, value: 'v', effect })) },
  });

check(createTaintToleration(), [
  {
    what: 'the more taints a pod does not bear, the worse',
    nodes: [
      tainted('a'),
      tainted('b', 'PreferNoSchedule'),
      tainted('c', 'PreferNoSchedule', 'PreferNoSchedule'),
    ],
    pod: testPod('p'),
    expected: [100, 50, 0],
  },
  {
    what: 'a toleration of another effect does not help, one of any effect does',
    nodes: [tainted('a', 'PreferNoSchedule', 'PreferNoSchedule'), tainted('b')],
    pod: testPod('p', {
      tolerations: [
        { key: 'k0', operator: 'Exists', effect: 'NoSchedule' },
        { key: 'k1', operator: 'Exists' },
      ],
    }),
    expected: [0, 100],
  },
  {
    what: 'taints that keep pods off do not count again',
    nodes: [tainted('a', 'NoSchedule'), tainted('b')],
    pod: testPod('p'),
    expected: undefined,
  },
]);

const holding = (name: string, images: Record<string, number>) =>
  testNode(name, {
    status: {
      images: Object.entries(images).map(([image, megabytes]) => ({
        names: [image],
        sizeBytes: megabytes * 1024 * 1024,
      })),
    },
  });
const imageVolume = { name: 'v', image: { reference: 'model:1' } };

check(createImageLocality(), [
  {
    what: 'large images that are there already count, by how many nodes have them',
    nodes: [
      holding('a', { 'gcr.io/40': 40, 'app:latest': 300 }),
      holding('b', { 'app:latest': 10 }),
    ],
    pod: testPod('p', { containers: [{ name: 'c', image: 'app' }] }),
    expected: [28, 0],
  },
  {
    what: 'images of init containers and image volumes count as well',
    nodes: [holding('a', { 'i:1': 1_000 }), holding('b', { 'model:1': 2_000 }), testNode('c')],
    pod: testPod('p', {
      containers: [{ name: 'c', image: 'app' }],
      initContainers: [{ name: 'i', image: 'i:1' }],
      volumes: [imageVolume],
    }),
    expected: [10, 21, 0],
  },
  {
    what: 'images that nobody has say nothing',
    nodes: [testNode('a')],
    pod: testPod('p'),
    expected: undefined,
  },
]);

const near = (app: string, topologyKey: string) => ({
  topologyKey,
  labelSelector: { matchLabels: { app } },
});
const wishing = (kind: 'podAffinity' | 'podAntiAffinity', weight: number, app: string): object => ({
  affinity: {
    [kind]: {
      preferredDuringSchedulingIgnoredDuringExecution: [
        { weight, podAffinityTerm: near(app, 'zone') },
      ],
    },
  },
});
const needing = (app: string): object => ({
  affinity: {
    podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [near(app, 'zone')] },
  },
});
const labelled = (name: string, app: string, spec: object = {}) => testPod(name, spec, { app });
const affinity = createInterPodAffinity({ namespaceLabels: () => ({}) });

check(affinity, [
  {
    what: 'nodes near those that the pod wishes for are better, by weight',
    nodes: [zoned('a', 'x'), zoned('b', 'y'), zoned('c')],
    there: [['a', labelled('s1', 'web')]],
    pod: testPod('p', wishing('podAffinity', 5, 'web')),
    expected: [100, 0, 0],
  },
  {
    what: 'nodes near those that the pod avoids are worse',
    nodes: [zoned('a', 'x'), zoned('b', 'y')],
    there: [['a', labelled('s1', 'web')]],
    pod: testPod('p', wishing('podAntiAffinity', 5, 'web')),
    expected: [0, 100],
  },
  {
    what: 'those that are there wish, too, and what they need counts once',
    nodes: [zoned('a', 'x'), zoned('b', 'y'), zoned('c', 'z')],
    there: [
      ['a', labelled('wisher', 'other', wishing('podAffinity', 4, 'web'))],
      ['b', labelled('needer', 'other', needing('web'))],
      ['c', labelled('avoider', 'other', wishing('podAntiAffinity', 1, 'web'))],
    ],
    pod: labelled('p', 'web'),
    expected: [100, 40, 0],
  },
  {
    what: 'where all are worth the same, nothing is said',
    nodes: [zoned('a', 'x'), zoned('b', 'x')],
    there: [['a', labelled('s1', 'web')]],
    pod: testPod('p', wishing('podAffinity', 5, 'web')),
    expected: undefined,
  },
]);
test('InterPodAffinity: wishes of others do not count where the profile says so', () => {
  const args = { hardPodAffinityWeight: 1, ignorePreferredTermsOfExistingPods: true };
  const plugin = createInterPodAffinity({ namespaceLabels: () => ({}) }, args);
  const there = [['a', labelled('wisher', 'other', wishing('podAffinity', 4, 'web'))]] as const;
  const nodes = [zoned('a', 'x'), zoned('b', 'y')];
  const row = { what: '', nodes, there, pod: labelled('p', 'web'), expected: undefined };
  assert.equal(scoresOf(plugin, row), undefined);
});

const noOwners = {
  services: () => [],
  replicaSet: () => undefined,
  replicationController: () => undefined,
  statefulSet: () => undefined,
};
const spreading = (...constraints: object[]) =>
  labelled('p', 'web', {
    topologySpreadConstraints: constraints.map((constraint) => ({
      maxSkew: 1,
      whenUnsatisfiable: 'ScheduleAnyway',
      labelSelector: { matchLabels: { app: 'web' } },
      ...constraint,
    })),
  });
const web = (count: number, node: string) =>
  Array.from({ length: count }, (_, i) => [node, labelled(`${node}-${i}`, 'web')] as const);
const hostname = 'kubernetes.io/hostname';
const plainNodes = ['a', 'b', 'c', 'd'].map((name) => testNode(name));

check(createPodTopologySpread(noOwners), [
  {
    what: 'where nobody is yet, all nodes are the same',
    nodes: plainNodes.slice(0, 2),
    pod: spreading({ topologyKey: hostname }),
    expected: [100, 100],
  },
  {
    what: 'the more are there, the worse',
    nodes: plainNodes,
    there: [...web(2, 'a'), ...web(1, 'b'), ...web(3, 'd')],
    pod: spreading({ topologyKey: hostname }),
    expected: [20, 60, 100, 0],
  },
  {
    what: 'pods count on nodes that do not take the pod, in topologies that do',
    nodes: [zoned('a', 'x'), zoned('b', 'x'), zoned('c', 'y')],
    there: [...web(2, 'b'), ...web(1, 'c')],
    among: ['a', 'c'],
    pod: spreading({ topologyKey: 'zone' }),
    expected: [33, 100],
  },
  {
    what: 'a node without one of the labels is worth nothing, and its pods do not count',
    nodes: [
      zoned('a', 'x'),
      zoned('b', 'y'),
      testNode('c', { labels: { zone: 'x', [hostname]: '' } }),
    ].map((node) => (node.metadata.name === 'c' ? withoutHostname(node) : node)),
    there: [...web(5, 'c'), ...web(1, 'b')],
    pod: spreading({ topologyKey: 'zone' }, { topologyKey: hostname }),
    expected: [100, 0, 0],
  },
  {
    what: 'pods that are going and those of other namespaces do not count',
    nodes: plainNodes.slice(0, 2),
    there: [
      ['a', going(labelled('going', 'web'))],
      ['a', elsewhere(labelled('elsewhere', 'web'))],
      ['b', labelled('stays', 'web')],
    ],
    pod: spreading({ topologyKey: hostname }),
    expected: [100, 0],
  },
  {
    what: 'only nodes of the pod count, unless the constraint says otherwise',
    nodes: [zoned('a', 'x'), zoned('b', 'y')],
    there: [...web(1, 'a')],
    pod: testPod('p', {}, { app: 'web' }),
    expected: undefined,
  },
]);

function withoutHostname(node: Node): Node {
  return { ...node, metadata: { ...node.metadata, labels: { zone: 'x' } } };
}
function going(pod: Pod): Pod {
  return { ...pod, metadata: { ...pod.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } };
}
function elsewhere(pod: Pod): Pod {
  return { ...pod, metadata: { ...pod.metadata, namespace: 'other' } };
}

test('PodTopologySpread: the usual constraints count a missing zone as one', () => {
  const service = { metadata: { name: 's', namespace: 'n' }, spec: { selector: { app: 'web' } } };
  const plugin = createPodTopologySpread({ ...noOwners, services: () => [service] });
  const zone = (name: string, value?: string) =>
    testNode(name, {
      labels: value === undefined ? {} : { 'topology.kubernetes.io/zone': value },
    });
  const row = {
    what: '',
    nodes: [zone('a', 'x'), zone('b', 'y'), zone('c')],
    there: web(3, 'a'),
    pod: labelled('p', 'web'),
    expected: undefined,
  };
  // a: 3·ln 5 + 2 by host and 3·ln 5 + 4 by zone; b: 2 and 4; c: 2 by host alone.
  assert.deepEqual(scoresOf(plugin, row), [12, 75, 100]);
});
