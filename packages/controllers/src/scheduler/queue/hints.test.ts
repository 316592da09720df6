import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSeededRandom, type Random } from '@keelson/apimachinery';
import type { Node, Pod } from '@keelson/apimachinery/types/core.v1';
import { followNodes } from '../follow-nodes.ts';
import { summarizePod } from '../snapshot/pod-summary.ts';
import {
  asking,
  createSchedulingCluster,
  testNode,
  testPod,
} from '../testing/scheduling-cluster.ts';
import type { ClusterEvent, NodeFact } from './cluster-event.ts';

type Cluster = ReturnType<typeof createSchedulingCluster>;

/** What the scheduler makes of a node that is so, and was so. */
function nodeEvent(node: Node, old?: Node): ClusterEvent | undefined {
  let seen: ClusterEvent | undefined;
  const { cluster } = createSchedulingCluster();
  const queue = { happened: (event: ClusterEvent) => void (seen = event) } as never;
  const handler = followNodes({ cluster, queue });
  if (old === undefined) handler.onAdd(node);
  else handler.onUpdate(node, old);
  return seen;
}

const hostname = 'kubernetes.io/hostname';
const near = (app: string) => ({
  requiredDuringSchedulingIgnoredDuringExecution: [
    { topologyKey: hostname, labelSelector: { matchLabels: { app } } },
  ],
});
const spread = {
  topologySpreadConstraints: [
    {
      maxSkew: 1,
      topologyKey: hostname,
      whenUnsatisfiable: 'DoNotSchedule',
      labelSelector: { matchLabels: { app: 'web' } },
    },
  ],
};
const amounts = (more: object) => ({
  status: { allocatable: { cpu: '4', memory: '8Gi', pods: '110', ...more } },
});
const node = (more: Parameters<typeof testNode>[1] = {}) => testNode('a', more);
const tainted = (value: string) => ({
  spec: { taints: [{ key: 'k', value, effect: 'NoSchedule' }] },
});
const nodes = (now: Node, old?: Node) => nodeEvent(now, old);
const placed = (pod: Pod, old?: Pod): ClusterEvent => ({
  kind: 'placed-pod',
  pod,
  ...(old !== undefined && { old }),
});
const gone = (pod: Pod): ClusterEvent => ({ kind: 'pod-deleted', pod });
const claimEvent = (name: string): ClusterEvent => ({
  kind: 'object',
  resource: 'persistentvolumeclaims',
  object: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name, namespace: 'n' } },
});
const web = (app = 'web', spec: object = {}) => testPod('other', spec, { app });
const withClaim = { volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'c' } }] };
const heartbeat = node({ status: { ...amounts({}).status, images: [] } });

