// What happens in a cluster that may make a pod schedulable. Plugins say which of these can help a
// pod that they have rejected.

import type { KubeObject } from '@keelson/apimachinery';
import type { CSINode } from '@keelson/apimachinery/types/storage.k8s.io.v1';
import type { Node, Pod } from '@keelson/apimachinery/types/core.v1';

export type ClusterEvent =
  /** `old` is absent for a new node. */
  | { readonly kind: 'node'; readonly node: Node; readonly old?: Node }
  | { readonly kind: 'node-deleted'; readonly node: Node }
  /** A pod was placed, or one that has a place was changed. */
  | { readonly kind: 'placed-pod'; readonly pod: Pod; readonly old?: Pod }
  | { readonly kind: 'pod-deleted'; readonly pod: Pod }
  /** Claims, volumes, classes, slices: any of the named resource. */
  | {
      readonly kind: 'object';
      readonly resource: WatchedResource;
      readonly object: KubeObject;
      readonly isDeletion?: boolean;
    }
  | { readonly kind: 'csi-node'; readonly csiNode: CSINode }
  /** Nothing is known: it is time to try again. */
  | { readonly kind: 'any' };

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
  | 'namespaces';
