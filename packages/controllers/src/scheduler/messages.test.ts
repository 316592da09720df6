import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSeededRandom } from '@keelson/apimachinery';
import type { Node, Pod } from '@keelson/apimachinery/types/core.v1';
import { rejection, type SchedulerPlugin } from './framework.ts';
import { createSchedulingCycle } from './scheduling-cycle.ts';
import { summarizePod } from './snapshot/pod-summary.ts';
import {
  asking,
  createSchedulingCluster,
  testNode,
  testPod,
  type ClusterObjects,
} from './testing/scheduling-cluster.ts';

const near = (topologyKey: string, app: string) => ({
  requiredDuringSchedulingIgnoredDuringExecution: [
    { topologyKey, labelSelector: { matchLabels: { app } } },
  ],
});
const hostname = 'kubernetes.io/hostname';
const spread = {
  maxSkew: 1,
  topologyKey: 'zone',
  whenUnsatisfiable: 'DoNotSchedule',
  labelSelector: { matchLabels: { app: 'web' } },
};
const named = (...values: string[]) => ({
  affinity: {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: [
          {
            matchFields: values.map((value) => ({
              key: 'metadata.name',
              operator: 'In',
              values: [value],
            })),
          },
        ],
      },
    },
  },
});
const withClaim = { volumes: [{ name: 'd', persistentVolumeClaim: { claimName: 'c' } }] };
const claim = (spec: object, metadata: object = {}) => ({
  metadata: { name: 'c', namespace: 'n', uid: 'c', ...metadata },
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, ...spec },
});
const bound = { annotations: { 'pv.kubernetes.io/bind-completed': 'yes' } };
const port = (more: object = {}) => ({
  containers: [{ name: 'c', ports: [{ containerPort: 1, hostPort: 80, ...more }] }],
});

const csiVolume = (name: string) => ({
  metadata: { name },
  spec: { csi: { driver: 'd', volumeHandle: name } },
});
const allowing = (count: number) => ({
  metadata: { name: 'node' },
  spec: { drivers: [{ name: 'd', nodeID: 'i', allocatable: { count } }] },
});
const attachment = (persistentVolumeName: string, nodeName: string) => ({
  metadata: { name: `${persistentVolumeName}-${nodeName}` },
  spec: { attacher: 'd', nodeName, source: { persistentVolumeName } },
});
const restartingAll = {
  containers: [
    {
      name: 'c',
      restartPolicy: 'Never',
      restartPolicyRules: [{ action: 'RestartAllContainers', exitCodes: { operator: 'In' } }],
    },
  ],
};

interface Row {
  readonly reason: string;
  readonly pod: object;
  readonly labels?: Record<string, string>;
  readonly node?: Parameters<typeof testNode>[1];
  readonly there?: Pod;
  readonly objects?: ClusterObjects;
  /** The whole clause about preemption. */
  readonly preemption?: string;
}
const unhelpful = '0/1 nodes are available: 1 Preemption is not helpful for scheduling.';
const noVictims = '0/1 nodes are available: 1 No preemption victims found for incoming pod.';

