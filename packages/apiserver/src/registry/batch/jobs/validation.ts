// The specification of a Job, in Jobs and in the templates of CronJobs.

import { fieldError } from '@keelson/apimachinery';
import type { Job, JobSpec } from '@keelson/apimachinery/types/batch.v1';
import { internalMap } from '../../internal-form/internal-value.ts';
import { nonNegative, notLongerThan, oneOf, type Errors } from '../../validation/checks.ts';
import { domainPrefixedPath } from '../../validation/domain-paths.ts';
import { labelSelector } from '../../validation/labels.ts';
import { dns1123Label } from '../../validation/names.ts';
import { podTemplate } from '../../core/pod-spec/template.ts';
import { compileSelector, mismatchDetail } from '../../core/pod-spec/workload.ts';
import type { PodSpecOptions } from '../../core/pod-spec/scope.ts';
import { generatedSelector } from './generated-labels.ts';
import { podFailurePolicy } from './pod-failure-policy.ts';
import { successPolicy } from './success-policy.ts';

const indexedParallelismMax = 100_000;
const failedIndexesMax = 100_000;
/** From here on an indexed Job that counts failures per index is held to lower limits. */
export const manyCompletions = 100_000;
const parallelismMaxForMany = 10_000;
const failedIndexesMaxForMany = 10_000;
const managedByBytesMax = 63;

export interface JobOptions {
  readonly template: PodSpecOptions;
  readonly prefixedLabels: boolean;
  /** The Job before the update had a selector with values that are no label values. */
  readonly allowInvalidSelectorValues: boolean;
}

export function validateJob(job: Job, options: JobOptions): Errors {
  const errors: Errors = [];
  generatedSelector(errors, job, options.prefixedLabels);
  selectedJobSpec(errors, 'spec', job.spec, options);
  const { completionMode, completions = 0 } = job.spec;
  if (completionMode !== 'Indexed' || completions <= 0) return errors;
  const { name = '' } = job.metadata;
  const host = `${name}-${completions - 1}`;
  if (dns1123Label(host).length > 0) {
    const why = `will not able to create pod with invalid DNS label: ${host}`;
    errors.push(fieldError.invalid('metadata.name', name, why));
  }
  return errors;
}

/** The specification of a Job itself, which has a selector. */
export function selectedJobSpec(
  errors: Errors,
  path: string,
  spec: JobSpec,
  options: JobOptions,
): void {
  jobSpec(errors, path, spec, options.template);
  if (spec.selector) {
    labelSelector(errors, `${path}.selector`, spec.selector, {
      allowInvalidValues: options.allowInvalidSelectorValues,
    });
  } else {
    errors.push(fieldError.required(`${path}.selector`));
  }
  const labels = spec.template.metadata?.labels;
  const selector = compileSelector(spec.selector);
  if (selector && !selector.matches(labels ?? {})) {
    const at = `${path}.template.metadata.labels`;
    const shown = internalMap(spec.template.metadata, 'labels');
    errors.push(fieldError.invalid(at, shown, mismatchDetail));
  }
}

