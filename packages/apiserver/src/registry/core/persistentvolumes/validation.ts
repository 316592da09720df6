// Validation of PersistentVolumes, and of the same specification inside a VolumeAttachment.

import { posix } from 'node:path';
import { fieldError, goFieldName, type FieldError } from '@keelson/apimachinery';
import type { PersistentVolume, PersistentVolumeSpec } from '@keelson/apimachinery/types/core.v1';
import { diffOfInternalForms } from '../../internal-form/internal-diff.ts';
import { internalMap, internalValue } from '../../internal-form/internal-value.ts';
import { conforms, immutable, immutableDetail, oneOf, required } from '../../validation/checks.ts';
import { isSemanticallyEqual } from '../../validation/equality.ts';
import { dns1123Subdomain } from '../../validation/names.ts';
import { basicQuantity, positiveQuantity } from '../../validation/resource-names.ts';
import { claimAccessModes, volumeModes } from '../persistentvolumeclaims/claim-spec.ts';
import { nodeSelector } from '../pod-spec/affinity.ts';
import { checkIscsiLength, internalSourceOrder, sourceRules } from './sources.ts';

const reclaimPolicies = ['Delete', 'Recycle', 'Retain'];
const needsCsi = 'has to be specified when using volumeAttributesClassName';
const inline = 'in the context of inline volumes';

export function validatePersistentVolume({ metadata, spec }: PersistentVolume): FieldError[] {
  const errors: FieldError[] = [];
  const path = 'spec';
  required(errors, `${path}.accessModes`, spec.accessModes);
  claimAccessModes(errors, `${path}.accessModes`, spec.accessModes ?? []);
  checkCapacity(errors, `${path}.capacity`, spec);
  if (spec.persistentVolumeReclaimPolicy) {
    const at = `${path}.persistentVolumeReclaimPolicy`;
    oneOf(errors, at, spec.persistentVolumeReclaimPolicy, reclaimPolicies);
  }
  checkNodeAffinity(errors, `${path}.nodeAffinity`, spec);
  checkSources(errors, path, spec);
  checkIscsiLength(errors, metadata.name ?? '', spec);
  if (spec.storageClassName) {
    conforms(errors, `${path}.storageClassName`, spec.storageClassName, dns1123Subdomain);
  }
  if (spec.volumeMode !== undefined) {
    oneOf(errors, `${path}.volumeMode`, spec.volumeMode, volumeModes);
  }
  checkAttributesClass(errors, path, spec);
  return errors;
}

/**
 * The specification of a volume that exists only in a VolumeAttachment: CSI, and little besides.
 */
export function validateInlineVolumeSpec(
  errors: FieldError[],
  path: string,
  spec: PersistentVolumeSpec,
): void {
  const forbid = (field: string, isSet: unknown, why = `may not be specified ${inline}`) => {
    if (isSet) errors.push(fieldError.forbidden(`${path}.${field}`, why));
  };
  forbid('claimRef', spec.claimRef);
  forbid('capacity', Object.keys(spec.capacity ?? {}).length > 0);
  if (!spec.csi) errors.push(fieldError.required(`${path}.csi`, `has to be specified ${inline}`));
  required(errors, `${path}.accessModes`, spec.accessModes);
  claimAccessModes(errors, `${path}.accessModes`, spec.accessModes ?? []);
  const policy = spec.persistentVolumeReclaimPolicy;
  const isOtherPolicy = policy && policy !== 'Retain';
  forbid('persistentVolumeReclaimPolicy', isOtherPolicy, `may only be Retain ${inline}`);
  forbid('nodeAffinity', spec.nodeAffinity);
  checkSources(errors, path, spec);
  forbid('storageClassName', spec.storageClassName);
  const isOtherMode = spec.volumeMode !== undefined && spec.volumeMode !== 'Filesystem';
  const modeDetail = `may not specify volumeMode other than Filesystem ${inline}`;
  forbid('volumeMode', isOtherMode, modeDetail);
  checkAttributesClass(errors, path, spec);
}

/** Exactly the resource `storage`. */
function checkCapacity(errors: FieldError[], path: string, spec: PersistentVolumeSpec): void {
  const capacity = spec.capacity ?? {};
  const names = Object.keys(capacity);
  if (names.length === 0) errors.push(fieldError.required(path));
  if (names.length !== 1 || names[0] !== 'storage') {
    errors.push(fieldError.notSupported(path, internalMap(spec, 'capacity'), ['storage']));
  }
  for (const [name, text] of Object.entries(capacity)) {
    basicQuantity(errors, `${path}[${name}]`, text);
    positiveQuantity(errors, `${path}[${name}]`, text);
  }
}

