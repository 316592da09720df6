// The specification of a claim, for PersistentVolumeClaims themselves and for the templates of
// claims in ephemeral volumes and StatefulSets.

import { fieldError } from '@keelson/apimachinery';
import type {
  PersistentVolumeClaimSpec,
  PersistentVolumeClaimTemplate,
  TypedObjectReference,
} from '@keelson/apimachinery/types/core.v1';
import { conforms, oneOf, required, type Errors } from '../../validation/checks.ts';
import { annotations, labelSelector, labels } from '../../validation/labels.ts';
import { dns1123Label, dns1123Subdomain } from '../../validation/names.ts';
import { positiveQuantity } from '../../validation/resource-names.ts';

const accessModes = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod'] as const;
export const volumeModes = ['Block', 'Filesystem'] as const;

export interface ClaimSpecOptions {
  readonly allowInvalidLabelValueInSelector?: boolean;
  readonly allowInvalidApiGroup?: boolean;
}

export function persistentVolumeClaimSpec(
  errors: Errors,
  path: string,
  spec: PersistentVolumeClaimSpec,
  options: ClaimSpecOptions = {},
): void {
  required(errors, `${path}.accessModes`, spec.accessModes, 'at least 1 access mode is required');
  labelSelector(errors, `${path}.selector`, spec.selector, {
    allowInvalidValues: options.allowInvalidLabelValueInSelector === true,
  });
  claimAccessModes(errors, `${path}.accessModes`, spec.accessModes ?? []);
  const storage = spec.resources?.requests?.['storage'];
  const storagePath = `${path}.resources[storage]`;
  if (storage === undefined) errors.push(fieldError.required(storagePath));
  else positiveQuantity(errors, storagePath, storage);
  className(errors, `${path}.storageClassName`, spec.storageClassName);
  if (spec.volumeMode !== undefined) {
    oneOf(errors, `${path}.volumeMode`, spec.volumeMode, volumeModes);
  }
  dataSources(errors, path, spec, options);
  className(errors, `${path}.volumeAttributesClassName`, spec.volumeAttributesClassName);
}

/** Known modes; `ReadWriteOncePod` stands alone. Errors name the list. */
export function claimAccessModes(errors: Errors, path: string, modes: readonly string[]): void {
  const known = modes.filter((mode) => oneOf(errors, path, mode, accessModes));
  const exclusive = known.filter((mode) => mode === 'ReadWriteOncePod').length;
  if (exclusive > 0 && exclusive < known.length) {
    const why = 'may not use ReadWriteOncePod with other access modes';
    errors.push(fieldError.forbidden(path, why));
  }
}

function className(errors: Errors, path: string, name: string | undefined): void {
  if (name) conforms(errors, path, name, dns1123Subdomain);
}

function dataSources(
  errors: Errors,
  path: string,
  spec: PersistentVolumeClaimSpec,
  options: ClaimSpecOptions,
): void {
  const { dataSource, dataSourceRef } = spec;
  if (dataSource) reference(errors, `${path}.dataSource`, dataSource, options);
  if (dataSourceRef) reference(errors, `${path}.dataSourceRef`, dataSourceRef, options);
  if (!dataSource || !dataSourceRef) return;
  const why = dataSourceRef.namespace
    ? 'may not be specified when dataSourceRef.namespace is specified'
    : isSameReference(dataSource, dataSourceRef)
      ? undefined
      : 'must match dataSourceRef';
  // COMPAT: the value shown is the (empty) JSON form of a path.
  if (why !== undefined) errors.push(fieldError.invalid(path, {}, why));
}

type Reference = Pick<TypedObjectReference, 'apiGroup' | 'kind' | 'name' | 'namespace'>;

const isSameReference = (a: Reference, b: Reference) =>
  (a.apiGroup ?? undefined) === (b.apiGroup ?? undefined) && a.kind === b.kind && a.name === b.name;

function reference(errors: Errors, path: string, ref: Reference, options: ClaimSpecOptions): void {
  required(errors, `${path}.name`, ref.name);
  required(errors, `${path}.kind`, ref.kind);
  const group = ref.apiGroup ?? '';
  if (group === '' && ref.kind !== 'PersistentVolumeClaim') {
    const why = "must be 'PersistentVolumeClaim' when referencing the default apiGroup";
    errors.push(fieldError.invalid(path, ref.kind, why));
  }
  if (group !== '' && options.allowInvalidApiGroup !== true) {
    conforms(errors, `${path}.apiGroup`, group, dns1123Subdomain);
  }
  if (ref.namespace) conforms(errors, `${path}.namespace`, ref.namespace, dns1123Label);
}

/** The template in an ephemeral volume: of its metadata only labels and annotations count. */
export function persistentVolumeClaimTemplate(
  errors: Errors,
  path: string,
  template: PersistentVolumeClaimTemplate,
): void {
  const meta = template.metadata ?? {};
  annotations(errors, `${path}.metadata.annotations`, meta.annotations);
  labels(errors, `${path}.metadata.labels`, meta.labels);
  for (const [field, value] of Object.entries(meta)) {
    if (field === 'annotations' || field === 'labels' || value === undefined) continue;
    const name = field === 'uid' ? 'uID' : field;
    errors.push(fieldError.forbidden(`${path}.metadata.${name}`, 'cannot be set'));
  }
  persistentVolumeClaimSpec(errors, `${path}.spec`, template.spec);
}
