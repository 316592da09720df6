// What a node knows of claims and volumes: as its informers have them.

import type {
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  Volume,
} from '@keelson/apimachinery/types/core.v1';
import type { CSIDriver } from '@keelson/apimachinery/types/storage.k8s.io.v1';
import { claimNameOf, isBoundTo, needsAttachment, nodeVolumeName } from '@keelson/controllers';

export interface StorageLookup {
  claim(namespace: string, name: string): PersistentVolumeClaim | undefined;
  volume(name: string): PersistentVolume | undefined;
  driver(name: string): CSIDriver | undefined;
}

export interface BoundVolume {
  /** As the pod calls it. */
  readonly name: string;
  readonly claim: PersistentVolumeClaim;
  readonly volume: PersistentVolume;
}

/** The persistent volumes of a pod, without those whose claim is not bound. */
export function boundVolumesOf(pod: Pod, lookup: StorageLookup): BoundVolume[] {
  const { namespace = '' } = pod.metadata ?? {};
  return (pod.spec?.volumes ?? []).flatMap((one) => {
    const claimName = claimNameOf(pod, one);
    const claim = claimName === undefined ? undefined : lookup.claim(namespace, claimName);
    const volume = claim && lookup.volume(claim.spec?.volumeName ?? '');
    if (claim === undefined || volume === undefined || !isBoundTo(claim, volume)) return [];
    return [{ name: one.name, claim, volume }];
  });
}

/** How the node knows those that have to be attached before they are mounted. */
export function attachableVolumesOf(pod: Pod, lookup: StorageLookup): string[] {
  return boundVolumesOf(pod, lookup).flatMap(({ volume }) => attachableName(volume, lookup));
}

/** As the pod calls them: volumes that the node does not know to be attached. */
export function unattachedVolumesOf(
  pod: Pod,
  lookup: StorageLookup,
  attached: ReadonlySet<string>,
): string[] {
  const bound = new Map(boundVolumesOf(pod, lookup).map(({ name, volume }) => [name, volume]));
  const isMissing = (one: Volume) => {
    const volume = bound.get(one.name);
    if (volume === undefined) return claimNameOf(pod, one) !== undefined;
    return attachableName(volume, lookup).some((name) => !attached.has(name));
  };
  return (pod.spec?.volumes ?? []).filter(isMissing).map(({ name }) => name);
}

function attachableName(volume: PersistentVolume, { driver }: StorageLookup): string[] {
  const name = nodeVolumeName(volume);
  return name !== undefined && needsAttachment(volume, driver) ? [name] : [];
}
