// A cluster for tests of the scheduler's core: nodes, pods and objects are handed in, and decisions
// come back, without an API server.

import { createSeededRandom, createSimulatedClock } from '@keelson/apimachinery';
import type {
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
} from '@keelson/apimachinery/types/core.v1';
import type { PodDisruptionBudget } from '@keelson/apimachinery/types/policy.v1';
import type {
  CSIDriver,
  CSINode,
  CSIStorageCapacity,
  StorageClass,
  VolumeAttachment,
} from '@keelson/apimachinery/types/storage.k8s.io.v1';
import { createClient, createInProcessTransport } from '@keelson/client';
import type { SchedulerConfiguration } from '../configuration/scheduler-configuration.ts';
import { classOf } from '../../persistent-volume-binder/match-volume.ts';
import { collectAllocated } from '../dra/allocated-devices.ts';
import type { ClaimTracker } from '../dra/claim-tracker.ts';
import type { Extenders } from '../extenders/ask-extenders.ts';
import type { PodGroupTracker } from '../gangs/pod-group-tracker.ts';
import type { ObjectLookup } from '../object-lookup.ts';
import type { Candidate } from '../preemption/select-victims.ts';
import { createSchedulingCore } from '../scheduling-core.ts';
import { summarizePod } from '../snapshot/pod-summary.ts';

export interface ClusterObjects {
  readonly budgets?: readonly PodDisruptionBudget[];
  readonly claims?: readonly PersistentVolumeClaim[];
  readonly volumes?: readonly PersistentVolume[];
  readonly classes?: readonly StorageClass[];
  readonly csiNodes?: readonly CSINode[];
  readonly csiDrivers?: readonly CSIDriver[];
  readonly capacities?: readonly CSIStorageCapacity[];
  readonly attachments?: readonly VolumeAttachment[];
  readonly devices?: ClaimTracker;
  readonly isEnabled?: (gate: string) => boolean;
  readonly seed?: number;
  readonly configuration?: SchedulerConfiguration;
  readonly extenders?: Extenders;
  readonly groups?: PodGroupTracker;
}

export function createSchedulingCluster(objects: ClusterObjects = {}) {
  const { budgets = [], claims = [], volumes = [], classes = [], csiNodes = [] } = objects;
  const byName = <T extends { metadata: { name?: string } }>(list: readonly T[], name: string) =>
    list.find(({ metadata }) => metadata.name === name);
  const lookup: ObjectLookup = {
    namespaceLabels: (name) => ({ name }),
    services: () => [],
    replicaSet: () => undefined,
    replicationController: () => undefined,
    statefulSet: () => undefined,
    disruptionBudgets: () => budgets,
    claim: (_namespace, name) => byName(claims, name),
    volume: (name) => byName(volumes, name),
    volumesOfClass: (name) => volumes.filter((volume) => classOf(volume) === name),
    storageClass: (name) => byName(classes, name),
    csiNode: (name) => byName(csiNodes, name),
    csiDriver: (name) => byName(objects.csiDrivers ?? [], name),
    attachments: (name) => (objects.attachments ?? []).filter(({ spec }) => spec.nodeName === name),
    storageCapacities: (name) =>
      (objects.capacities ?? []).filter(({ storageClassName }) => storageClassName === name),
    pod: () => undefined,
  };
  const evicted: Candidate[] = [];
  const unreachable = createInProcessTransport(
    () => Promise.reject(new Error('there is no server in this test')),
    { user: { name: 'test', uid: '', groups: [], extra: {} } },
  );
  const core = createSchedulingCore({
    lookup,
    random: createSeededRandom(objects.seed ?? 1),
    clock: createSimulatedClock(),
    client: createClient({ transport: unreachable }),
    isEnabled: objects.isEnabled ?? (() => true),
    ...(objects.configuration !== undefined && { configuration: objects.configuration }),
    extenders: objects.extenders,
    groups: objects.groups ?? noGroups,
    claims: objects.devices ?? noDevices,
    tellWaiting: () => {},
    evict: (_pod, candidate) => Promise.resolve(void evicted.push(candidate)),
  });
  return {
    ...core,
    evicted,
    /** Where the pod goes, or why it goes nowhere; it is there from then on. */
    place(pod: Pod): string {
      const summary = summarizePod(pod);
      const result = core.cycle.schedule(summary);
      if (result.kind === 'none') return result.message;
      core.cluster.assume(summary, result.node.name);
      return result.node.name;
    },
    schedule: (pod: Pod) => core.cycle.schedule(summarizePod(pod)),
    put: (pod: Pod, nodeName: string) => core.cluster.putPod(summarizePod(pod), nodeName),
  };
}

const noGroups: PodGroupTracker = { group: () => undefined, members: () => [] };

const noDevices: ClaimTracker = {
  claim: () => undefined,
  deviceClass: () => undefined,
  classOfResource: () => undefined,
  extendedClaimOf: () => undefined,
  slices: () => [],
  allocated: () => collectAllocated([]),
  isInFlight: () => false,
  decide: () => () => {},
};

export function testNode(
  name: string,
  more: { labels?: Record<string, string>; spec?: object; status?: object } = {},
): Node {
  const allocatable = { cpu: '4', memory: '8Gi', pods: '110' };
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels: { 'kubernetes.io/hostname': name, ...more.labels } },
    spec: { ...more.spec },
    status: { allocatable, ...more.status },
  };
}

export function testPod(name: string, spec: object = {}, labels: Record<string, string> = {}): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'n', uid: `uid-${name}`, labels },
    spec: { containers: [{ name: 'c', image: 'app' }], ...spec },
  };
}

export function asking(requests: Record<string, string>): object {
  return { containers: [{ name: 'c', image: 'app', resources: { requests } }] };
}
