// PersistentVolumeClaims.

import type { PersistentVolumeClaim } from '@keelson/apimachinery/types/core.v1';
import { age, unsetText } from '../../printing/cells.ts';
import type { Strategy, SubresourceStrategy } from '../../strategy.ts';
import { accessModesText } from '../persistentvolumes/access-modes.ts';
import { storageClassAnnotation } from '../persistentvolumes/warnings.ts';
import { roundUpResources } from '../pod-spec/defaults.ts';
import { claimSpecWarnings } from './claim-spec-warnings.ts';
import { synchronizeDataSources } from './data-sources.ts';
import { validateClaim, validateClaimStatus, validateClaimUpdate } from './validation.ts';

const status: SubresourceStrategy<PersistentVolumeClaim> = {
  prepareForUpdate(claim, old) {
    claim.spec = old.spec;
  },
  validateUpdate: validateClaimStatus,
  resetFields: [['spec']],
};

export const persistentVolumeClaimStrategy: Strategy<PersistentVolumeClaim> = {
  applyDefaults(claim) {
    (claim.status ??= {}).phase ||= 'Pending';
    claim.spec.volumeMode ??= 'Filesystem';
    const { requests, limits } = claim.spec.resources ?? {};
    for (const list of [requests, limits, claim.status.capacity]) if (list) roundUpResources(list);
  },
  prepareForCreate(claim, { features }) {
    claim.status = { phase: 'Pending' };
    synchronizeDataSources(claim.spec, undefined, features);
  },
  prepareForUpdate(claim, old, { features }) {
    if (old.status) claim.status = old.status;
    synchronizeDataSources(claim.spec, old.spec, features);
  },
  validate: validateClaim,
  warningsOnCreate: claimWarnings,
  validateUpdate: validateClaimUpdate,
  warningsOnUpdate: claimWarnings,
  returnDeletedObject: true,
  tableCells: claimCells,
  resetFields: [['status']],
  subresources: { status },
};

function claimWarnings({ metadata, spec }: PersistentVolumeClaim): string[] {
  const warnings = claimSpecWarnings('spec', spec);
  if (metadata.annotations?.[storageClassAnnotation] === undefined) return warnings;
  return [
    `metadata.annotations[${storageClassAnnotation}]: deprecated since v1.8; use "storageClassName" attribute instead`,
    ...warnings,
  ];
}

function claimCells(claim: PersistentVolumeClaim, nowMs: number): unknown[] {
  const { metadata, spec, status: now } = claim;
  const isBound = Boolean(spec.volumeName);
  return [
    metadata.name,
    metadata.deletionTimestamp ? 'Terminating' : (now?.phase ?? ''),
    spec.volumeName ?? '',
    isBound ? (now?.capacity?.['storage'] ?? '0') : '',
    isBound ? accessModesText(now?.accessModes) : '',
    metadata.annotations?.[storageClassAnnotation] ?? spec.storageClassName ?? '',
    spec.volumeAttributesClassName ?? unsetText,
    age(claim, nowMs),
    spec.volumeMode ?? unsetText,
  ];
}