const rows: readonly (readonly [
  plugin: string,
  what: string,
  expected: boolean,
  event: ClusterEvent | undefined,
  pod?: object,
])[] = [
  [
    'NodeResourcesFit',
    'a new node that is large enough',
    true,
    nodes(node()),
    asking({ cpu: '4' }),
  ],
  ['NodeResourcesFit', 'a new node that is too small', false, nodes(node()), asking({ cpu: '5' })],
  [
    'NodeResourcesFit',
    'more of what it asks for',
    true,
    nodes(node(amounts({ cpu: '6' })), node()),
    asking({ cpu: '5' }),
  ],
  [
    'NodeResourcesFit',
    'more of something else',
    false,
    nodes(node(amounts({ memory: '9Gi' })), node()),
    asking({ cpu: '1' }),
  ],
  ['NodeResourcesFit', 'room for more pods', true, nodes(node(amounts({ pods: '111' })), node())],
  [
    'NodeResourcesFit',
    'less than before',
    false,
    nodes(node(amounts({ cpu: '3' })), node()),
    asking({ cpu: '1' }),
  ],
  [
    'NodeResourcesFit',
    'another label',
    false,
    nodes(node({ labels: { a: 'b' } }), node()),
    asking({ cpu: '1' }),
  ],
  ['NodeResourcesFit', 'a pod that goes', true, gone(web())],
  ['NodeResourcesFit', 'a pod that comes', false, placed(web())],
  [
    'NodeResourcesFit',
    'a pod that asks for less',
    true,
    placed(web('web', asking({ cpu: '1' })), web('web', asking({ cpu: '2' }))),
    asking({ cpu: '1' }),
  ],
  [
    'NodeAffinity',
    'the label that it selects',
    true,
    nodes(node({ labels: { a: 'b' } }), node()),
    { nodeSelector: { a: 'b' } },
  ],
  [
    'NodeAffinity',
    'another label',
    false,
    nodes(node({ labels: { c: 'd' } }), node()),
    { nodeSelector: { a: 'b' } },
  ],
  [
    'NodeAffinity',
    'a label more on a node that it had',
    false,
    nodes(node({ labels: { a: 'b', c: 'd' } }), node({ labels: { a: 'b' } })),
    { nodeSelector: { a: 'b' } },
  ],
  [
    'NodeUnschedulable',
    'a node that is opened',
    true,
    nodes(node(), node({ spec: { unschedulable: true } })),
  ],
  [
    'NodeUnschedulable',
    'a node that is closed',
    false,
    nodes(node({ spec: { unschedulable: true } }), node()),
  ],
  [
    'NodeUnschedulable',
    'a label of an open node',
    false,
    nodes(node({ labels: { a: 'b' } }), node()),
  ],
  ['TaintToleration', 'a taint that goes', true, nodes(node(), node(tainted('x')))],
  [
    'TaintToleration',
    'a taint that is another now',
    false,
    nodes(node(tainted('y')), node(tainted('x'))),
  ],
  [
    'TaintToleration',
    'a taint that it bears in the place of one that it does not',
    true,
    nodes(node(tainted('y')), node(tainted('x'))),
    { tolerations: [{ key: 'k', operator: 'Equal', value: 'y' }] },
  ],
  [
    'InterPodAffinity',
    'somebody whom it wants near',
    true,
    placed(web()),
    { affinity: { podAffinity: near('web') } },
  ],
  [
    'InterPodAffinity',
    'somebody else',
    false,
    placed(web('db')),
    { affinity: { podAffinity: near('web') } },
  ],
  [
    'InterPodAffinity',
    'somebody who now is whom it wants near',
    true,
    placed(web(), web('db')),
    { affinity: { podAffinity: near('web') } },
  ],
  [
    'InterPodAffinity',
    'news of somebody who always was',
    false,
    placed(web('web', { a: 1 }), web()),
    { affinity: { podAffinity: near('web') } },
  ],
  [
    'InterPodAffinity',
    'somebody whom it wants far, and who is somebody else now',
    true,
    placed(web('db'), web()),
    { affinity: { podAntiAffinity: near('web') } },
  ],
  [
    'InterPodAffinity',
    'somebody whom it wants far, and who goes',
    true,
    gone(web()),
    { affinity: { podAntiAffinity: near('web') } },
  ],
  [
    'InterPodAffinity',
    'somebody who wants it far, and goes',
    true,
    gone(web('db', { affinity: { podAntiAffinity: near('p') } })),
  ],
  [
    'InterPodAffinity',
    'the last of its own group, who goes',
    true,
    gone(web('p')),
    { affinity: { podAffinity: near('p') } },
  ],
  [
    'InterPodAffinity',
    'labels of a node',
    true,
    nodes(node({ labels: { a: 'b' } }), node()),
    { affinity: { podAffinity: near('web') } },
  ],
  [
    'InterPodAffinity',
    'a taint',
    false,
    nodes(node(tainted('x')), node()),
    { affinity: { podAffinity: near('web') } },
  ],
  ['PodTopologySpread', 'one of the group that comes', true, placed(web()), spread],
  ['PodTopologySpread', 'another that comes', false, placed(web('db')), spread],
  ['PodTopologySpread', 'one of the group that leaves it', true, placed(web('db'), web()), spread],
  ['PodTopologySpread', 'one of the group that goes', true, gone(web()), spread],
  [
    'PodTopologySpread',
    'news of one of the group',
    false,
    placed(web('web', { a: 1 }), web()),
    spread,
  ],
  [
    'PodTopologySpread',
    'labels of a node',
    true,
    nodes(node({ labels: { a: 'b' } }), node()),
    spread,
  ],
  [
    'NodePorts',
    'a pod with other ports that goes',
    false,
    gone(web()),
    { containers: [{ name: 'c', ports: [{ containerPort: 1, hostPort: 80 }] }] },
  ],
  ['VolumeBinding', 'its claim', true, claimEvent('c'), withClaim],
  ['VolumeBinding', 'another claim', false, claimEvent('d'), withClaim],
  ['VolumeZone', 'its claim', true, claimEvent('c'), withClaim],
  ['VolumeZone', 'a taint', false, nodes(node(tainted('x')), node()), withClaim],
  ['VolumeRestrictions', 'another claim', false, claimEvent('d'), withClaim],
  ['VolumeRestrictions', 'a pod without volumes that goes', false, gone(web()), withClaim],
  [
    'NodeVolumeLimits',
    'a pod with a claim that goes',
    true,
    gone(web('web', withClaim)),
    withClaim,
  ],
  ['NodeVolumeLimits', 'a pod without one that goes', false, gone(web()), withClaim],
];

