// Namespaces. A namespace carries its name as a label, is finalized by the namespace controller,
// and stays `Terminating` until `spec.finalizers` is empty.

import { fieldError, type FieldError } from '@keelson/apimachinery';
import type { Namespace } from '@keelson/apimachinery/types/core.v1';
import { age } from '../../printing/cells.ts';
import type { Strategy, SubresourceStrategy } from '../../strategy.ts';
import { conforms } from '../../validation/checks.ts';
import { nameIsDns1123Label, qualifiedName } from '../../validation/names.ts';

const nameLabel = 'kubernetes.io/metadata.name';
const ownFinalizer = 'kubernetes';
const standardFinalizers = [ownFinalizer, 'orphan', 'foregroundDeletion'];

const status: SubresourceStrategy<Namespace> = {
  prepareForUpdate(namespace, old) {
    namespace.spec = old.spec;
  },
  validateUpdate: validatePhase,
  resetFields: [['spec']],
};

const finalize: SubresourceStrategy<Namespace> = {
  prepareForUpdate(namespace, old) {
    if (old.status) namespace.status = old.status;
  },
  validateUpdate: (namespace) => validateFinalizers(namespace, (i) => `spec.finalizers[${i}]`),
  resetFields: [['status']],
};

export const namespaceStrategy: Strategy<Namespace> = {
  applyDefaults: labelWithName,
  prepareForCreate(namespace) {
    namespace.status = { phase: 'Active' };
    const finalizers = namespace.spec.finalizers ?? [];
    if (!finalizers.includes(ownFinalizer))
      namespace.spec.finalizers = [...finalizers, ownFinalizer];
  },
  prepareForUpdate(namespace, old) {
    if (old.spec.finalizers) namespace.spec.finalizers = old.spec.finalizers;
    else delete namespace.spec.finalizers;
    if (old.status) namespace.status = old.status;
  },
  validate: (namespace) => validateFinalizers(namespace),
  validateUpdate: (namespace) => validateFinalizers(namespace),
  // A generated name is not known when defaults are applied.
  canonicalize: labelWithName,
  nameRule: nameIsDns1123Label,
  isFinalized: ({ spec }) => (spec.finalizers?.length ?? 0) === 0,
  markTerminating(namespace) {
    namespace.status = { ...namespace.status, phase: 'Terminating' };
  },
  tableCells: (namespace, nowMs) => [
    namespace.metadata.name,
    namespace.status?.phase ?? '',
    age(namespace, nowMs),
  ],
  fieldValues: (namespace) => ({ 'status.phase': namespace.status?.phase ?? '' }),
  resetFields: [['status']],
  subresources: { status, finalize },
};

function labelWithName({ metadata }: Namespace): void {
  if (metadata.name) metadata.labels = { ...metadata.labels, [nameLabel]: metadata.name };
}

/** COMPAT: on creation and ordinary updates Kubernetes names the list, on finalize the entry. */
function validateFinalizers(
  { spec }: Namespace,
  pathOf: (index: number) => string = () => 'spec.finalizers',
): FieldError[] {
  const errors: FieldError[] = [];
  spec.finalizers?.forEach((name, i) => {
    conforms(errors, pathOf(i), name, qualifiedName);
    if (!name.includes('/') && !standardFinalizers.includes(name)) {
      const why = 'name is neither a standard finalizer name nor is it fully qualified';
      errors.push(fieldError.invalid(pathOf(i), name, why));
    }
  });
  return errors;
}

/** COMPAT: the two texts are the wrong way round in Kubernetes too. */
function validatePhase({ metadata, status: { phase = '' } = {} }: Namespace): FieldError[] {
  const path = 'status.Phase';
  if (!metadata.deletionTimestamp) {
    if (phase === 'Active') return [];
    const why = "may only be 'Active' if `deletionTimestamp` is not empty";
    return [fieldError.invalid(path, phase, why)];
  }
  if (phase === 'Terminating') return [];
  const why = "may only be 'Terminating' if `deletionTimestamp` is empty";
  return [fieldError.invalid(path, phase, why)];
}
