// Volumes that two pods must not use at once: claims with access mode ReadWriteOncePod anywhere in
// the cluster, and old kinds of disks on one node.

import type { Volume } from '@keelson/apimachinery/types/core.v1';
import { rejection, unresolvable, type SchedulerPlugin } from '../framework.ts';
import type { ObjectLookup } from '../object-lookup.ts';
import { concernsClaimOf } from '../queue/cluster-event.ts';
import type { NodeState } from '../snapshot/node-state.ts';
import type { PodSummary } from '../snapshot/pod-summary.ts';

const name = 'VolumeRestrictions';
const oncePod = rejection(
  name,
  'node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by another pod',
);
const diskTaken = rejection(name, 'node(s) had no available disk');

export function createVolumeRestrictions(lookup: Pick<ObjectLookup, 'claim'>): SchedulerPlugin {
  return {
    name,
    begin(pod, cluster) {
      const { volumes = [] } = pod.pod.spec;
      const exclusive: string[] = [];
      for (const { persistentVolumeClaim } of volumes) {
        if (persistentVolumeClaim === undefined) continue;
        const { claimName } = persistentVolumeClaim;
        const claim = lookup.claim(pod.namespace, claimName);
        if (claim === undefined)
          return unresolvable(name, `persistentvolumeclaim "${claimName}" not found`);
        if (claim.spec?.accessModes?.includes('ReadWriteOncePod')) exclusive.push(claimName);
      }
      const disks = volumes.filter(isExclusiveDisk);
      if (exclusive.length + disks.length === 0) return undefined;
      let users = exclusive.reduce(
        (sum, claimName) => sum + cluster.podsWithClaim(pod.namespace, claimName),
        0,
      );
      const change = (other: PodSummary, sign: 1 | -1) => {
        if (other.namespace !== pod.namespace) return;
        users +=
          sign * exclusive.filter((claimName) => other.claimNames.includes(claimName)).length;
      };
      return {
        filter(node) {
          if (disks.some((disk) => isDiskTaken(disk, node))) return diskTaken;
          return users > 0 ? oncePod : undefined;
        },
        addPod: (other) => change(other, 1),
        removePod: (other) => change(other, -1),
      };
    },
    mayHelp: (pod, event) =>
      (event.kind === 'pod-deleted' && (event.pod.spec.volumes ?? []).length > 0) ||
      event.kind === 'any' ||
      (event.kind === 'node' && event.old === undefined) ||
      concernsClaimOf(pod, event),
  };
}

function isExclusiveDisk(volume: Volume): boolean {
  const { gcePersistentDisk, awsElasticBlockStore, rbd, iscsi } = volume;
  return [gcePersistentDisk, awsElasticBlockStore, rbd, iscsi].some((disk) => disk !== undefined);
}

function isDiskTaken(disk: Volume, node: NodeState): boolean {
  for (const { pod } of node.pods.values())
    if (pod.spec.volumes?.some((other) => conflicts(disk, other))) return true;
  return false;
}

/** The same disk, unless both only read where that is possible. */
function conflicts(a: Volume, b: Volume): boolean {
  if (a.gcePersistentDisk !== undefined && b.gcePersistentDisk !== undefined) {
    const isReading =
      a.gcePersistentDisk.readOnly === true && b.gcePersistentDisk.readOnly === true;
    return a.gcePersistentDisk.pdName === b.gcePersistentDisk.pdName && !isReading;
  }
  if (a.awsElasticBlockStore !== undefined && b.awsElasticBlockStore !== undefined)
    return a.awsElasticBlockStore.volumeID === b.awsElasticBlockStore.volumeID;
  if (a.iscsi !== undefined && b.iscsi !== undefined) {
    const isReading = a.iscsi.readOnly === true && b.iscsi.readOnly === true;
    return a.iscsi.iqn === b.iscsi.iqn && !isReading;
  }
  if (a.rbd !== undefined && b.rbd !== undefined) {
    const { monitors, pool, image } = b.rbd;
    const isReading = a.rbd.readOnly === true && b.rbd.readOnly === true;
    const shares = (a.rbd.monitors ?? []).some((monitor) => monitors?.includes(monitor));
    return shares && a.rbd.pool === pool && a.rbd.image === image && !isReading;
  }
  return false;
}
