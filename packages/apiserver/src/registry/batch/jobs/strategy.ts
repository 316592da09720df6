// Jobs: pods that run until enough of them have succeeded.

import { copyJson } from '@keelson/apimachinery';
import type { Job } from '@keelson/apimachinery/types/batch.v1';
import type { Features } from '../../../features/features.ts';
import { advanceGeneration, startGeneration } from '../../generation.ts';
import type { Errors } from '../../validation/checks.ts';
import { isSemanticallyEqual } from '../../validation/equality.ts';
import { labelSelector } from '../../validation/labels.ts';
import { nameIsDns1123Subdomain } from '../../validation/names.ts';
import { dropDisabledPodFields } from '../../core/pod-spec/disabled-fields.ts';
import { podNameWarnings, templateOptions } from '../../core/pod-spec/workload.ts';
import type { Strategy } from '../../strategy.ts';
import { defaultJob, generateSelector, shareTemplateLabels } from './defaults.ts';
import { hasPrefixedLabels, jobLabels } from './generated-labels.ts';
import { validateJobStatus } from './status-validation.ts';
import { jobCells } from './table.ts';
import { validateJobUpdate } from './update-validation.ts';
import { validateJob, type JobOptions } from './validation.ts';
import { jobSpecWarnings } from './warnings.ts';

export const jobStrategy: Strategy<Job> = {
  nameRule: nameIsDns1123Subdomain,
  // COMPAT: the pods stay unless the request says otherwise.
  garbageCollection: 'orphan',
  dependentsWarning:
    'child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning',
  applyDefaults: defaultJob,

  prepareForCreate(job, { features }) {
    // COMPAT: a generated name comes with a copy of the object, which no longer shares the map.
    if (job.metadata.generateName && job.metadata.labels === job.spec.template.metadata?.labels) {
      if (job.metadata.labels) job.metadata.labels = { ...job.metadata.labels };
    }
    generateSelector(job, features);
    startGeneration(job);
    job.status = {};
    dropDisabledFields(job, undefined, features);
  },
  validate: (job, { features }) => validateJob(job, jobOptions(features)),
  warningsOnCreate: ({ metadata, spec }, { features }) => [
    ...podNameWarnings(metadata.name),
    ...jobSpecWarnings('spec', spec, features),
  ],
  canonicalize: shareTemplateLabels,

  prepareForUpdate(job, old, { features }) {
    job.status = copyJson(old.status);
    dropDisabledFields(job, old, features);
    advanceGeneration(job, old, !isSemanticallyEqual(job.spec, old.spec));
  },
  validateUpdate(job, old, { features }) {
    const options = jobOptions(features, old);
    return [...validateJob(job, options), ...validateJobUpdate({ job, old, options, features })];
  },
  warningsOnUpdate: (job, old, { features }) =>
    job.metadata.generation === old.metadata.generation
      ? []
      : jobSpecWarnings('spec', job.spec, features),

  tableCells: jobCells,
  unknownFieldLabel: (label) => `field label ${JSON.stringify(label)} not supported for Job`,
  fieldValues: ({ status }) => ({ 'status.successful': String(status?.succeeded ?? 0) }),
  resetFields: [['status']],
  subresources: {
    status: {
      prepareForUpdate(job, old) {
        job.spec = copyJson(old.spec);
      },
      validateUpdate: (job, old) => validateJobStatus(job, old),
      resetFields: [['spec']],
    },
  },
};

function jobOptions(features: Features, old?: Job): JobOptions {
  const labels = old?.spec.template.metadata?.labels ?? {};
  const hadInvalidSelector: Errors = [];
  labelSelector(hadInvalidSelector, '', old?.spec.selector);
  return {
    template: templateOptions(features, old?.spec.template),
    prefixedLabels:
      old === undefined
        ? hasPrefixedLabels(features)
        : labels[jobLabels.name] !== undefined && labels[jobLabels.uid] !== undefined,
    allowInvalidSelectorValues: hadInvalidSelector.length > 0,
  };
}

const gatedFields = {
  podFailurePolicy: 'JobPodFailurePolicy',
  backoffLimitPerIndex: 'JobBackoffLimitPerIndex',
  maxFailedIndexes: 'JobBackoffLimitPerIndex',
  successPolicy: 'JobSuccessPolicy',
  podReplacementPolicy: 'JobPodReplacementPolicy',
  managedBy: 'JobManagedBy',
} as const;

function dropDisabledFields({ spec }: Job, old: Job | undefined, features: Features): void {
  dropDisabledPodFields(spec.template.spec, old?.spec.template.spec, features);
  for (const [name, gate] of Object.entries(gatedFields)) {
    const field = name as keyof typeof gatedFields;
    if (!features.enabled(gate) && old?.spec[field] === undefined) delete spec[field];
  }
}
