// Validation of PersistentVolumeClaims. A claim may grow and change its attributes class once it is
// bound; everything else is fixed, so that quota cannot be gamed.

import {
  compareQuantities,
  cloneDecoded,
  fieldError,
  isNativeResource,
  parseQuantity,
  type FieldError,
} from '@keelson/apimachinery';
import type {
  PersistentVolumeClaim,
  PersistentVolumeClaimSpec,
} from '@keelson/apimachinery/types/core.v1';
import { internalDiff } from '../../internal-form/internal-diff.ts';
import { conforms, immutable, immutableDetail, oneOf } from '../../validation/checks.ts';
import { isSemanticallyEqual } from '../../validation/equality.ts';
import { qualifiedName } from '../../validation/names.ts';
import { basicQuantity } from '../../validation/resource-names.ts';
import { storageClassAnnotation } from '../persistentvolumes/warnings.ts';
import { persistentVolumeClaimSpec } from './claim-spec.ts';

const resizeStatuses = [
  'ControllerResizeInProgress',
  'ControllerResizeInfeasible',
  'NodeResizeInProgress',
  'NodeResizeInfeasible',
  'NodeResizePending',
];

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
  checkAttributesClass(errors, claim, old);
  return errors;
}

/** A class can be taken back until a volume has it. */
function checkAttributesClass(
  errors: FieldError[],
  { spec: { volumeAttributesClassName: name } }: PersistentVolumeClaim,
  { spec, status }: PersistentVolumeClaim,
): void {
  if (name || name === spec.volumeAttributesClassName) return;
  if (status?.currentVolumeAttributesClassName === undefined) return;
  const what = name === '' ? 'an empty string' : 'nil';
  const why = `update to ${what} is forbidden when status.currentVolumeAttributesClassName is not nil`;
  errors.push(fieldError.forbidden('spec.volumeAttributesClassName', why));
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
  const now = cloneDecoded(claim.spec);
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
  for (const [name, text] of Object.entries(status?.capacity ?? {})) {
    basicQuantity(errors, `status.capacity[${name}]`, text);
  }
  const resizePath = 'status.allocatedResourceStatus';
  for (const [name, resize] of Object.entries(status?.allocatedResourceStatuses ?? {})) {
    claimResource(errors, resizePath, name);
    // COMPAT: the value shown is the name of the resource.
    if (!resizeStatuses.includes(resize)) {
      errors.push(fieldError.notSupported(resizePath, name, resizeStatuses));
    }
  }
  for (const [name, text] of Object.entries(status?.allocatedResources ?? {})) {
    if (!claimResource(errors, 'status.allocatedResources', name)) continue;
    basicQuantity(errors, `status.allocatedResources[${name}]`, text);
  }
  return errors;
}

/** `storage`, or a resource of a domain that is not Kubernetes'. */
function claimResource(errors: FieldError[], path: string, name: string): boolean {
  if (!conforms(errors, path, name, qualifiedName)) return false;
  if (!isNativeResource(name)) return true;
  return oneOf(errors, path, name, ['storage']);
}