/** Texts of one node; `preemption` tells whether other pods could make room. */
const rows: readonly Row[] = [
  { reason: '1 node(s) were unschedulable', pod: {}, node: { spec: { unschedulable: true } } },
  { reason: "1 node(s) didn't match the requested node name", pod: { nodeName: 'other' } },
  {
    reason: '1 node(s) had untolerated taint(s)',
    pod: { tolerations: [{ key: 'a', operator: 'Equal', value: 'y' }] },
    node: { spec: { taints: [{ key: 'a', value: 'x', effect: 'NoSchedule' }] } },
  },
  {
    reason: "1 node(s) didn't match Pod's node affinity/selector",
    pod: { nodeSelector: { a: 'b' } },
  },
  { reason: '1 Insufficient cpu', pod: asking({ cpu: '5' }) },
  { reason: '1 Insufficient cpu, 1 Insufficient memory', pod: asking({ cpu: '5', memory: '9Gi' }) },
  { reason: '1 Insufficient ephemeral-storage', pod: asking({ 'ephemeral-storage': '1' }) },
  { reason: '1 Insufficient example.com/gpu', pod: asking({ 'example.com/gpu': '1' }) },
  {
    reason: '1 Too many pods',
    pod: {},
    node: { status: { allocatable: { cpu: '1', memory: '1Gi', pods: '1' } } },
    there: testPod('a'),
    preemption: noVictims,
  },
  {
    reason: '1 Insufficient cpu',
    pod: asking({ cpu: '3' }),
    there: testPod('a', asking({ cpu: '2' })),
    preemption: noVictims,
  },
  {
    reason: "1 node(s) didn't have free ports for the requested pod ports",
    pod: port(),
    there: testPod('a', port({ hostIP: '127.0.0.1' })),
    preemption: noVictims,
  },
  {
    reason: "1 node(s) didn't match pod affinity rules",
    pod: { affinity: { podAffinity: near(hostname, 'web') } },
  },
  {
    reason: "1 node(s) didn't match pod anti-affinity rules",
    pod: { affinity: { podAntiAffinity: near(hostname, 'web') } },
    there: testPod('a', {}, { app: 'web' }),
    preemption: noVictims,
  },
  {
    reason: "1 node(s) didn't satisfy existing pods anti-affinity rules",
    pod: {},
    labels: { app: 'web' },
    there: testPod('a', { affinity: { podAntiAffinity: near(hostname, 'web') } }),
    preemption: noVictims,
  },
  {
    reason: "1 node(s) didn't match pod topology spread constraints (missing required label)",
    pod: { topologySpreadConstraints: [spread] },
  },
  {
    reason: "1 node(s) didn't match pod topology spread constraints",
    pod: { topologySpreadConstraints: [{ ...spread, minDomains: 2 }] },
    labels: { app: 'web' },
    node: { labels: { zone: 'a' } },
    there: testPod('a', {}, { app: 'web' }),
    preemption: noVictims,
  },
  {
    reason: '1 node(s) had no available disk',
    pod: { volumes: [{ name: 'd', gcePersistentDisk: { pdName: 'x' } }] },
    there: testPod('a', { volumes: [{ name: 'd', gcePersistentDisk: { pdName: 'x' } }] }),
    preemption: noVictims,
  },
  {
    reason:
      '1 node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by another pod',
    pod: withClaim,
    there: testPod('a', withClaim),
    objects: {
      claims: [claim({ accessModes: ['ReadWriteOncePod'], volumeName: 'v' }, bound)],
      volumes: [{ metadata: { name: 'v' }, spec: {} }],
    },
    preemption: noVictims,
  },
  {
    reason: '1 node(s) exceed max volume count',
    pod: withClaim,
    objects: {
      claims: [claim({ volumeName: 'v' }, bound)],
      volumes: [csiVolume('v')],
      csiNodes: [allowing(0)],
    },
    preemption: noVictims,
  },
  {
    reason: '1 node(s) had no available volume zone',
    pod: withClaim,
    node: { labels: { 'topology.kubernetes.io/zone': 'a' } },
    objects: {
      claims: [claim({ volumeName: 'v' }, bound)],
      volumes: [
        { metadata: { name: 'v', labels: { 'topology.kubernetes.io/zone': 'b__c' } }, spec: {} },
      ],
    },
  },
  {
    reason: "1 node(s) didn't find available persistent volumes to bind",
    pod: withClaim,
    objects: {
      claims: [claim({ storageClassName: 's' })],
      classes: [
        {
          metadata: { name: 's' },
          provisioner: 'kubernetes.io/no-provisioner',
          volumeBindingMode: 'WaitForFirstConsumer',
        },
      ],
    },
  },
  {
    reason: '1 node(s) did not have enough free storage',
    pod: withClaim,
    objects: {
      claims: [claim({ storageClassName: 's' })],
      classes: [
        {
          metadata: { name: 's' },
          provisioner: 'disk.example.com',
          volumeBindingMode: 'WaitForFirstConsumer',
        },
      ],
      csiDrivers: [{ metadata: { name: 'disk.example.com' }, spec: { storageCapacity: true } }],
      capacities: [
        { metadata: { name: 'c' }, storageClassName: 's', nodeTopology: {}, capacity: '1Mi' },
      ],
    },
  },
  {
    reason: '1 Insufficient cpu',
    pod: { ...asking({ cpu: '3' }), preemptionPolicy: 'Never' },
    there: testPod('a', asking({ cpu: '2' })),
    preemption: 'not eligible due to preemptionPolicy=Never.',
  },
  {
    reason: "1 node(s) didn't match PersistentVolume's node affinity",
    pod: withClaim,
    objects: {
      claims: [claim({ volumeName: 'v' }, bound)],
      volumes: [
        {
          metadata: { name: 'v' },
          spec: {
            nodeAffinity: {
              required: {
                nodeSelectorTerms: [{ matchExpressions: [{ key: 'x', operator: 'Exists' }] }],
              },
            },
          },
        },
      ],
    },
  },
  {
    reason: "1 node(s) didn't match Pod's required features",
    pod: restartingAll,
    node: { status: { declaredFeatures: ['UserNamespacesHostNetworkSupport'] } },
  },
  {
    reason: "1 node(s) didn't match Pod's required features",
    pod: { hostNetwork: true, hostUsers: false },
    node: { status: { declaredFeatures: ['RestartAllContainersOnContainerExits'] } },
  },
  {
    reason: '1 node(s) exceed max volume count',
    pod: withClaim,
    objects: {
      claims: [claim({ volumeName: 'v' }, bound)],
      volumes: [csiVolume('v'), csiVolume('w')],
      csiNodes: [allowing(1)],
      attachments: [attachment('w', 'node')],
    },
    preemption: noVictims,
  },
];

