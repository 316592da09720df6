// Validation of PersistentVolumeClaims. A claim may grow and change its attributes class once it is bound;
// everything else is fixed, so that quota cannot be gamed.

import {
  compareQuantities,
  fieldError,
  parseQuantity,
  signOf,
  type FieldError,
} from '@keelson/apimachinery';
import type {
  PersistentVolumeClaim,
  PersistentVolumeClaimSpec,
} from '@keelson/apimachinery/types/core.v1';
import { internalDiff } from '../../internal-form/internal-diff.ts';
import { immutable, immutableDetail } from '../../validation/checks.ts';
import { isSemanticallyEqual } from '../../validation/equality.ts';
import { storageClassAnnotation } from '../persistentvolumes/warnings.ts';
import { persistentVolumeClaimSpec } from './claim-spec.ts';

export function validateClaim({ spec }: PersistentVolumeClaim): FieldError[] {
  const errors: FieldError[] = [];
  persistentVolumeClaimSpec(errors, 'spec', spec);
  return errors;
}

export function validateClaimUpdate(
  claim: PersistentVolumeClaim,
  old: PersistentVolumeClaim,
): FieldError[] {
  const errors = validateClaim(claim);
  const isRenamed = movesClassFromAnnotation(claim, old);
  const annotations = [claimClassAnnotation(claim), claimClassAnnotation(old)] as const;
  if (!isRenamed && annotations[0] !== annotations[1]) {
    const path = `metadata.annotations[${storageClassAnnotation}]`;
    errors.push(fieldError.invalid(path, annotations[0] ?? '', immutableDetail));
  }
  const [now, before] = fixedParts(claim, old, isRenamed);
  if (!isSemanticallyEqual(now, before)) {
    const why = `spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims\n${internalDiff('PersistentVolumeClaimSpec', before, now)}`;
    errors.push(fieldError.forbidden('spec', why));
  }
  checkShrinking(errors, claim, old);
  immutable(errors, 'volumeMode', [claim.spec.volumeMode, old.spec.volumeMode]);
  if (old.spec.volumeAttributesClassName && claim.spec.volumeAttributesClassName === undefined) {
    const why = 'update from non-nil value to nil is forbidden';
    errors.push(fieldError.forbidden('spec.volumeAttributesClassName', why));
  }
  return errors;
}

const claimClassAnnotation = ({ metadata }: PersistentVolumeClaim) =>
  metadata.annotations?.[storageClassAnnotation];

/** The class may move from the annotation of old to the field. */
function movesClassFromAnnotation(
  claim: PersistentVolumeClaim,
  old: PersistentVolumeClaim,
): boolean {
  const before = claimClassAnnotation(old);
  if (before === undefined || old.spec.storageClassName !== undefined) return false;
  const kept = claimClassAnnotation(claim);
  return claim.spec.storageClassName === before && (kept === undefined || kept === before);
}

/** Both specifications with what may differ made the same. */
function fixedParts(
  claim: PersistentVolumeClaim,
  old: PersistentVolumeClaim,
  isRenamed: boolean,
): [now: PersistentVolumeClaimSpec, before: PersistentVolumeClaimSpec] {
  const now = { ...claim.spec };
  const before = { ...old.spec };
  if (!before.volumeName) before.volumeName = now.volumeName ?? '';
  now.volumeName ??= '';
  if (isRenamed) delete now.storageClassName;
  else if (!claimClassAnnotation(old) && before.storageClassName === undefined) {
    // A class that became the default after the claim was made may be filled in.
    delete now.storageClassName;
  }
  const requests = now.resources?.requests;
  const storage = before.resources?.requests?.['storage'];
  if (claim.status?.phase === 'Bound' && requests && storage !== undefined) {
    now.resources = { ...now.resources, requests: { ...requests, storage } };
  }
  delete now.volumeAttributesClassName;
  if (before.volumeAttributesClassName !== undefined) {
    now.volumeAttributesClassName = before.volumeAttributesClassName;
  }
  return [now, before];
}

/** A request may shrink again as long as the volume has not grown that far (KEP-1790). */
function checkShrinking(
  errors: FieldError[],
  claim: PersistentVolumeClaim,
  old: PersistentVolumeClaim,
): void {
  const amount = (text: string | undefined) => parseQuantity(text ?? '0');
  const now = amount(claim.spec.resources?.requests?.['storage']);
  if (compareQuantities(now, amount(old.spec.resources?.requests?.['storage'])) >= 0) return;
  if (compareQuantities(now, amount(old.status?.capacity?.['storage'])) > 0) return;
  const path = 'spec.resources.requests.storage';
  errors.push(fieldError.forbidden(path, 'field can not be less than status.capacity'));
}

export function validateClaimStatus({
  metadata,
  spec,
  status,
}: PersistentVolumeClaim): FieldError[] {
  const errors: FieldError[] = [];
  if (!metadata.resourceVersion) errors.push(fieldError.required('resourceVersion'));
  if (!spec.accessModes?.length) errors.push(fieldError.required('Spec.accessModes'));
  for (const field of ['capacity', 'allocatedResources'] as const) {
    for (const [name, text] of Object.entries(status?.[field] ?? {})) {
      if (signOf(parseQuantity(text)) >= 0) continue;
      const why = 'must be a valid resource quantity';
      errors.push(fieldError.invalid(`status.${field}[${name}]`, text, why));
    }
  }
  return errors;
}