for (const [name, what, expected, event, spec = {}] of rows) {
  test(`${name} ${expected ? 'is helped by' : 'is not helped by'} ${what}`, () => {
    assert.ok(event !== undefined);
    assert.equal(
      mayHelp(createSchedulingCluster(), new Set([name]), testPod('p', spec, { app: 'p' }), event),
      expected,
    );
  });
}

test('a heartbeat is no event, and each change is named', () => {
  assert.equal(nodeEvent(heartbeat, node()), undefined);
  const changes: [Node, NodeFact[]][] = [
    [node({ labels: { a: 'b' } }), ['labels']],
    [node(tainted('x')), ['taints']],
    [node({ spec: { unschedulable: true } }), ['unschedulable']],
    [node(amounts({ cpu: '5' })), ['allocatable']],
    [
      node({ status: { ...amounts({}).status, conditions: [{ type: 'Ready', status: 'True' }] } }),
      ['conditions'],
    ],
  ];
  for (const [now, expected] of changes) {
    const event = nodeEvent(now, node());
    assert.deepEqual(event?.kind === 'node' && [...event.changed], expected);
  }
});

function mayHelp(
  { plugins }: Cluster,
  rejectedBy: ReadonlySet<string>,
  pod: Pod,
  event: ClusterEvent,
): boolean {
  return plugins
    .filter(({ name }) => rejectedBy.has(name))
    .some((plugin) => plugin.mayHelp(summarizePod(pod), event));
}

const pick = (random: Random, max: number) => Math.floor(random.float() * max);
const oneOf = <T>(random: Random, of: readonly T[]) => of[pick(random, of.length)] as T;

function randomNode(random: Random, name: string): Node {
  return testNode(name, {
    labels: {
      zone: `z${pick(random, 2)}`,
      ...oneOf<Record<string, string>>(random, [{}, { disk: 'ssd' }]),
    },
    spec: {
      ...oneOf(random, [{}, {}, { unschedulable: true }]),
      ...oneOf(random, [{}, {}, tainted('x').spec]),
    },
    status: { allocatable: { cpu: `${1 + pick(random, 4)}`, memory: '8Gi', pods: '3' } },
  });
}

