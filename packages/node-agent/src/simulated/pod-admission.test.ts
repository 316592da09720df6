import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Node, Pod, PodSpec } from '@keelson/apimachinery/types/core.v1';
import { refusalOf } from './pod-admission.ts';

const node: Node = {
  metadata: { name: 'n', labels: { zone: 'a', 'kubernetes.io/os': 'linux' } },
  spec: {
    taints: [
      { key: 'gone', effect: 'NoExecute' },
      { key: 'few', effect: 'NoSchedule' },
    ],
  },
  status: {
    allocatable: { cpu: '2', memory: '1Gi', pods: '3', 'example.com/disk': '1' },
    nodeInfo: { operatingSystem: 'linux' } as NonNullable<Node['status']>['nodeInfo'],
  },
};

const tolerations = [{ key: 'gone', operator: 'Exists' }];

type Requests = Readonly<Record<string, string>>;

function podAsking(requests: Requests, spec: Partial<PodSpec> = {}): Pod {
  return {
    metadata: {},
    spec: { containers: [{ name: 'main', resources: { requests } }], tolerations, ...spec },
  };
}
function withHostPort(hostPort: number, hostIP?: string): Pod {
  const port = { containerPort: 80, hostPort, ...(hostIP !== undefined && { hostIP }) };
  return podAsking({}, { containers: [{ name: 'main', ports: [port] }] });
}

const affinityTo = (key: string, ...values: readonly string[]) => ({
  nodeAffinity: {
    requiredDuringSchedulingIgnoredDuringExecution: {
      nodeSelectorTerms: [{ matchExpressions: [{ key, operator: 'In', values: [...values] }] }],
    },
  },
});
const labelled = (pod: Pod, labels: Record<string, string>): Pod => ({
  ...pod,
  metadata: { labels },
});

const initOf = (name: string, cpu: string, restartPolicy?: string) => ({
  name,
  resources: { requests: { cpu } },
  ...(restartPolicy !== undefined && { restartPolicy }),
});

const half = podAsking({ cpu: '1', memory: '512Mi' });

const taken: readonly [why: string, pod: Pod, others: readonly Pod[]][] = [
  ['asks for nothing', podAsking({}), []],
  ['asks for all there is', podAsking({ cpu: '2', memory: '1Gi', 'example.com/disk': '1' }), []],
  ['asks for what is left', half, [half]],
  ['asks for nothing of what is not there', podAsking({ 'example.com/gpu': '0' }), []],
  ['is the last of three', podAsking({}), [podAsking({}), podAsking({})]],
  ['starts before it runs', podAsking({ cpu: '2' }, { initContainers: [initOf('a', '2')] }), []],
  ['selects the zone', podAsking({}, { nodeSelector: { zone: 'a' } }), []],
  ['has an affinity to the zone', podAsking({}, { affinity: affinityTo('zone', 'a', 'b') }), []],
  ['is made for its system', podAsking({}, { os: { name: 'linux' } }), []],
  ['has a port at another address', withHostPort(80, '10.0.0.1'), [withHostPort(80, '10.0.0.2')]],
];

for (const [why, pod, others] of taken)
  test(`a pod that ${why} is taken`, () => {
    assert.equal(refusalOf(pod, node, others), undefined);
  });

