// The lookup of plugins over informers, and which of them must be complete before the first pod is
// looked at.

import type { KubeObject } from '@keelson/apimachinery';
import type { StatefulSet, ReplicaSet } from '@keelson/apimachinery/types/apps.v1';
import type {
  Namespace,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  ReplicationController,
  Service,
} from '@keelson/apimachinery/types/core.v1';
import type { PodDisruptionBudget } from '@keelson/apimachinery/types/policy.v1';
import type {
  CSIDriver,
  CSINode,
  CSIStorageCapacity,
  StorageClass,
  VolumeAttachment,
} from '@keelson/apimachinery/types/storage.k8s.io.v1';
import type { Informer, Informers } from '@keelson/client';
import {
  namespacesResource,
  persistentVolumeClaimsResource,
  persistentVolumesResource,
  podDisruptionBudgetsResource,
  podsResource,
  replicaSetsResource,
  replicationControllersResource,
  statefulSetsResource,
  volumeAttachmentsResource,
} from '../machinery/resources.ts';
import { classOf } from '../persistent-volume-binder/match-volume.ts';
import type { ObjectLookup } from './object-lookup.ts';
import type { ClusterEvent, WatchedResource } from './queue/cluster-event.ts';

export interface InformerLookup {
  readonly lookup: ObjectLookup;
  readonly reads: readonly Pick<Informer, 'synced'>[];
  /** Tells of changes to what plugins look at. Returns what ends it. */
  watch(tell: (event: ClusterEvent) => void): () => void;
}

const storage = (resource: string) => ({ group: 'storage.k8s.io', version: 'v1', resource });
const byClass = 'storageClassName';
const byNode = 'nodeName';

export function createInformerLookup(informers: Informers): InformerLookup {
  const namespaces = informers.informer<Namespace>(namespacesResource);
  const services = informers.informer<Service>({ group: '', version: 'v1', resource: 'services' });
  const replicaSets = informers.informer<ReplicaSet>(replicaSetsResource);
  const replicationControllers = informers.informer<ReplicationController>(
    replicationControllersResource,
  );
  const statefulSets = informers.informer<StatefulSet>(statefulSetsResource);
  const budgets = informers.informer<PodDisruptionBudget>(podDisruptionBudgetsResource);
  const pods = informers.informer<Pod>(podsResource);
  const claims = informers.informer<PersistentVolumeClaim>(persistentVolumeClaimsResource);
  const volumes = informers.informer<PersistentVolume>(persistentVolumesResource);
  const classes = informers.informer<StorageClass>(storage('storageclasses'));
  const csiNodes = informers.informer<CSINode>(storage('csinodes'));
  const csiDrivers = informers.informer<CSIDriver>(storage('csidrivers'));
  const attachments = informers.informer<VolumeAttachment>(volumeAttachmentsResource);
  const capacities = informers.informer<CSIStorageCapacity>(storage('csistoragecapacities'));
  volumes.addIndex(byClass, (volume) => [classOf(volume)]);
  attachments.addIndex(byNode, ({ spec }) => [spec.nodeName]);
  capacities.addIndex(byClass, ({ storageClassName }) => [storageClassName]);
  const lookup: ObjectLookup = {
    namespaceLabels: (name) => namespaces.store.get('', name)?.metadata.labels ?? {},
    services: (namespace) => services.store.list(namespace),
    replicaSet: (namespace, name) => replicaSets.store.get(namespace, name),
    replicationController: (namespace, name) => replicationControllers.store.get(namespace, name),
    statefulSet: (namespace, name) => statefulSets.store.get(namespace, name),
    disruptionBudgets: (namespace) => budgets.store.list(namespace),
    claim: (namespace, name) => claims.store.get(namespace, name),
    volume: (name) => volumes.store.get('', name),
    volumesOfClass: (name) => volumes.store.byIndex(byClass, name),
    storageClass: (name) => classes.store.get('', name),
    csiNode: (name) => csiNodes.store.get('', name),
    csiDriver: (name) => csiDrivers.store.get('', name),
    attachments: (nodeName) => attachments.store.byIndex(byNode, nodeName),
    storageCapacities: (name) => capacities.store.byIndex(byClass, name),
    pod: (namespace, name) => pods.store.get(namespace, name),
  };
  const watched: readonly (readonly [WatchedResource, Informer])[] = [
    ['namespaces', namespaces],
    ['persistentvolumes', volumes],
    ['persistentvolumeclaims', claims],
    ['storageclasses', classes],
    ['csidrivers', csiDrivers],
    ['csistoragecapacities', capacities],
    ['volumeattachments', attachments],
  ].map(([resource, informer]) => [resource as WatchedResource, informer as unknown as Informer]);
  return {
    lookup,
    reads: [
      namespaces,
      services,
      replicaSets,
      replicationControllers,
      statefulSets,
      budgets,
      claims,
      volumes,
      classes,
      csiNodes,
      csiDrivers,
      capacities,
      attachments,
    ],
    watch: (tell) => watchObjects(watched, csiNodes, tell),
  };
}

function watchObjects(
  watched: readonly (readonly [WatchedResource, Informer])[],
  csiNodes: Informer<CSINode>,
  tell: (event: ClusterEvent) => void,
): () => void {
  const ends = watched.map(([resource, informer]) => {
    const changed = (object: KubeObject) => tell({ kind: 'object', resource, object });
    return informer.addHandler({
      onAdd: (object) => tell({ kind: 'object', resource, object, isNew: true }),
      onUpdate: changed,
      onDelete: (object) => tell({ kind: 'object', resource, object, isDeletion: true }),
    });
  });
  ends.push(
    csiNodes.addHandler({
      onAdd: (csiNode) => tell({ kind: 'csi-node', csiNode, isNew: true }),
      onUpdate: (csiNode) => tell({ kind: 'csi-node', csiNode }),
    }),
  );
  return () => ends.forEach((end) => end());
}
