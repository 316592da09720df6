// What a node knows of claims and volumes: as its informers have them.

import type { PersistentVolume, PersistentVolumeClaim } from '@keelson/apimachinery/types/core.v1';
import type { Pod } from '@keelson/apimachinery/types/core.v1';
import { claimNameOf, isBoundTo } from '@keelson/controllers';

export interface StorageLookup {
  claim(namespace: string, name: string): PersistentVolumeClaim | undefined;
  volume(name: string): PersistentVolume | undefined;
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
