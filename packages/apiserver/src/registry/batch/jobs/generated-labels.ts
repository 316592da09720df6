// The labels that tie pods to their Job, with and without Kubernetes' prefix, and the check that
// nobody put other values in their place.

import { fieldError } from '@keelson/apimachinery';
import type { Job } from '@keelson/apimachinery/types/batch.v1';
import type { Features } from '../../../features/features.ts';
import { internalMap } from '../../internal-form/internal-value.ts';
import type { Errors } from '../../validation/checks.ts';
import { compileSelector } from '../../core/pod-spec/workload.ts';

export const jobLabels = {
  name: 'batch.kubernetes.io/job-name',
  uid: 'batch.kubernetes.io/controller-uid',
  legacyName: 'job-name',
  legacyUid: 'controller-uid',
} as const;

/** Since 1.27 the labels have Kubernetes' prefix too. */
export const hasPrefixedLabels = ({ emulated }: Features) => emulated.minor >= 27;

/** `prefixed`: the labels with prefix are required too. Jobs made before 1.27 lack them. */
export function generatedSelector(errors: Errors, job: Job, prefixed: boolean): void {
  const { metadata, spec } = job;
  if (spec.manualSelector === true || !spec.selector) return;
  const { name = '', uid = '' } = metadata;
  if (uid === '') errors.push(fieldError.required('metadata.uid'));
  const expected: Record<string, string> = {
    [jobLabels.legacyUid]: uid,
    [jobLabels.legacyName]: name,
    ...(prefixed ? { [jobLabels.uid]: uid, [jobLabels.name]: name } : {}),
  };
  const labels = spec.template.metadata?.labels;
  for (const [key, value] of Object.entries(expected)) {
    const path = `spec.template.metadata.labels[${key}]`;
    const why = `must be '${value}'`;
    if (labels?.[key] === undefined) errors.push(fieldError.required(path, why));
    else if (labels[key] !== value) {
      errors.push(fieldError.invalid(path, internalMap(spec.template.metadata, 'labels'), why));
    }
  }
  const selector = compileSelector(spec.selector);
  if (selector && !selector.matches(expected)) {
    errors.push(
      fieldError.invalid('spec.selector', spec.selector, '`selector` not auto-generated'),
    );
  }
}
