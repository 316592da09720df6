// Warnings about PersistentVolumes: annotations that became fields, sources that no longer work.

import type { PersistentVolume } from '@keelson/apimachinery/types/core.v1';
import { fractionalBytes } from '../persistentvolumeclaims/claim-spec-warnings.ts';
import { nodeSelectorTermWarnings } from '../pod-spec/node-label-warnings.ts';

export const storageClassAnnotation = 'volume.beta.kubernetes.io/storage-class';
const mountOptionsAnnotation = 'volume.beta.kubernetes.io/mount-options';

const deprecatedSources = [
  ['photonPersistentDisk', 'deprecated in v1.11, non-functional in v1.16+'],
  ['scaleIO', 'deprecated in v1.16, non-functional in v1.22+'],
  ['storageos', 'deprecated in v1.22, non-functional in v1.25+'],
  ['glusterfs', 'deprecated in v1.25, non-functional in v1.26+'],
  ['flocker', 'deprecated in v1.22, non-functional in v1.25+'],
  ['quobyte', 'deprecated in v1.22, non-functional in v1.25+'],
  ['cephfs', 'deprecated in v1.28, non-functional in v1.31+'],
  ['rbd', 'deprecated in v1.28, non-functional in v1.31+'],
] as const;

export function persistentVolumeWarnings({ metadata, spec }: PersistentVolume): string[] {
  const warnings: string[] = [];
  if (metadata.annotations?.[storageClassAnnotation] !== undefined) {
    warnings.push(
      `metadata.annotations[${storageClassAnnotation}]: deprecated since v1.8; use "storageClassName" attribute instead`,
    );
  }
  if (metadata.annotations?.[mountOptionsAnnotation] !== undefined) {
    warnings.push(
      `metadata.annotations[${mountOptionsAnnotation}]: deprecated since v1.31; use "mountOptions" attribute instead`,
    );
  }
  if (spec.persistentVolumeReclaimPolicy === 'Recycle') {
    warnings.push(
      'spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.',
    );
  }
  spec.nodeAffinity?.required?.nodeSelectorTerms?.forEach((term, i) => {
    const path = `spec.nodeAffinity.required.nodeSelectorTerms[${i}]`;
    warnings.push(...nodeSelectorTermWarnings(path, term, { checkValues: false }));
  });
  for (const [field, why] of deprecatedSources) {
    if (spec[field]) warnings.push(`spec.${field}: ${why}`);
  }
  return [...warnings, ...fractionalBytes('spec.capacity[storage]', spec.capacity?.['storage'])];
}