function checkNodeAffinity(errors: FieldError[], path: string, spec: PersistentVolumeSpec): void {
  if (!spec.nodeAffinity) return;
  if (spec.nodeAffinity.required) {
    nodeSelector(errors, `${path}.required`, spec.nodeAffinity.required);
    return;
  }
  const why = 'must specify required node constraints';
  errors.push(fieldError.required(`${path}.required`, why));
}

function checkSources(errors: FieldError[], path: string, spec: PersistentVolumeSpec): void {
  let found = false;
  for (const { field, check, pathName = field, repeatedName = field } of sourceRules) {
    if (spec[field] === undefined) continue;
    if (found && repeatedName !== '') {
      const why = 'may not specify more than 1 volume type';
      errors.push(fieldError.forbidden(`${path}.${repeatedName}`, why));
    } else {
      check(errors, `${path}.${pathName}`, spec);
    }
    if (field === 'local' && !found && !spec.nodeAffinity) {
      const why = 'Local volume requires node affinity';
      errors.push(fieldError.required(`${path}.nodeAffinity`, why));
    }
    found = true;
  }
  if (!found) errors.push(fieldError.required(path, 'must specify a volume type'));
  const hostPath = spec.hostPath?.path;
  if (hostPath === undefined || spec.persistentVolumeReclaimPolicy !== 'Recycle') return;
  if (posix.normalize(`${hostPath}/`) !== '/') return;
  const why = "may not be 'recycle' for a hostPath mount of '/'";
  errors.push(fieldError.forbidden(`${path}.persistentVolumeReclaimPolicy`, why));
}

function checkAttributesClass(
  errors: FieldError[],
  path: string,
  { volumeAttributesClassName: name, csi }: PersistentVolumeSpec,
): void {
  if (name === undefined) return;
  const why = 'an empty string is disallowed';
  if (name === '') errors.push(fieldError.required(`${path}.volumeAttributesClassName`, why));
  else conforms(errors, `${path}.volumeAttributesClassName`, name, dns1123Subdomain);
  if (!csi) errors.push(fieldError.required(`${path}.csi`, needsCsi));
}

/** The source of a volume is fixed; the secret for expanding it may be added. */
export function validatePersistentVolumeChange(
  volume: PersistentVolume,
  old: PersistentVolume,
): FieldError[] {
  const errors = validatePersistentVolume(volume);
  const { spec } = volume;
  const [now, before] = [internalSource(withoutAddedSecret(spec, old)), internalSource(old.spec)];
  if (!isSemanticallyEqual(now, before)) {
    const why = `spec.persistentvolumesource is immutable after creation\n${diffOfInternalForms(before, now)}`;
    errors.push(fieldError.forbidden('spec.persistentvolumesource', why));
  }
  immutable(errors, 'volumeMode', [spec.volumeMode, old.spec.volumeMode]);
  if (old.spec.nodeAffinity && !isSemanticallyEqual(spec.nodeAffinity, old.spec.nodeAffinity)) {
    const shown = internalValue('VolumeNodeAffinity', spec.nodeAffinity);
    errors.push(fieldError.invalid('nodeAffinity', shown, immutableDetail));
  }
  if (old.spec.volumeAttributesClassName && spec.volumeAttributesClassName === undefined) {
    const why = 'update from non-nil value to nil is forbidden';
    errors.push(fieldError.forbidden('spec.volumeAttributesClassName', why));
  }
  return errors;
}

function withoutAddedSecret(spec: PersistentVolumeSpec, old: PersistentVolume) {
  if (!spec.csi || !old.spec.csi || old.spec.csi.controllerExpandSecretRef) return spec;
  const { controllerExpandSecretRef: _added, ...csi } = spec.csi;
  return { ...spec, csi };
}

function internalSource(spec: PersistentVolumeSpec): Record<string, unknown> {
  const types = new Map<string, string>(sourceRules.map(({ field, type }) => [field, type]));
  return Object.fromEntries(
    internalSourceOrder.map((field) => [
      goFieldName('PersistentVolumeSource', field),
      internalValue(types.get(field) ?? '', spec[field]),
    ]),
  );
}