const placed = (node: Node, row: Pick<Row, 'objects' | 'there'>) => {
  const cluster = createSchedulingCluster(row.objects);
  cluster.cluster.putNode(node);
  if (row.there !== undefined) cluster.put(row.there, 'node');
  return cluster;
};

for (const row of rows) {
  test(`a user reads: ${row.reason}`, () => {
    const cluster = placed(testNode('node', row.node), row);
    const rest = `no new claims to deallocate, preemption: ${row.preemption ?? unhelpful}`;
    const message = `0/1 nodes are available: ${row.reason}. ${rest}`;
    const pod = testPod('p', row.pod, row.labels);
    assert.equal(cluster.place(pod), message);
    // The explanation of each node is the same decision.
    const [explained] = cluster.cycle.explain(summarizePod(pod));
    const reasons = row.reason.split(', ').map((text) => text.slice(2));
    assert.deepEqual(explained?.rejection?.reasons, reasons);
  });
}

test('what a pod with gates waits for', () => {
  const { plugins } = createSchedulingCluster();
  const reasons = (spec: object) =>
    plugins.flatMap(({ preEnqueue }) => preEnqueue?.(summarizePod(testPod('p', spec))) ?? []);
  const schedulingGates = [{ name: 'example.com/a' }, { name: 'example.com/b' }];
  assert.deepEqual(reasons({ schedulingGates }), [
    'waiting for scheduling gates: [example.com/a example.com/b]',
  ]);
  assert.deepEqual(reasons({}), []);
});

test('volumes of other nodes, and those that are counted already, leave room', () => {
  const objects = {
    claims: [claim({ volumeName: 'v' }, bound)],
    volumes: [csiVolume('v'), csiVolume('w')],
    csiNodes: [allowing(1)],
    attachments: [attachment('v', 'node'), attachment('w', 'other'), attachment('x', 'node')],
  };
  const cluster = placed(testNode('node'), { objects });
  assert.equal(cluster.place(testPod('p', withClaim)), 'node');
});

test('what a plugin refuses before any node is looked at', () => {
  const scenes: [spec: object, objects: ClusterObjects, text: string][] = [
    [named('node', 'other'), {}, 'pod affinity terms conflict'],
    [withClaim, {}, 'persistentvolumeclaim "c" not found'],
    [withClaim, { claims: [claim({})] }, 'pod has unbound immediate PersistentVolumeClaims'],
    [
      { volumes: [{ name: 'd', ephemeral: {} }] },
      {},
      'waiting for ephemeral volume controller to create the persistentvolumeclaim "p-d"',
    ],
    [
      withClaim,
      { claims: [claim({}, { deletionTimestamp: '2026-01-01T00:00:00Z' })] },
      'persistentvolumeclaim "c" is being deleted',
    ],
    [
      withClaim,
      { claims: [{ ...claim({ volumeName: 'v' }, bound), status: { phase: 'Lost' } }] },
      'persistentvolumeclaim "c" bound to non-existent persistentvolume "v"',
    ],
    [withClaim, { claims: [claim({ volumeName: 'v' }, bound)] }, 'persistentvolume "v" not found'],
    [
      { volumes: [{ name: 'd', ephemeral: {} }] },
      { claims: [claim({}, { name: 'p-d' })] },
      'PVC n/p-d was not created for pod n/p (pod is not owner)',
    ],
  ];
  for (const [spec, objects, text] of scenes) {
    const cluster = placed(testNode('node'), { objects });
    assert.equal(cluster.place(testPod('p', spec)), `0/1 nodes are available: ${text}. not found`);
  }
});

