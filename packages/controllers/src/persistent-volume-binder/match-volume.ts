// Which volume a claim gets: the one that is kept for it, or else the smallest free one of the
// claim's class and labels; both have to be large enough and to have the claim's modes. Volumes with
// fewer access modes come first, so that one that can do more stays for who needs it.

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

/** Somebody said which class, even if none. */
export function hasClass({ metadata, spec }: PersistentVolumeClaim): boolean {
  const isAnnotated = metadata.annotations?.[betaClassAnnotation] !== undefined;
  return isAnnotated || spec?.storageClassName !== undefined;
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
  const selector = compileLabelSelector(claim.spec?.selector ?? {});
  const isFree = ({ metadata, spec, status }: PersistentVolume) =>
    status?.phase === 'Available' &&
    spec?.claimRef === undefined &&
    selector.matches(metadata.labels);
  const candidates = volumes
    .filter(
      (volume) =>
        volume.metadata.deletionTimestamp === undefined &&
        isLargeEnough(volume, claim) &&
        hasSameVolumeMode(volume, claim) &&
        hasSameAttributesClass(volume, claim) &&
        offersModes(volume, claim),
    )
    .map((volume) => ({ volume, isKept: isKeptFor(volume, claim) }))
    .filter(
      ({ volume, isKept }) =>
        isKept || (!isDelayed && isFree(volume) && classOf(volume) === classOf(claim)),
    );
  return candidates.toSorted(byUsefulness)[0]?.volume;
}

/** Why a volume that a claim names is not for it. */
export function mismatch(
  volume: PersistentVolume,
  claim: PersistentVolumeClaim,
): string | undefined {
  const { name = '', deletionTimestamp } = volume.metadata;
  if (deletionTimestamp !== undefined)
    return `the volume is marked for deletion ${JSON.stringify(name)}`;
  if (!isLargeEnough(volume, claim)) return 'requested PV is too small';
  if (classOf(volume) !== classOf(claim)) return 'storageClassName does not match';
  if (!hasSameAttributesClass(volume, claim)) return 'volumeAttributesClassName does not match';
  if (!hasSameVolumeMode(volume, claim)) return 'incompatible volumeMode';
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

interface Candidate {
  readonly volume: PersistentVolume;
  readonly isKept: boolean;
}

/** COMPAT: a free one with fewer modes comes before the one that is kept for the claim. */
function byUsefulness(a: Candidate, b: Candidate): number {
  const modes = ({ volume }: Candidate) => volume.spec?.accessModes?.length ?? 0;
  const nameOf = ({ volume }: Candidate) => volume.metadata.name ?? '';
  return (
    modes(a) - modes(b) ||
    Number(b.isKept) - Number(a.isKept) ||
    compareQuantities(sizeOf(a.volume), sizeOf(b.volume)) ||
    (nameOf(a) < nameOf(b) ? -1 : 1)
  );
}