/** All but the selector. */
export function jobSpec(
  errors: Errors,
  path: string,
  spec: JobSpec,
  options: PodSpecOptions,
): void {
  nonNegative(errors, `${path}.parallelism`, spec.parallelism);
  nonNegative(errors, `${path}.completions`, spec.completions);
  nonNegative(errors, `${path}.activeDeadlineSeconds`, spec.activeDeadlineSeconds);
  nonNegative(errors, `${path}.backoffLimit`, spec.backoffLimit);
  nonNegative(errors, `${path}.ttlSecondsAfterFinished`, spec.ttlSecondsAfterFinished);
  nonNegative(errors, `${path}.backoffLimitPerIndex`, spec.backoffLimitPerIndex);
  nonNegative(errors, `${path}.maxFailedIndexes`, spec.maxFailedIndexes);
  if (spec.maxFailedIndexes !== undefined && spec.backoffLimitPerIndex === undefined) {
    const why = 'when maxFailedIndexes is specified';
    errors.push(fieldError.required(`${path}.backoffLimitPerIndex`, why));
  }
  if (spec.managedBy !== undefined) {
    domainPrefixedPath(errors, `${path}.managedBy`, spec.managedBy);
    notLongerThan(errors, `${path}.managedBy`, spec.managedBy, managedByBytesMax);
  }
  completionMode(errors, path, spec);
  if (spec.podFailurePolicy) podFailurePolicy(errors, `${path}.podFailurePolicy`, spec);
  successPolicy(errors, `${path}.successPolicy`, spec);
  if (spec.podReplacementPolicy !== undefined) {
    const supported = spec.podFailurePolicy ? ['Failed'] : ['Failed', 'TerminatingOrFailed'];
    oneOf(errors, `${path}.podReplacementPolicy`, spec.podReplacementPolicy, supported);
  }
  podTemplate(errors, `${path}.template`, spec.template, options);
  restartPolicy(errors, `${path}.template.spec.restartPolicy`, spec);
}

function completionMode(errors: Errors, path: string, spec: JobSpec): void {
  const mode = spec.completionMode;
  if (mode !== undefined) {
    oneOf(errors, `${path}.completionMode`, mode, ['NonIndexed', 'Indexed']);
  }
  if (mode === 'Indexed') indexed(errors, path, spec);
  if (mode !== undefined && mode !== 'NonIndexed') return;
  for (const field of ['backoffLimitPerIndex', 'maxFailedIndexes'] as const) {
    if (spec[field] === undefined) continue;
    const why = 'requires indexed completion mode';
    errors.push(fieldError.invalid(`${path}.${field}`, spec[field], why));
  }
}

function indexed(errors: Errors, path: string, spec: JobSpec): void {
  const { completions, parallelism = 0, maxFailedIndexes, backoffLimitPerIndex } = spec;
  const limit = (field: string, value: number | undefined, [max, suffix]: [number, string]) => {
    if (value === undefined || value <= max) return;
    const why = `must be less than or equal to ${max}${suffix}`;
    errors.push(fieldError.invalid(`${path}.${field}`, value, why));
  };
  if (completions === undefined) {
    errors.push(fieldError.required(`${path}.completions`, 'when completion mode is Indexed'));
  }
  limit('parallelism', parallelism, [indexedParallelismMax, ' when completion mode is Indexed']);
  if (completions !== undefined && (maxFailedIndexes ?? 0) > completions) {
    const why = 'must be less than or equal to completions';
    errors.push(fieldError.invalid(`${path}.maxFailedIndexes`, maxFailedIndexes, why));
  }
  limit('maxFailedIndexes', maxFailedIndexes, [failedIndexesMax, '']);
  if ((completions ?? 0) <= manyCompletions || backoffLimitPerIndex === undefined) return;
  if (maxFailedIndexes === undefined) {
    const why = `must be specified when completions is above ${manyCompletions}`;
    errors.push(fieldError.required(`${path}.maxFailedIndexes`, why));
  }
  const suffix = ` when completions are above ${manyCompletions} and used with backoff limit per index`;
  limit('parallelism', parallelism, [parallelismMaxForMany, suffix]);
  limit('maxFailedIndexes', maxFailedIndexes, [failedIndexesMaxForMany, suffix]);
}

/** Pods of a Job end; a policy about failures needs to see them end, so they are not restarted. */
function restartPolicy(errors: Errors, path: string, spec: JobSpec): void {
  const policy = spec.template.spec?.restartPolicy ?? '';
  if (policy === '' || policy === 'Always') {
    errors.push(fieldError.required(path, 'valid values: "OnFailure", "Never"'));
  } else if (policy !== 'OnFailure' && policy !== 'Never') {
    errors.push(fieldError.notSupported(path, policy, ['OnFailure', 'Never']));
  } else if (spec.podFailurePolicy && policy !== 'Never') {
    const why = 'only "Never" is supported when podFailurePolicy is specified';
    errors.push(fieldError.invalid(path, policy, why));
  }
}