const refused: readonly [reason: string, why: string, pod: Pod, others: readonly Pod[]][] = [
  [
    'OutOfcpu',
    "Node didn't have enough resource: cpu, requested: 1500, used: 1000, capacity: 2000",
    podAsking({ cpu: '1500m' }),
    [half],
  ],
  [
    'OutOfcpu',
    "Node didn't have enough resource: cpu, requested: 2500, used: 0, capacity: 2000",
    podAsking({ cpu: '2' }, { overhead: { cpu: '500m' } }),
    [],
  ],
  [
    'OutOfcpu',
    "Node didn't have enough resource: cpu, requested: 3000, used: 0, capacity: 2000",
    podAsking({ cpu: '2' }, { initContainers: [initOf('sidecar', '1', 'Always')] }),
    [],
  ],
  [
    'OutOfmemory',
    "Node didn't have enough resource: memory, requested: 2147483648, used: 0, capacity: 1073741824",
    podAsking({ memory: '1Gi' }, { resources: { requests: { memory: '2Gi' } } }),
    [],
  ],
  [
    'OutOfexample.com/gpu',
    "Node didn't have enough resource: example.com/gpu, requested: 1, used: 0, capacity: 0",
    podAsking({ 'example.com/gpu': '1' }),
    [],
  ],
  [
    'OutOfpods',
    "Node didn't have enough resource: pods, requested: 1, used: 3, capacity: 3",
    podAsking({}),
    [podAsking({}), podAsking({}), podAsking({})],
  ],
  [
    'NodeAffinity',
    "Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector",
    podAsking({}, { nodeSelector: { zone: 'b' } }),
    [],
  ],
  [
    'NodePorts',
    "Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports",
    withHostPort(80),
    [withHostPort(80)],
  ],
  [
    'NodeAffinity',
    "Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector",
    podAsking({}, { affinity: affinityTo('zone', 'b') }),
    [],
  ],
  [
    'TaintToleration',
    "Predicate TaintToleration failed: node(s) had taints that the pod didn't tolerate",
    podAsking({}, { tolerations: [] }),
    [],
  ],
  [
    'PodOSNotSupported',
    "Failed to admit pod as the OS field doesn't match node OS",
    podAsking({}, { os: { name: 'windows' } }),
    [],
  ],
  [
    'PodOSSelectorNodeLabelDoesNotMatch',
    "Failed to admit pod as the `kubernetes.io/os` label doesn't match node label",
    labelled(podAsking({}), { 'kubernetes.io/os': 'windows' }),
    [],
  ],
];

for (const [reason, why, pod, others] of refused)
  test(`${reason}: ${why}`, () => {
    assert.deepEqual(refusalOf(pod, node, others), { reason, message: why });
  });

test('a node that shuts down takes nothing', () => {
  const annotations = { 'keelson.dev/simulate': 'shutdown' };
  const leaving = { ...node, metadata: { ...node.metadata, annotations } };
  assert.deepEqual(refusalOf(podAsking({}), leaving, []), {
    reason: 'NodeShutdown',
    message: 'Pod was rejected as the node is shutting down.',
  });
});

const bearing = { key: 'node.kubernetes.io/memory-pressure', operator: 'Exists' };
const pressures: readonly [pressures: readonly string[], why: string, pod: Pod, taken: boolean][] =
  [
    [['MemoryPressure'], 'asks for nothing', podAsking({}), false],
    [['MemoryPressure'], 'asks for memory', podAsking({ memory: '1Mi' }), true],
    [
      ['MemoryPressure'],
      'bears it',
      podAsking({}, { tolerations: [...tolerations, bearing] }),
      true,
    ],
    [['DiskPressure'], 'asks for memory', podAsking({ memory: '1Mi' }), false],
    [['MemoryPressure', 'PIDPressure'], 'asks for memory', podAsking({ memory: '1Mi' }), false],
    [['DiskPressure'], 'is critical', podAsking({}, { priority: 2_000_000_000 }), true],
  ];

for (const [types, why, pod, isTaken] of pressures)
  test(`with ${types.join(' and ')} a pod that ${why} is ${isTaken ? 'taken' : 'refused'}`, () => {
    const conditions = types.map((type) => ({ type, status: 'True' }));
    const pressed = { ...node, status: { ...node.status, conditions } };
    const message = `The node had condition: [${types.join(' ')}]. `;
    const wanted = isTaken ? undefined : { reason: 'Evicted', message };
    assert.deepEqual(refusalOf(pod, pressed, []), wanted);
  });
