import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Node, Pod } from '@keelson/apimachinery/types/core.v1';
import {
  asking,
  createSchedulingCluster,
  testNode,
  testPod,
  type ClusterObjects,
} from '../testing/scheduling-cluster.ts';
import { explainScheduling } from './scheduling-explainer.ts';

const hostname = 'kubernetes.io/hostname';
const near = (app: string, topologyKey = hostname) => ({
  requiredDuringSchedulingIgnoredDuringExecution: [
    { topologyKey, labelSelector: { matchLabels: { app } } },
  ],
});
const taint = (key: string, value = '') => ({
  key,
  effect: 'NoSchedule',
  ...(value !== '' && { value }),
});
const spread = {
  maxSkew: 1,
  topologyKey: 'zone',
  whenUnsatisfiable: 'DoNotSchedule',
  labelSelector: { matchLabels: { app: 'web' } },
};
const required = (...matchExpressions: object[]) => ({
  affinity: {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions }] },
    },
  },
});
const onPort = (hostPort: number) => ({
  containers: [{ name: 'c', image: 'app', ports: [{ containerPort: 1, hostPort }] }],
});

interface Row {
  readonly what: string;
  readonly pod: Pod;
  readonly nodes?: readonly Node[];
  readonly there?: readonly (readonly [pod: Pod, node: string])[];
  readonly objects?: ClusterObjects;
  /** `node: change; change` */
  readonly smallest: readonly string[];
}

const rows: readonly Row[] = [
  {
    what: 'one taint',
    pod: testPod('p'),
    nodes: [testNode('a', { spec: { taints: [taint('gpu', 'yes')] } })],
    smallest: [
      'a: remove the taint gpu=yes:NoSchedule from node a',
      'a: add a toleration of the taint gpu=yes:NoSchedule',
    ],
  },
  {
    what: 'two taints need two changes, and a node with one fewer is told of alone',
    pod: testPod('p'),
    nodes: [
      testNode('a', { spec: { taints: [taint('x'), taint('y')] } }),
      testNode('b', { spec: { taints: [taint('z')] } }),
    ],
    smallest: [
      'b: remove the taint z:NoSchedule from node b',
      'b: add a toleration of the taint z:NoSchedule',
    ],
  },
  {
    what: 'two things at once',
    pod: testPod('p', { nodeSelector: { disk: 'ssd' } }),
    nodes: [testNode('a', { spec: { unschedulable: true } })],
    smallest: [
      'a: uncordon node a; add the label disk=ssd on node a',
      'a: uncordon node a; ask for no node with the label disk=ssd',
    ],
  },
  {
    what: 'a little too much cpu',
    pod: testPod('p', asking({ cpu: '2200m' })),
    there: [
      [testPod('small', asking({ cpu: '100m' })), 'a'],
      [testPod('large', asking({ cpu: '1900m' })), 'a'],
    ],
    smallest: [
      'a: lower the request of cpu by 200m, to 2',
      'a: give node a 200m more cpu (it has 4)',
      'a: let pod n/large leave: it requests 1900m of cpu',
    ],
  },
  {
    what: 'more memory than any node has',
    pod: testPod('p', asking({ memory: '9Gi' })),
    smallest: [
      'a: lower the request of memory by 1Gi, to 8Gi',
      'a: give node a 1Gi more memory (it has 8Gi)',
    ],
  },
  {
    what: 'a resource that the node does not have at all',
    pod: testPod('p', asking({ 'example.com/gpu': '1' })),
    smallest: ['a: give node a 1 more example.com/gpu (it has 0)'],
  },
  {
    what: 'a label of an affinity',
    pod: testPod('p', required({ key: 'size', operator: 'Gt', values: ['3'] })),
    smallest: ['a: add the label size=4 on node a', 'a: require no node affinity'],
  },
  {
    what: 'labels of an affinity that must go and come',
    pod: testPod(
      'p',
      required(
        { key: 'old', operator: 'DoesNotExist' },
        { key: 'zone', operator: 'In', values: ['z'] },
      ),
    ),
    nodes: [testNode('a', { labels: { old: '', zone: 'y' } })],
    smallest: [
      'a: remove the label old, change the label zone=z on node a',
      'a: require no node affinity',
    ],
  },
  {
    what: 'a port that somebody has',
    pod: testPod('p', onPort(80)),
    there: [[testPod('holder', onPort(80)), 'a']],
    smallest: ['a: let pod n/holder leave: it has host port 80', 'a: ask for no host port 80'],
  },
  {
    what: 'a gate',
    pod: testPod('p', { schedulingGates: [{ name: 'example.com/wait' }] }),
    smallest: ['a: remove the scheduling gate example.com/wait'],
  },
  {
    what: 'anti-affinity of its own: both of the others would have to leave',
    pod: testPod('p', { affinity: { podAntiAffinity: near('web') } }),
    there: [
      [testPod('one', {}, { app: 'web' }), 'a'],
      [testPod('two', {}, { app: 'web' }), 'a'],
    ],
    smallest: [`a: require no pod anti-affinity by ${hostname}`],
  },
  {
    what: 'anti-affinity of another',
    pod: testPod('p', {}, { app: 'web' }),
    there: [[testPod('shy', { affinity: { podAntiAffinity: near('web') } }), 'a']],
    smallest: ['a: let pod n/shy leave: it wants no such pod near it'],
  },
  {
    what: 'affinity to nobody',
    pod: testPod('p', { affinity: { podAffinity: near('db') } }),
    smallest: [`a: require no pod affinity by ${hostname}`],
  },
  {
    what: 'a skew: raised only as far as it must be',
    pod: testPod('p', { topologySpreadConstraints: [spread] }, { app: 'web' }),
    nodes: [
      testNode('a', { labels: { zone: 'x' } }),
      testNode('b', { labels: { zone: 'y' }, spec: { unschedulable: true } }),
    ],
    there: [
      [testPod('one', {}, { app: 'web' }), 'a'],
      [testPod('two', {}, { app: 'web' }), 'a'],
    ],
    smallest: [
      'a: raise maxSkew by zone from 1 to 3',
      'a: only prefer to be spread by zone (ScheduleAnyway)',
      'b: uncordon node b',
    ],
  },
  {
    what: 'a claim that is not there',
    pod: testPod('p', { volumes: [{ name: 'd', persistentVolumeClaim: { claimName: 'c' } }] }),
    smallest: ['a: leave out the volume d'],
  },
  {
    what: 'nothing can be done about more than four things',
    pod: testPod('p'),
    nodes: [
      testNode('a', { spec: { taints: ['v', 'w', 'x', 'y', 'z'].map((key) => taint(key)) } }),
    ],
    smallest: [],
  },
];

