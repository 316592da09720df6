// What happens in a cluster that may make a pod schedulable. Plugins say which of these can help a
// pod that they have rejected.

import type { KubeObject } from '@keelson/apimachinery';
import type { CSINode } from '@keelson/apimachinery/types/storage.k8s.io.v1';
import type { Node, Pod } from '@keelson/apimachinery/types/core.v1';
import type { PodSummary } from '../snapshot/pod-summary.ts';

export type ClusterEvent =
  /** `old` is absent for a new node, and then all is new. */
  | {
      readonly kind: 'node';
      readonly node: Node;
      readonly old?: Node;
      readonly changed: ReadonlySet<NodeFact>;
    }
  | { readonly kind: 'node-deleted'; readonly node: Node }
  /** A new pod that has no place yet. */
  | { readonly kind: 'waiting-pod'; readonly pod: Pod }
  /** A pod was placed, or one that has a place was changed. */
  | { readonly kind: 'placed-pod'; readonly pod: Pod; readonly old?: Pod }
  | { readonly kind: 'pod-deleted'; readonly pod: Pod }
  /** Claims, volumes, classes, slices: any of the named resource. */
  | {
      readonly kind: 'object';
      readonly resource: WatchedResource;
      readonly object: KubeObject;
      readonly isNew?: boolean;
      readonly isDeletion?: boolean;
    }
  | { readonly kind: 'csi-node'; readonly csiNode: CSINode; readonly isNew?: boolean }
  /** Nothing is known: it is time to try again. */
  | { readonly kind: 'any' };

/** What plugins look at; heartbeats are none of it. */
export type NodeFact =
  | 'labels'
  | 'annotations'
  | 'taints'
  | 'unschedulable'
  | 'allocatable'
  | 'declaredFeatures'
  | 'conditions';

export type WatchedResource =
  | 'persistentvolumes'
  | 'persistentvolumeclaims'
  | 'storageclasses'
  | 'csidrivers'
  | 'csistoragecapacities'
  | 'volumeattachments'
  | 'resourceclaims'
  | 'resourceslices'
  | 'deviceclasses'
  | 'podgroups'
  | 'namespaces';

/** A claim that the pod uses has come, or has changed. */
export function concernsClaimOf({ namespace, claimNames }: PodSummary, event: ClusterEvent) {
  if (event.kind !== 'object' || event.resource !== 'persistentvolumeclaims') return false;
  const { metadata } = event.object;
  return metadata.namespace === namespace && claimNames.includes(metadata.name ?? '');
}
