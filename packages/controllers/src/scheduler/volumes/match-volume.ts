// The persistent volume that fits a claim on a node: of its class, large enough, free, and the
// smallest of those; one that is kept for the claim is the only one that will do.

import { compareQuantities, compileLabelSelector } from '@keelson/apimachinery';
import type { PersistentVolume, PersistentVolumeClaim } from '@keelson/apimachinery/types/core.v1';
import {
  classOf,
  hasSameAttributesClass,
  hasSameVolumeMode,
  isKeptFor,
  isLargeEnough,
  offersModes,
  sizeOf,
} from '../../persistent-volume-binder/match-volume.ts';
import { compileNodeSelector } from '../snapshot/node-selector.ts';
import type { NodeState } from '../snapshot/node-state.ts';

export function reaches({ spec }: PersistentVolume, node: NodeState): boolean {
  const required = spec?.nodeAffinity?.required;
  return required === undefined || compileNodeSelector(required)(node);
}

/** `volumes`: those of the claim's class. */
export function matchVolume(
  volumes: readonly PersistentVolume[],
  claim: PersistentVolumeClaim,
  { node, isTaken }: { readonly node: NodeState; readonly isTaken: (name: string) => boolean },
): PersistentVolume | undefined {
  const selector = compileLabelSelector(claim.spec?.selector ?? {});
  const isFree = (volume: PersistentVolume) =>
    volume.spec?.claimRef === undefined &&
    volume.status?.phase === 'Available' &&
    classOf(volume) === classOf(claim) &&
    selector.matches(volume.metadata.labels) &&
    offersModes(volume, claim);
  let best: PersistentVolume | undefined;
  for (const volume of volumes) {
    if (isTaken(volume.metadata.name ?? '') || !mayHold(volume, claim)) continue;
    // Who keeps a volume for a claim knows which modes and labels it has.
    if (isKeptFor(volume, claim)) return reaches(volume, node) ? volume : undefined;
    if (!isFree(volume) || !reaches(volume, node)) continue;
    if (best === undefined || compareQuantities(sizeOf(volume), sizeOf(best)) < 0) best = volume;
  }
  return best;
}

function mayHold(volume: PersistentVolume, claim: PersistentVolumeClaim): boolean {
  return (
    volume.metadata.deletionTimestamp === undefined &&
    isLargeEnough(volume, claim) &&
    hasSameVolumeMode(volume, claim) &&
    hasSameAttributesClass(volume, claim)
  );
}
