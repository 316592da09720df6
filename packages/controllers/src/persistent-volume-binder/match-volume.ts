// Which volume a claim gets: the one that is kept for it, or else the smallest free one that is
// large enough and of the claim's class, modes and labels. Volumes with fewer access modes come
// first, so that one that can do more stays for who needs it.

import {
  compareQuantities,
  compileLabelSelector,
  parseQuantity,
  type Quantity,
} from '@keelson/apimachinery';
import type { PersistentVolume, PersistentVolumeClaim } from '@keelson/apimachinery/types/core.v1';

const betaClassAnnotation = 'volume.beta.kubernetes.io/storage-class';

/** The annotation is older than the field and still counts. */
export function classOf({ metadata, spec }: PersistentVolume | PersistentVolumeClaim): string {
  return metadata.annotations?.[betaClassAnnotation] ?? spec?.storageClassName ?? '';
}

/** It is the claim's, or kept for it by name. */
export function isKeptFor(
  { spec }: PersistentVolume,
  { metadata }: PersistentVolumeClaim,
): boolean {
  const { namespace, name, uid = '' } = spec?.claimRef ?? {};
  if (name !== metadata.name || namespace !== metadata.namespace) return false;
  return uid === '' || uid === metadata.uid;
}

export interface MatchOptions {
  /** The scheduler binds such a claim; only what is kept for it is taken here. */
  readonly isDelayed: boolean;
}

export function matchVolume(
  claim: PersistentVolumeClaim,
  volumes: readonly PersistentVolume[],
  { isDelayed }: MatchOptions,
): PersistentVolume | undefined {
  const candidates = volumes.filter(
    (volume) =>
      volume.metadata.deletionTimestamp === undefined &&
      hasSameVolumeMode(volume, claim) &&
      hasSameAttributesClass(volume, claim) &&
      offersModes(volume, claim),
  );
  const kept = candidates.find((volume) => isKeptFor(volume, claim));
  if (kept !== undefined || isDelayed) return kept;
  const selector = compileLabelSelector(claim.spec?.selector ?? {});
  const free = candidates.filter(
    (volume) =>
      volume.status?.phase === 'Available' &&
      volume.spec?.claimRef === undefined &&
      classOf(volume) === classOf(claim) &&
      isLargeEnough(volume, claim) &&
      selector.matches(volume.metadata.labels),
  );
  return free.toSorted(byUsefulness)[0];
}

/** Why a volume that a claim names is not for it. */
export function mismatch(
  volume: PersistentVolume,
  claim: PersistentVolumeClaim,
): string | undefined {
  if (!isLargeEnough(volume, claim)) return 'requested PV is too small';
  if (classOf(volume) !== classOf(claim)) return 'storageClassName does not match';
  if (!hasSameVolumeMode(volume, claim)) return 'incompatible volumeMode';
  if (!hasSameAttributesClass(volume, claim)) return 'volumeAttributesClassName does not match';
  if (!offersModes(volume, claim)) return 'incompatible accessMode';
  return undefined;
}

export function hasSameVolumeMode(
  { spec: volume }: PersistentVolume,
  { spec: claim }: PersistentVolumeClaim,
): boolean {
  return (volume?.volumeMode ?? 'Filesystem') === (claim?.volumeMode ?? 'Filesystem');
}

export function hasSameAttributesClass(
  { spec: volume }: PersistentVolume,
  { spec: claim }: PersistentVolumeClaim,
): boolean {
  return (volume?.volumeAttributesClassName ?? '') === (claim?.volumeAttributesClassName ?? '');
}

export function offersModes(
  { spec: volume }: PersistentVolume,
  { spec: claim }: PersistentVolumeClaim,
): boolean {
  const offered = volume?.accessModes ?? [];
  return (claim?.accessModes ?? []).every((mode) => offered.includes(mode));
}

export function isLargeEnough(volume: PersistentVolume, { spec }: PersistentVolumeClaim): boolean {
  const request = parseQuantity(spec?.resources?.requests?.['storage'] ?? '0');
  return compareQuantities(sizeOf(volume), request) >= 0;
}

export function sizeOf({ spec }: PersistentVolume): Quantity {
  return parseQuantity(spec?.capacity?.['storage'] ?? '0');
}

function byUsefulness(a: PersistentVolume, b: PersistentVolume): number {
  const modes = (volume: PersistentVolume) => volume.spec?.accessModes?.length ?? 0;
  const byName = (a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1;
  return modes(a) - modes(b) || compareQuantities(sizeOf(a), sizeOf(b)) || byName;
}
