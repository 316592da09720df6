// Checks of `metadata` that hold for every kind
// (k8s.io/apimachinery/pkg/api/validation/objectmeta.go).

import {
  fieldError,
  parseApiVersion,
  type FieldError,
  type ManagedFieldsEntry,
  type ObjectMeta,
  type OwnerReference,
  type ResourceDefinition,
} from '@keelson/apimachinery';
import { annotations, labels } from './validation/labels.ts';
import { dns1123Label, nameIsDns1123Subdomain, qualifiedName } from './validation/names.ts';
import type { Strategy } from './strategy.ts';

const finalizerOrphan = 'orphan';
const finalizerForeground = 'foregroundDeletion';
/** Finalizers that Kubernetes itself uses without a domain. */
const standardFinalizers = ['kubernetes', finalizerOrphan, finalizerForeground];

export function validateObjectMeta(
  meta: ObjectMeta,
  definition: ResourceDefinition,
  strategy: Strategy,
): FieldError[] {
  const rule = strategy.nameRule ?? nameIsDns1123Subdomain;
  const errors: FieldError[] = [];
  if (meta.generateName)
    for (const text of rule(meta.generateName, true))
      errors.push(fieldError.invalid('metadata.generateName', meta.generateName, text));
  if (!meta.name)
    errors.push(fieldError.required('metadata.name', 'name or generateName is required'));
  else
    for (const text of rule(meta.name, false))
      errors.push(fieldError.invalid('metadata.name', meta.name, text));
  if (definition.namespaced) {
    if (!meta.namespace) errors.push(fieldError.required('metadata.namespace'));
    else
      for (const text of dns1123Label(meta.namespace))
        errors.push(fieldError.invalid('metadata.namespace', meta.namespace, text));
  } else if (meta.namespace) {
    errors.push(fieldError.forbidden('metadata.namespace', 'not allowed on this type'));
  }
  if (meta.generation !== undefined && meta.generation < 0)
    errors.push(
      fieldError.invalid(
        'metadata.generation',
        meta.generation,
        'must be greater than or equal to 0',
      ),
    );
  errors.push(
    ...validateSharedMeta(meta),
    ...validateFinalizers(meta.finalizers ?? []),
    ...validateManagedFields(meta.managedFields ?? []),
    ...validateFinalizerDomains(meta, strategy),
  );
  return errors;
}

export function validateObjectMetaUpdate(
  meta: ObjectMeta,
  old: ObjectMeta,
  definition: ResourceDefinition,
): FieldError[] {
  const errors: FieldError[] = [];
  if (old.deletionTimestamp !== undefined) {
    const before = new Set(old.finalizers);
    const added = (meta.finalizers ?? []).filter((f) => !before.has(f)).toSorted();
    if (added.length > 0)
      errors.push(
        fieldError.forbidden(
          'metadata.finalizers',
          `no new finalizers can be added if the object is being deleted, found new finalizers []string{${added.map((f) => JSON.stringify(f)).join(', ')}}`,
        ),
      );
  }
  if (!meta.resourceVersion)
    errors.push(
      fieldError.invalid(
        'metadata.resourceVersion',
        meta.resourceVersion ?? '',
        'must be specified for an update',
      ),
    );
  if (Number(meta.generation ?? 0) < Number(old.generation ?? 0))
    errors.push(
      fieldError.invalid('metadata.generation', meta.generation ?? 0, 'must not be decremented'),
    );
  const immutable = (field: string, value: unknown, before: unknown) => {
    if (value !== before)
      errors.push(fieldError.invalid(`metadata.${field}`, value, 'field is immutable'));
  };
  immutable('name', meta.name, old.name);
  if (definition.namespaced) immutable('namespace', meta.namespace, old.namespace);
  immutable('uid', meta.uid, old.uid);
  immutable('creationTimestamp', meta.creationTimestamp, old.creationTimestamp);
  immutable('deletionTimestamp', meta.deletionTimestamp, old.deletionTimestamp);
  immutable(
    'deletionGracePeriodSeconds',
    meta.deletionGracePeriodSeconds,
    old.deletionGracePeriodSeconds,
  );
  errors.push(...validateSharedMeta(meta), ...validateManagedFields(meta.managedFields ?? []));
  return errors;
}