function randomPod(random: Random, name: string): Pod {
  const app = `app-${pick(random, 2)}`;
  const term = (topologyKey: string) => ({
    requiredDuringSchedulingIgnoredDuringExecution: [
      { topologyKey, labelSelector: { matchLabels: { app: `app-${pick(random, 2)}` } } },
    ],
  });
  const ports = [{ name: 'c', image: 'app', ports: [{ containerPort: 1, hostPort: 80 }] }];
  const constraint = {
    ...spread.topologySpreadConstraints[0],
    topologyKey: 'zone',
    labelSelector: { matchLabels: { app } },
    nodeTaintsPolicy: oneOf(random, ['Honor', 'Ignore']),
  };
  const spec = oneOf(random, [
    asking({ cpu: `${1 + pick(random, 3)}` }),
    { affinity: { podAffinity: term('zone') } },
    { affinity: { podAntiAffinity: term(hostname) } },
    { topologySpreadConstraints: [constraint] },
    { nodeSelector: { disk: 'ssd' } },
    { containers: ports },
    { tolerations: [{ key: 'k', operator: 'Exists' }] },
  ]);
  return testPod(name, spec, { app });
}

for (let seed = 1; seed <= 6; seed++) {
  test(`no pod sleeps through what helps it (seed ${seed})`, () => {
    const random = createSeededRandom(seed);
    let helped = 0;
    for (let round = 0; round < 120; round++) {
      const cluster = createSchedulingCluster({ seed });
      const nodesThere = new Map<string, Node>();
      for (let n = 0; n < 3; n++) nodesThere.set(`n${n}`, randomNode(random, `n${n}`));
      for (const there of nodesThere.values()) cluster.cluster.putNode(there);
      const pods = new Map<string, [pod: Pod, node: string]>();
      for (let i = 0; i < 5; i++) {
        const pod = randomPod(random, `r${round}-p${i}`);
        if (cluster.place(pod).startsWith('n'))
          pods.set(pod.metadata.name ?? '', [
            pod,
            cluster.cluster.nodeOf(`uid-r${round}-p${i}`) ?? '',
          ]);
      }
      const waiting = randomPod(random, `r${round}-waiting`);
      const before = cluster.schedule(waiting);
      if (before.kind === 'node') continue;
      let { rejectedBy } = before;
      for (let step = 0; step < 6; step++) {
        const event = randomEvent(random, { cluster, nodesThere, pods, round, step });
        const isWoken = event !== undefined && mayHelp(cluster, rejectedBy, waiting, event);
        const after = cluster.schedule(waiting);
        if (after.kind === 'none') {
          // Who is not woken does not learn who rejects it now.
          if (isWoken) rejectedBy = after.rejectedBy;
          continue;
        }
        assert.ok(isWoken, `${[...rejectedBy].join()} slept through ${JSON.stringify(event)}`);
        helped++;
        break;
      }
    }
    assert.ok(helped > 5, `only ${helped} pods were helped`);
  });
}

interface World {
  readonly cluster: Cluster;
  readonly nodesThere: Map<string, Node>;
  readonly pods: Map<string, [pod: Pod, node: string]>;
  readonly round: number;
  readonly step: number;
}

/** Something changes, and is told as the scheduler is told it. */
function randomEvent(random: Random, world: World): ClusterEvent | undefined {
  const { cluster, nodesThere, pods, round, step } = world;
  const [name, [pod, where]] = oneOf(random, [...pods, ['', [testPod(''), '']] as const]);
  const dice = pick(random, 5);
  if (dice === 0 && name !== '') {
    cluster.cluster.removePod(`uid-${name}`);
    pods.delete(name);
    return gone({ ...pod, spec: { ...pod.spec, nodeName: where } });
  }
  if (dice === 1 && name !== '') {
    const changed = {
      ...pod,
      metadata: { ...pod.metadata, labels: { app: `app-${pick(random, 2)}` } },
    };
    cluster.put(changed, where);
    pods.set(name, [changed, where]);
    return placed(changed, pod);
  }
  if (dice === 2) {
    const added = randomNode(random, `new-${step}`);
    cluster.cluster.putNode(added);
    return nodeEvent(added);
  }
  if (dice === 3) {
    const newcomer = randomPod(random, `r${round}-s${step}`);
    const target = oneOf(random, [...nodesThere.keys()]);
    cluster.put(newcomer, target);
    return placed(newcomer);
  }
  const [target, old] = oneOf(random, [...nodesThere]);
  const now = randomNode(random, target);
  cluster.cluster.putNode(now);
  nodesThere.set(target, now);
  return nodeEvent(now, old);
}
