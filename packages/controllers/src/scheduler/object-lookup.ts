// The objects beside pods and nodes that plugins look at: live views, read without waiting.

import type {
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  ReplicationController,
  Service,
} from '@keelson/apimachinery/types/core.v1';
import type { ReplicaSet, StatefulSet } from '@keelson/apimachinery/types/apps.v1';
import type { PodDisruptionBudget } from '@keelson/apimachinery/types/policy.v1';
import type {
  CSIDriver,
  CSINode,
  CSIStorageCapacity,
  StorageClass,
  VolumeAttachment,
} from '@keelson/apimachinery/types/storage.k8s.io.v1';

export interface ObjectLookup {
  namespaceLabels(name: string): Readonly<Record<string, string>>;
  services(namespace: string): readonly Service[];
  replicaSet(namespace: string, name: string): ReplicaSet | undefined;
  replicationController(namespace: string, name: string): ReplicationController | undefined;
  statefulSet(namespace: string, name: string): StatefulSet | undefined;
  disruptionBudgets(namespace: string): readonly PodDisruptionBudget[];
  claim(namespace: string, name: string): PersistentVolumeClaim | undefined;
  volume(name: string): PersistentVolume | undefined;
  volumesOfClass(storageClass: string): readonly PersistentVolume[];
  storageClass(name: string): StorageClass | undefined;
  csiNode(name: string): CSINode | undefined;
  csiDriver(name: string): CSIDriver | undefined;
  /** Of volumes to this node. */
  attachments(nodeName: string): readonly VolumeAttachment[];
  storageCapacities(storageClass: string): readonly CSIStorageCapacity[];
  pod(namespace: string, name: string): Pod | undefined;
}
