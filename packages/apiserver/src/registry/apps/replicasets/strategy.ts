// ReplicaSets: a number of pods of one template.

import { fieldError } from '@keelson/apimachinery';
import type { ReplicaSet } from '@keelson/apimachinery/types/apps.v1';
import type { Features } from '../../../features/features.ts';
import { advanceGeneration, startGeneration } from '../../generation.ts';
import { age, labelSelectorText } from '../../printing/cells.ts';
import { immutable, nonNegative, type Errors } from '../../validation/checks.ts';
import { isSemanticallyEqual } from '../../validation/equality.ts';
import { nameIsDns1123Subdomain } from '../../validation/names.ts';
import { defaultPodTemplate } from '../../core/pod-spec/defaults.ts';
import { dropDisabledPodFields } from '../../core/pod-spec/disabled-fields.ts';
import { podTemplateWarnings } from '../../core/pod-spec/warnings.ts';
import { nonNegativeCounters, withinReplicas } from '../../core/pod-spec/workload-status.ts';
import {
  compileSelector,
  containerCells,
  podNameWarnings,
  replicatedTemplate,
  templateOptions,
  workloadSelector,
} from '../../core/pod-spec/workload.ts';
import type { Strategy } from '../../strategy.ts';

export const replicaSetStrategy: Strategy<ReplicaSet> = {
  nameRule: nameIsDns1123Subdomain,
  applyDefaults({ spec }, features) {
    spec.replicas ??= 1;
    spec.template ??= { metadata: {}, spec: { containers: null } };
    defaultPodTemplate(spec.template, features);
  },

  prepareForCreate(object, { features }) {
    object.status = { replicas: 0 };
    startGeneration(object);
    const template = object.spec.template?.spec;
    if (template) dropDisabledPodFields(template, undefined, features);
  },
  validate: (object, { features }) => validate(object, features),
  warningsOnCreate: ({ metadata, spec }, { features }) => [
    ...podNameWarnings(metadata.name),
    ...podTemplateWarnings('spec.template', spec.template, features),
  ],

  prepareForUpdate(object, old, { features }) {
    object.status = structuredClone(old.status);
    const template = object.spec.template?.spec;
    if (template) dropDisabledPodFields(template, old.spec.template?.spec, features);
    advanceGeneration(object, old, !isSemanticallyEqual(object.spec, old.spec));
  },
  validateUpdate: (object, old, { features }) => validate(object, features, old),
  warningsOnUpdate: (object, old, { features }) =>
    object.metadata.generation === old.metadata.generation
      ? []
      : podTemplateWarnings('spec.template', object.spec.template, features),

  tableCells: (object, nowMs) => [
    object.metadata.name ?? '',
    object.spec.replicas ?? 0,
    object.status?.replicas ?? 0,
    object.status?.readyReplicas ?? 0,
    age(object, nowMs),
    ...containerCells(object.spec.template),
    labelSelectorText(object.spec.selector),
  ],
  resetFields: [['status']],
  subresources: {
    status: {
      prepareForUpdate(object, old) {
        object.spec = structuredClone(old.spec);
      },
      validateUpdate: ({ status }) => validateStatus(status ?? { replicas: 0 }),
      resetFields: [['spec']],
    },
  },
};

function validate({ spec }: ReplicaSet, features: Features, old?: ReplicaSet): Errors {
  const errors: Errors = [];
  nonNegative(errors, 'spec.replicas', spec.replicas);
  nonNegative(errors, 'spec.minReadySeconds', spec.minReadySeconds);
  // COMPAT: the sentence speaks of deployments here too.
  const emptyDetail = 'empty selector is invalid for deployment';
  workloadSelector(errors, 'spec.selector', spec.selector, emptyDetail);
  const selector = compileSelector(spec.selector);
  if (selector) {
    const options = templateOptions(features, old?.spec.template);
    const scope = { selector, options, kind: 'ReplicaSet' };
    replicatedTemplate(errors, 'spec.template', spec.template, scope);
  } else {
    errors.push(fieldError.invalid('spec.selector', spec.selector, 'invalid label selector'));
  }
  if (old) immutable(errors, 'spec.selector', [spec.selector, old.spec.selector]);
  return errors;
}

function validateStatus(status: NonNullable<ReplicaSet['status']>): Errors {
  const errors: Errors = [];
  nonNegativeCounters(errors, status, [
    'replicas',
    'fullyLabeledReplicas',
    'readyReplicas',
    'availableReplicas',
    'terminatingReplicas',
    'observedGeneration',
  ]);
  withinReplicas(errors, status, ['fullyLabeledReplicas', 'readyReplicas', 'availableReplicas']);
  return errors;
}
