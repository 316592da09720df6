// How large a claim is, how large it should be, and how large its volume is.

import { compareQuantities, parseQuantity } from '@keelson/apimachinery';
import type { PersistentVolume, PersistentVolumeClaim } from '@keelson/apimachinery/types/core.v1';

export function requestedStorage({ spec }: PersistentVolumeClaim): string {
  return spec?.resources?.requests?.['storage'] ?? '0';
}
/** What its pods can use. */
export function claimCapacity({ status }: PersistentVolumeClaim): string {
  return status?.capacity?.['storage'] ?? '0';
}
export function volumeCapacity({ spec }: PersistentVolume): string {
  return spec?.capacity?.['storage'] ?? '0';
}

export function isLarger(size: string, than: string): boolean {
  return compareQuantities(parseQuantity(size), parseQuantity(than)) > 0;
}

/** It is bound, and somebody has asked for more than it has. */
export function asksForMore(claim: PersistentVolumeClaim): boolean {
  const isBound = claim.status?.phase === 'Bound';
  return isBound && isLarger(requestedStorage(claim), claimCapacity(claim));
}

/** Both sides of the binding say so. */
export function isBoundTo(
  { metadata, spec: claim }: PersistentVolumeClaim,
  { metadata: { name }, spec }: PersistentVolume,
): boolean {
  return claim?.volumeName === name && spec?.claimRef?.uid === metadata.uid;
}
