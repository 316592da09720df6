// How many pods a second the scheduler's core places on 5,000 nodes, without the cost of an API
// server: plain pods of a workload, and pods that must not share a node or that want to be together.

import { createSeededRandom, systemClock } from '@keelson/apimachinery';
import type { Node, Pod } from '@keelson/apimachinery/types/core.v1';
import type { ReplicaSet } from '@keelson/apimachinery/types/apps.v1';
import { createClient, createInProcessTransport } from '@keelson/client';
import { createSchedulingCore, summarizePod, type ObjectLookup } from '@keelson/controllers';
import type { Section } from './section.ts';

export const schedulingSection: Section = {
  name: 'scheduling',
  heading: 'Scheduling',
  measure: async () => render(measureKinds()),
};

interface Figure {
  readonly kind: string;
  readonly podsPerSec: number;
}

const nodes = 5_000;
const pods = 3_000;
const zones = 5;
const hostname = 'kubernetes.io/hostname';
const zone = 'topology.kubernetes.io/zone';

type SpecOf = (i: number) => object;

const term = (topologyKey: string, app: string) => ({
  topologyKey,
  labelSelector: { matchLabels: { app } },
});
const group = (i: number) => `app-${i % 20}`;

const kinds: Readonly<Record<string, SpecOf>> = {
  'default plugins': () => ({}),
  'required anti-affinity by host': (i) => ({
    affinity: {
      podAntiAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: [term(hostname, group(i))],
      },
    },
  }),
  'required affinity by zone, preferred anti-affinity by host': (i) => ({
    affinity: {
      podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term(zone, group(i))] },
      podAntiAffinity: {
        preferredDuringSchedulingIgnoredDuringExecution: [
          { weight: 50, podAffinityTerm: term(hostname, group(i)) },
        ],
      },
    },
  }),
  'topology spread by zone and host': (i) => ({
    topologySpreadConstraints: [zone, hostname].map((topologyKey) => ({
      maxSkew: 1,
      topologyKey,
      whenUnsatisfiable: 'DoNotSchedule',
      labelSelector: { matchLabels: { app: group(i) } },
    })),
  }),
};

function measureKinds(): Figure[] {
  return Object.entries(kinds).map(([kind, specOf]) => ({
    kind,
    podsPerSec: Math.round(measure(specOf)),
  }));
}

function render(figures: readonly Figure[]): string {
  const lines = figures.map(
    ({ kind, podsPerSec }) => `| ${kind} | ${podsPerSec.toLocaleString('en')} |`,
  );
  return `Pods of a workload placed one after the other by the default profile on ${nodes.toLocaleString('en')} nodes in five zones,
${pods.toLocaleString('en')} of each kind, in process and without an API server; twenty groups of pods where they refer to each other.

| pods | placed per second of one core |
|---|---|
${lines.join('\n')}
`;
}

function measure(specOf: SpecOf): number {
  const { cluster, cycle } = createCore();
  for (let i = 0; i < nodes; i++) cluster.putNode(node(i));
  const place = (i: number) => {
    const summary = summarizePod(pod(i, specOf(i)));
    const result = cycle.schedule(summary);
    if (result.kind !== 'node') throw new Error(result.message);
    cluster.assume(summary, result.node.name);
  };
  const warm = 300;
  for (let i = 0; i < warm; i++) place(i);
  const start = process.cpuUsage();
  for (let i = warm; i < warm + pods; i++) place(i);
  const { user, system } = process.cpuUsage(start);
  return (pods * 1_000_000) / (user + system);
}

function createCore() {
  const replicaSet: ReplicaSet = {
    metadata: { name: 'web', namespace: 'bench' },
    spec: { selector: { matchLabels: { bench: 'yes' } }, template: { spec: { containers: [] } } },
  };
  const nothing: ObjectLookup = {
    namespaceLabels: () => ({}),
    services: () => [],
    replicaSet: () => replicaSet,
    replicationController: () => undefined,
    statefulSet: () => undefined,
    disruptionBudgets: () => [],
    claim: () => undefined,
    volume: () => undefined,
    volumesOfClass: () => [],
    storageClass: () => undefined,
    csiNode: () => undefined,
    attachments: () => [],
    csiDriver: () => undefined,
    storageCapacities: () => [],
    pod: () => undefined,
  };
  const unreachable = createInProcessTransport(
    () => Promise.reject(new Error('the benchmark asks no server')),
    { user: { name: 'bench', uid: '', groups: [], extra: {} } },
  );
  return createSchedulingCore({
    lookup: nothing,
    random: createSeededRandom(1),
    clock: systemClock,
    client: createClient({ transport: unreachable }),
    isEnabled: () => true,
    evict: () => Promise.resolve(),
    tellWaiting: () => {},
  });
}

function node(i: number): Node {
  const name = `node-${i}`;
  const amounts = { cpu: '32', memory: '128Gi', pods: '110' };
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels: { [hostname]: name, [zone]: `zone-${i % zones}` } },
    spec: {},
    status: { allocatable: amounts, capacity: amounts },
  };
}

function pod(i: number, spec: object): Pod {
  const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web', uid: 'web' };
  const resources = { requests: { cpu: '250m', memory: '256Mi' } };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: `pod-${i}`,
      namespace: 'bench',
      uid: `uid-${i}`,
      labels: { app: group(i), bench: 'yes' },
      ownerReferences: [{ ...owner, controller: true }],
    },
    spec: { containers: [{ name: 'c', image: 'registry.example/app:1', resources }], ...spec },
  };
}
