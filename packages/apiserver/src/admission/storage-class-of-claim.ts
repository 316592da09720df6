// The storage class that a claim names, if any: an old annotation goes before the field.

import type { PersistentVolumeClaim } from '@keelson/apimachinery/types/core.v1';

export const betaStorageClassAnnotation = 'volume.beta.kubernetes.io/storage-class';

/** The empty name when the claim names none. */
export function storageClassOf(claim: PersistentVolumeClaim): string {
  const annotated = claim.metadata.annotations?.[betaStorageClassAnnotation];
  return annotated ?? claim.spec.storageClassName ?? '';
}