/** A finalizer names the domain of who set it, unless it is one of Kubernetes' own. */
export function validateFinalizerDomains(meta: ObjectMeta, strategy: Strategy): FieldError[] {
  if (strategy.allowsBareFinalizers === true) return [];
  return (meta.finalizers ?? []).flatMap((finalizer, i) => {
    if (finalizer.includes('/') || standardFinalizers.includes(finalizer)) return [];
    const why = 'name is neither a standard finalizer name nor is it fully qualified';
    return [fieldError.invalid(`metadata.finalizers[${i}]`, finalizer, why)];
  });
}

function validateSharedMeta(meta: ObjectMeta): FieldError[] {
  const errors: FieldError[] = [];
  labels(errors, 'metadata.labels', meta.labels);
  annotations(errors, 'metadata.annotations', meta.annotations);
  errors.push(...validateOwnerReferences(meta.ownerReferences ?? []));
  return errors;
}

function validateOwnerReferences(references: readonly OwnerReference[]): FieldError[] {
  const path = 'metadata.ownerReferences';
  const errors: FieldError[] = [];
  let controller: string | undefined;
  for (const ref of references) {
    const gv = parseApiVersion(ref.apiVersion ?? '');
    if (!gv?.version)
      errors.push(
        fieldError.invalid(`${path}.apiVersion`, ref.apiVersion ?? '', 'version must not be empty'),
      );
    if (!ref.kind) errors.push(fieldError.invalid(`${path}.kind`, '', 'must not be empty'));
    if (!ref.name) errors.push(fieldError.invalid(`${path}.name`, '', 'must not be empty'));
    if (!ref.uid) errors.push(fieldError.invalid(`${path}.uid`, '', 'must not be empty'));
    if (gv?.group === '' && gv.version === 'v1' && ref.kind === 'Event')
      errors.push(
        fieldError.invalid(path, ref, '/v1, Kind=Event is disallowed from being an owner'),
      );
    if (ref.controller === true) {
      const name = `${ref.kind}/${ref.name}`;
      if (controller === undefined) controller = name;
      else
        errors.push(
          fieldError.invalid(
            path,
            references,
            `Only one reference can have Controller set to true. Found "true" in references for ${controller} and ${name}`,
          ),
        );
    }
  }
  return errors;
}

function validateFinalizers(finalizers: readonly string[]): FieldError[] {
  const path = 'metadata.finalizers';
  const errors: FieldError[] = [];
  for (const f of finalizers)
    for (const text of qualifiedName(f)) errors.push(fieldError.invalid(path, f, text));
  if (finalizers.includes(finalizerOrphan) && finalizers.includes(finalizerForeground))
    errors.push(
      fieldError.invalid(
        path,
        finalizers,
        `finalizer ${finalizerOrphan} and ${finalizerForeground} cannot be both set`,
      ),
    );
  return errors;
}

function validateManagedFields(entries: readonly ManagedFieldsEntry[]): FieldError[] {
  const errors: FieldError[] = [];
  entries.forEach((entry, i) => {
    const path = `metadata.managedFields[${i}]`;
    if (entry.operation !== 'Apply' && entry.operation !== 'Update')
      errors.push(
        fieldError.invalid(
          `${path}.operation`,
          entry.operation ?? '',
          'must be `Apply` or `Update`',
        ),
      );
    if ((entry.fieldsType ?? '') !== '' && entry.fieldsType !== 'FieldsV1')
      errors.push(fieldError.invalid(`${path}.fieldsType`, entry.fieldsType, 'must be `FieldsV1`'));
    if (Buffer.byteLength(entry.manager ?? '') > 128)
      errors.push(fieldError.tooLong(`${path}.manager`, 128));
    if (Buffer.byteLength(entry.subresource ?? '') > 256)
      errors.push(fieldError.tooLong(`${path}.subresource`, 256));
  });
  return errors;
}
