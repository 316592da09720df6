// VolumeAttributesClasses: parameters of a volume that may change while it lives. A class itself is
// fixed.

import { fieldError, type FieldError } from '@keelson/apimachinery';
import type { VolumeAttributesClass } from '@keelson/apimachinery/types/storage.k8s.io.v1';
import { age } from '../../printing/cells.ts';
import type { Strategy } from '../../strategy.ts';
import { isSemanticallyEqual } from '../../validation/equality.ts';
import { driverParameters, driverQualifiedName } from '../driver-fields.ts';

const defaultAnnotation = 'volumeattributesclass.alpha.kubernetes.io/is-default-class';

export const volumeAttributesClassStrategy: Strategy<VolumeAttributesClass> = {
  validate: validateClass,
  validateUpdate(attributes, old) {
    const errors: FieldError[] = [];
    const forbid = (field: string) =>
      errors.push(fieldError.forbidden(field, `updates to ${field} are forbidden.`));
    if (attributes.driverName !== old.driverName) forbid('driverName');
    if (!isSemanticallyEqual(attributes.parameters ?? {}, old.parameters ?? {})) {
      forbid('parameters');
    }
    return [...errors, ...validateClass(attributes)];
  },
  returnDeletedObject: true,
  tableCells: (attributes, nowMs) => [
    nameText(attributes),
    attributes.driverName,
    age(attributes, nowMs),
  ],
};

function nameText({ metadata }: VolumeAttributesClass): string {
  const isDefault = metadata.annotations?.[defaultAnnotation] === 'true';
  return isDefault ? `${metadata.name} (default)` : (metadata.name ?? '');
}

function validateClass({ driverName, parameters }: VolumeAttributesClass): FieldError[] {
  const errors: FieldError[] = [];
  driverQualifiedName(errors, 'driverName', driverName);
  driverParameters(errors, 'parameters', parameters);
  if (Object.keys(parameters ?? {}).length === 0) {
    errors.push(fieldError.required('parameters', 'must contain at least one key/value pair'));
  }
  return errors;
}
