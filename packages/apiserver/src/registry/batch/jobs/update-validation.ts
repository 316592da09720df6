// What may change in a Job: nearly nothing, except how many pods run. A suspended Job whose pods
// have gone may be told where its next ones run and what they may use.

import { fieldError } from '@keelson/apimachinery';
import type { Job, JobSpec } from '@keelson/apimachinery/types/batch.v1';
import type { PodSpec, PodTemplateSpec } from '@keelson/apimachinery/types/core.v1';
import type { Features } from '../../../features/features.ts';
import { internalValue } from '../../internal-form/internal-value.ts';
import { immutable, immutableDetail, type Errors } from '../../validation/checks.ts';
import { isSemanticallyEqual } from '../../validation/equality.ts';
import { hasTrueCondition } from './conditions.ts';
import { selectedJobSpec, type JobOptions } from './validation.ts';

interface JobUpdate {
  readonly job: Job;
  readonly old: Job;
  readonly options: JobOptions;
  readonly features: Features;
}

export function validateJobUpdate({ job, old, options, features }: JobUpdate): Errors {
  const errors: Errors = [];
  const [spec, before] = [job.spec, old.spec];
  // COMPAT: the specification is checked once more, so every finding appears twice.
  selectedJobSpec(errors, 'spec', spec, options);
  const isElastic = spec.completionMode === 'Indexed' && features.enabled('ElasticIndexedJob');
  const counts = [spec.completions, before.completions] as const;
  if (isElastic) elasticCompletions(errors, 'spec.completions', spec, before);
  else immutable(errors, 'spec.completions', counts);
  immutable(errors, 'spec.selector', [spec.selector, before.selector]);
  template(errors, 'spec.template', spec.template, mutableTemplate(spec.template, old, features));
  immutable(errors, 'spec.completionMode', [spec.completionMode, before.completionMode]);
  const { podFailurePolicy, successPolicy } = spec;
  struct(errors, 'podFailurePolicy', 'PodFailurePolicy', [
    podFailurePolicy,
    before.podFailurePolicy,
  ]);
  immutable(errors, 'spec.backoffLimitPerIndex', [
    spec.backoffLimitPerIndex,
    before.backoffLimitPerIndex,
  ]);
  immutable(errors, 'spec.managedBy', [spec.managedBy, before.managedBy]);
  struct(errors, 'successPolicy', 'SuccessPolicy', [successPolicy, before.successPolicy]);
  return errors;
}

function struct(
  errors: Errors,
  field: string,
  typeName: string,
  [value, old]: readonly [unknown, unknown],
): void {
  if (isSemanticallyEqual(value, old)) return;
  const shown = internalValue(`io.k8s.api.batch.v1.${typeName}`, value);
  errors.push(fieldError.invalid(`spec.${field}`, shown, immutableDetail));
}

/** An indexed Job may get more or fewer indexes when as many pods run. */
function elasticCompletions(errors: Errors, path: string, spec: JobSpec, old: JobSpec): void {
  if (spec.completions === undefined || spec.completions === old.completions) return;
  if (spec.completions === spec.parallelism) return;
  const why = 'can only be modified in tandem with spec.parallelism';
  errors.push(fieldError.invalid(path, spec.completions, why));
}

function template(
  errors: Errors,
  path: string,
  value: PodTemplateSpec,
  old: PodTemplateSpec,
): void {
  if (isSemanticallyEqual(value, old)) return;
  const shown = internalValue('PodTemplateSpec', value);
  errors.push(fieldError.invalid(path, shown, immutableDetail));
}

/** The old template with whatever may change taken from the new one. */
function mutableTemplate(value: PodTemplateSpec, job: Job, features: Features): PodTemplateSpec {
  let old = job.spec.template;
  if (job.spec.suspend !== true) return old;
  const hasStarted = job.status?.startTime !== undefined;
  const isDrained =
    (job.status?.active ?? 0) === 0 && (!hasStarted || hasTrueCondition(job, 'Suspended'));
  const schedulingMayChange = features.enabled('MutableSchedulingDirectivesForSuspendedJobs')
    ? isDrained
    : !hasStarted;
  if (schedulingMayChange) old = withSchedulingOf(value, old);
  if (isDrained && features.enabled('MutablePodResourcesForSuspendedJobs')) {
    old = withResourcesOf(value, old);
  }
  return old;
}

function withSchedulingOf(value: PodTemplateSpec, old: PodTemplateSpec): PodTemplateSpec {
  const { labels, annotations } = value.metadata ?? {};
  const spec: PodSpec = { ...old.spec, containers: old.spec?.containers ?? null };
  const { nodeSelector, tolerations, schedulingGates, affinity } = value.spec ?? {};
  Object.assign(spec, { nodeSelector, tolerations, schedulingGates });
  const merged = { ...old.spec?.affinity, nodeAffinity: affinity?.nodeAffinity };
  const isNeeded =
    affinity !== undefined || Object.values(merged).some((part) => part !== undefined);
  if (isNeeded) spec.affinity = merged;
  else delete spec.affinity;
  return { metadata: { ...old.metadata, labels, annotations }, spec };
}

function withResourcesOf(value: PodTemplateSpec, old: PodTemplateSpec): PodTemplateSpec {
  const spec: PodSpec = { ...old.spec, containers: old.spec?.containers ?? null };
  for (const list of ['containers', 'initContainers'] as const) {
    const resources = new Map((value.spec?.[list] ?? []).map((c) => [c.name, c.resources]));
    const containers = spec[list]?.map((c) =>
      resources.has(c.name) ? { ...c, resources: resources.get(c.name) } : c,
    );
    if (containers) spec[list] = containers;
  }
  return { ...old, spec };
}