function setUp({ nodes = [testNode('a')], there = [], objects = {} }: Partial<Row>) {
  const live = createSchedulingCluster(objects);
  for (const node of nodes) live.cluster.putNode(node);
  for (const [pod, node] of there) live.put(pod, node);
  const explain = (pod: Pod) =>
    explainScheduling(
      {
        cluster: live.cluster,
        openCore: () => createSchedulingCluster(objects),
        isOwn: ({ spec }) => spec.schedulerName !== 'other',
      },
      pod,
    );
  return { live, explain };
}

for (const { what, pod, smallest, ...cluster } of rows) {
  test(`the smallest change: ${what}`, async () => {
    const { live, explain } = setUp(cluster);
    const before = JSON.stringify(live.cluster.nodes.map(({ node, pods }) => [node, pods.size]));
    const explanation = await explain(pod);
    assert.equal(explanation.outcome, 'unschedulable');
    const found = explanation.smallest.map(
      ({ node, changes }) => `${node}: ${changes.map(({ text }) => text).join('; ')}`,
    );
    assert.deepEqual(found, smallest);
    // The cluster that decides has seen nothing of it.
    const after = JSON.stringify(live.cluster.nodes.map(({ node, pods }) => [node, pods.size]));
    assert.equal(after, before);
    assert.equal(live.schedule(pod).kind === 'node', pod.spec.schedulingGates !== undefined);
  });
}

test('each node says which filter refuses, in its words', async () => {
  const { explain } = setUp({
    nodes: [
      testNode('a', { spec: { unschedulable: true } }),
      testNode('b', { spec: { taints: [taint('x')] } }),
      testNode('c'),
    ],
  });
  const explanation = await explain(testPod('p', asking({ cpu: '5', memory: '9Gi' })));
  assert.deepEqual(
    explanation.nodes.map(({ node, plugin, reasons }) => [node, plugin, ...reasons]),
    [
      ['a', 'NodeUnschedulable', 'node(s) were unschedulable'],
      ['b', 'TaintToleration', 'node(s) had untolerated taint(s)'],
      ['c', 'NodeResourcesFit', 'Insufficient cpu', 'Insufficient memory'],
    ],
  );
  assert.match(
    explanation.message,
    /^0\/3 nodes are available: 1 Insufficient cpu, 1 Insufficient/,
  );
});

test('a pod that would be placed, is placed, is not ours, and one without nodes', async () => {
  const { explain } = setUp({});
  const told = async (pod: Pod, of = explain) => {
    const { outcome, message } = await of(pod);
    return [outcome, message];
  };
  assert.deepEqual(await told(testPod('p')), ['schedulable', '1 of 1 nodes would take the pod']);
  assert.deepEqual(await told(testPod('p', { nodeName: 'x' })), ['placed', 'the pod is on node x']);
  assert.deepEqual(await told(testPod('p', { schedulerName: 'other' })), [
    'foreign',
    'the pod is for the scheduler other',
  ]);
  assert.deepEqual(await told(testPod('p'), setUp({ nodes: [] }).explain), [
    'unschedulable',
    'no nodes available to schedule pods',
  ]);
});

test('of many nodes only so many are told of', async () => {
  const nodes = Array.from({ length: 501 }, (_, i) => testNode(`n${i}`));
  const explanation = await setUp({ nodes }).explain(testPod('p', asking({ cpu: '5' })));
  assert.deepEqual([explanation.nodes.length, explanation.nodesLeftOut], [500, 1]);
  const repaired = explanation.nodes.filter(({ remedies }) => remedies.length > 0);
  assert.equal(repaired.length, 50);
});
