// Events as metrics name them. COMPAT: kube-scheduler's labels, which say of nodes and pods also what of
// them has changed; of several changes the first in its order counts.

import { compareQuantities, podRequests, zeroQuantity } from '@keelson/apimachinery';
import type { Pod } from '@keelson/apimachinery/types/core.v1';
import type { ClusterEvent, NodeFact, WatchedResource } from './cluster-event.ts';

/** What moves pods besides events of the cluster. */
export const queueEvents = {
  add: 'UnscheduledPodAdd',
  failure: 'ScheduleAttemptFailure',
  backoffOver: 'BackoffComplete',
  timeout: 'UnschedulableTimeout',
} as const;

/** What happened, and to what. */
export function labelOf(event: ClusterEvent): string {
  switch (event.kind) {
    case 'node':
      return event.old === undefined ? 'NodeAdd' : `Node${nodeChange(event.changed)}`;
    case 'node-deleted':
      return 'NodeDelete';
    case 'waiting-pod':
      return queueEvents.add;
    case 'placed-pod':
      return event.old === undefined
        ? 'AssignedPodAdd'
        : `AssignedPod${podChange(event.pod, event.old)}`;
    case 'pod-deleted':
      return 'AssignedPodDelete';
    case 'csi-node':
      return `storage.k8s.io/CSINode${event.isNew === true ? 'Add' : 'Update'}`;
    case 'object': {
      const change = event.isNew === true ? 'Add' : 'Update';
      return `${kinds[event.resource]}${event.isDeletion === true ? 'Delete' : change}`;
    }
    case 'any':
      return 'ForceActivate';
  }
}

/** Of a pod that waits. */
export function labelOfUpdate(pod: Pod, old: Pod): string {
  return `UnscheduledPod${podChange(pod, old)}`;
}

const nodeChanges: readonly (readonly [NodeFact, string])[] = [
  ['unschedulable', 'UpdateNodeTaint'],
  ['allocatable', 'UpdateNodeAllocatable'],
  ['labels', 'UpdateNodeLabel'],
  ['taints', 'UpdateNodeTaint'],
  ['conditions', 'UpdateNodeCondition'],
  ['annotations', 'UpdateNodeAnnotation'],
  ['declaredFeatures', 'UpdateNodeDeclaredFeature'],
];

function nodeChange(changed: ReadonlySet<NodeFact>): string {
  return nodeChanges.find(([fact]) => changed.has(fact))?.[1] ?? 'Update';
}

interface PodChange {
  readonly name: string;
  of(pod: Pod): unknown;
}

const podChanges: readonly PodChange[] = [
  { name: 'UpdatePodToleration', of: ({ spec }) => spec.tolerations },
  { name: 'UpdatePodGeneratedResourceClaim', of: ({ status }) => status?.resourceClaimStatuses },
];

function podChange(pod: Pod, old: Pod): string {
  const labels = { name: 'UpdatePodLabel', of: ({ metadata }: Pod) => metadata.labels };
  if (differs(labels, pod, old)) return labels.name;
  if (asksForLess(pod, old)) return 'UpdatePodScaleDown';
  const gates = ({ spec }: Pod) => (spec.schedulingGates ?? []).length;
  if (gates(pod) === 0 && gates(old) > 0) return 'UpdatePodSchedulingGatesEliminated';
  return podChanges.find((change) => differs(change, pod, old))?.name ?? 'Update';
}

function asksForLess(pod: Pod, old: Pod): boolean {
  const requests = (of: Pod) => podRequests(of, { podLevel: true, status: true });
  const now = requests(pod);
  return [...requests(old)].some(
    ([name, before]) => compareQuantities(before, now.get(name) ?? zeroQuantity) > 0,
  );
}

function differs({ of }: PodChange, now: Pod, before: Pod): boolean {
  return JSON.stringify(of(now)) !== JSON.stringify(of(before));
}

const kinds: Readonly<Record<WatchedResource, string>> = {
  persistentvolumes: 'PersistentVolume',
  persistentvolumeclaims: 'PersistentVolumeClaim',
  storageclasses: 'storage.k8s.io/StorageClass',
  csidrivers: 'storage.k8s.io/CSIDriver',
  csistoragecapacities: 'storage.k8s.io/CSIStorageCapacity',
  volumeattachments: 'storage.k8s.io/VolumeAttachment',
  resourceclaims: 'resource.k8s.io/ResourceClaim',
  resourceslices: 'resource.k8s.io/ResourceSlice',
  deviceclasses: 'resource.k8s.io/DeviceClass',
  podgroups: 'scheduling.k8s.io/PodGroup',
  namespaces: 'Namespace',
};
