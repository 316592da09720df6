// StorageClasses.

import { fieldError, type FieldError } from '@keelson/apimachinery';
import type { TopologySelectorTerm } from '@keelson/apimachinery/types/core.v1';
import type { StorageClass } from '@keelson/apimachinery/types/storage.k8s.io.v1';
import { age, unsetText } from '../../printing/cells.ts';
import type { Strategy } from '../../strategy.ts';
import { conforms, immutable, oneOf, required } from '../../validation/checks.ts';
import { isSemanticallyEqual } from '../../validation/equality.ts';
import { qualifiedName } from '../../validation/names.ts';
import { driverParameters, driverQualifiedName } from '../driver-fields.ts';

const defaultAnnotation = 'storageclass.kubernetes.io/is-default-class';
const betaDefaultAnnotation = 'storageclass.beta.kubernetes.io/is-default-class';
const reclaimPolicies = ['Delete', 'Retain'];
const bindingModes = ['Immediate', 'WaitForFirstConsumer'];

export const storageClassStrategy: Strategy<StorageClass> = {
  applyDefaults(storageClass) {
    storageClass.reclaimPolicy ??= 'Delete';
    storageClass.volumeBindingMode ??= 'Immediate';
  },
  validate: validateStorageClass,
  validateUpdate(storageClass, old) {
    return [...validateStorageClass(storageClass), ...fixedFields(storageClass, old)];
  },
  returnDeletedObject: true,
  tableCells: (storageClass, nowMs) => [
    nameText(storageClass),
    storageClass.provisioner,
    storageClass.reclaimPolicy ?? 'Delete',
    storageClass.volumeBindingMode ?? unsetText,
    storageClass.allowVolumeExpansion ?? false,
    age(storageClass, nowMs),
  ],
};

function nameText({ metadata }: StorageClass): string {
  const isDefault = [defaultAnnotation, betaDefaultAnnotation].some(
    (key) => metadata.annotations?.[key] === 'true',
  );
  return isDefault ? `${metadata.name} (default)` : (metadata.name ?? '');
}

function validateStorageClass(storageClass: StorageClass): FieldError[] {
  const errors: FieldError[] = [];
  const { provisioner, parameters, reclaimPolicy, volumeBindingMode } = storageClass;
  driverQualifiedName(errors, 'provisioner', provisioner);
  driverParameters(errors, 'parameters', parameters);
  if (reclaimPolicy) oneOf(errors, 'reclaimPolicy', reclaimPolicy, reclaimPolicies);
  if (volumeBindingMode === undefined) errors.push(fieldError.required('volumeBindingMode'));
  else oneOf(errors, 'volumeBindingMode', volumeBindingMode, bindingModes);
  checkTopologies(errors, storageClass.allowedTopologies ?? []);
  return errors;
}

function checkTopologies(errors: FieldError[], terms: readonly TopologySelectorTerm[]): void {
  // COMPAT: a term that selects nothing counts as a repetition.
  const earlier = [new Map<string, Set<string>>()];
  terms.forEach(({ matchLabelExpressions }, i) => {
    const path = `allowedTopologies[${i}]`;
    const expressions = matchLabelExpressions ?? [];
    const byKey = new Map<string, Set<string>>();
    expressions.forEach(({ key, values }, j) => {
      const at = `${path}.matchLabelExpressions[${j}]`;
      const set = new Set<string>();
      if (required(errors, `${at}.values`, values)) {
        (values ?? []).forEach((value, k) => {
          if (set.has(value)) errors.push(fieldError.duplicate(`${at}.values[${k}]`, value));
          set.add(value);
        });
      }
      conforms(errors, `${at}.key`, key, qualifiedName);
      if (byKey.has(key)) errors.push(fieldError.duplicate(`${at}.key`, key));
      byKey.set(key, set);
    });
    if (earlier.some((other) => isSameTerm(other, byKey))) {
      errors.push(fieldError.duplicate(`${path}.matchLabelExpressions`, ''));
    }
    earlier.push(byKey);
  });
}

function isSameTerm(
  a: ReadonlyMap<string, ReadonlySet<string>>,
  b: ReadonlyMap<string, ReadonlySet<string>>,
): boolean {
  return a.size === b.size && isSemanticallyEqual(plain(a), plain(b));
}

function plain(term: ReadonlyMap<string, ReadonlySet<string>>): Record<string, string[]> {
  return Object.fromEntries([...term].map(([key, values]) => [key, [...values].sort()]));
}

function fixedFields(storageClass: StorageClass, old: StorageClass): FieldError[] {
  const errors: FieldError[] = [];
  if (!isSemanticallyEqual(storageClass.parameters ?? {}, old.parameters ?? {})) {
    errors.push(fieldError.forbidden('parameters', 'updates to parameters are forbidden.'));
  }
  immutable(errors, 'provisioner', [storageClass.provisioner, old.provisioner]);
  if (storageClass.reclaimPolicy !== old.reclaimPolicy) {
    errors.push(fieldError.forbidden('reclaimPolicy', 'updates to reclaimPolicy are forbidden.'));
  }
  immutable(errors, 'volumeBindingMode', [storageClass.volumeBindingMode, old.volumeBindingMode]);
  return errors;
}