test('without nodes, with nodes out of question, and with several reasons', () => {
  const cluster = createSchedulingCluster();
  assert.equal(cluster.place(testPod('p')), 'no nodes available to schedule pods');
  for (const name of ['a', 'b', 'c']) cluster.cluster.putNode(testNode(name));
  const outside = "2 node(s) didn't satisfy plugin(s) [NodeAffinity]";
  const text = `0/3 nodes are available: 1 Insufficient cpu, ${outside}. no new claims`;
  assert.ok(
    cluster.place(testPod('p', { ...named('a'), ...asking({ cpu: '9' }) })).startsWith(text),
  );
  assert.equal(cluster.place(testPod('p', named('b'))), 'b');
});

test('features that a pod needs are those that nodes declare, from their release on', () => {
  const restart = 'RestartAllContainersOnContainerExits';
  const users = 'UserNamespacesHostNetworkSupport';
  const both = { ...restartingAll, hostNetwork: true, hostUsers: false };
  const scenes: [spec: object, declared: string[], isPlaced: boolean, gate?: boolean][] = [
    [both, [restart, users], true],
    [both, [restart], false],
    [restartingAll, [restart, 'Other'], true],
    [restartingAll, [], false],
    [restartingAll, [], true, false],
    [{ initContainers: restartingAll.containers }, [], false],
    [{ hostNetwork: true }, [], true],
    [{ hostUsers: false }, [], true],
    [{ containers: [{ name: 'c', restartPolicyRules: [{ action: 'Restart' }] }] }, [], true],
  ];
  for (const [spec, declaredFeatures, isPlaced, gate = true] of scenes) {
    const cluster = createSchedulingCluster({
      isEnabled: (name) => gate || name !== 'NodeDeclaredFeatures',
    });
    const { status } = testNode('node');
    cluster.cluster.putNode(testNode('node', { status: { ...status, declaredFeatures } }));
    const result = cluster.schedule(testPod('p', spec));
    assert.equal(result.kind === 'node', isPlaced, JSON.stringify([spec, declaredFeatures]));
  }
});

test('nodes that no plugin would ask', () => {
  const { cluster, nominated } = createSchedulingCluster();
  for (const name of ['a', 'b', 'c']) cluster.putNode(testNode(name));
  const only = (name: string, ...nodeNames: string[]): SchedulerPlugin => ({
    name,
    begin: () => ({ nodeNames: new Set(nodeNames) }),
    mayHelp: () => true,
  });
  const messageOf = (...plugins: SchedulerPlugin[]) => {
    const random = createSeededRandom(1);
    const cycle = createSchedulingCycle({ plugins, cluster, nominated, random });
    const result = cycle.schedule(summarizePod(testPod('p')));
    return result.kind === 'node' ? result.node.name : result.message;
  };
  const none = "0/3 nodes are available: node(s) didn't satisfy";
  assert.equal(messageOf(only('A')), `${none} plugin A.`);
  assert.equal(
    messageOf(only('B', 'a'), only('A', 'b')),
    `${none} plugin(s) [A B] simultaneously.`,
  );
  assert.equal(messageOf(only('B', 'a', 'b'), only('A', 'b', 'c')), 'b');
  const gone = only('A', 'b', 'gone');
  const full: SchedulerPlugin = {
    name: 'Full',
    begin: () => ({ filter: () => rejection('Full', 'full') }),
    mayHelp: () => true,
  };
  assert.equal(
    messageOf(gone, full),
    "0/3 nodes are available: 1 full, 2 node(s) didn't satisfy plugin(s) [A].",
  );
});
