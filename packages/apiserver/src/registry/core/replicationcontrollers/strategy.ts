// ReplicationControllers, the ancestor of ReplicaSets: a plain map of labels selects the pods.

import { fieldError, labelMatcherFromSet } from '@keelson/apimachinery';
import type { ReplicationController } from '@keelson/apimachinery/types/core.v1';
import type { Features } from '../../../features/features.ts';
import { advanceGeneration, startGeneration } from '../../generation.ts';
import { age, labelText } from '../../printing/cells.ts';
import { nonNegative, type Errors } from '../../validation/checks.ts';
import { isSemanticallyEqual } from '../../validation/equality.ts';
import { nameIsDns1123Subdomain } from '../../validation/names.ts';
import { defaultPodTemplate } from '../pod-spec/defaults.ts';
import { dropDisabledPodFields } from '../pod-spec/disabled-fields.ts';
import { podTemplateWarnings } from '../pod-spec/warnings.ts';
import { nonNegativeCounters, withinReplicas } from '../pod-spec/workload-status.ts';
import {
  containerCells,
  podNameWarnings,
  replicatedTemplate,
  templateOptions,
} from '../pod-spec/workload.ts';
import type { Strategy } from '../../strategy.ts';

export const replicationControllerStrategy: Strategy<ReplicationController> = {
  nameRule: nameIsDns1123Subdomain,
  // COMPAT: the pods stay unless the request says otherwise.
  garbageCollection: 'orphan',

  applyDefaults({ metadata, spec }, features) {
    spec.replicas ??= 1;
    if (!spec.template) return;
    const labels = spec.template.metadata?.labels;
    if (labels) {
      if (Object.keys(spec.selector ?? {}).length === 0) spec.selector = { ...labels };
      if (Object.keys(metadata.labels ?? {}).length === 0) metadata.labels = { ...labels };
    }
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
    ...podTemplateWarnings('template', spec.template, features),
  ],

  prepareForUpdate(object, old, { features }) {
    object.status = structuredClone(old.status);
    const template = object.spec.template?.spec;
    if (template) dropDisabledPodFields(template, old.spec.template?.spec, features);
    advanceGeneration(object, old, !isSemanticallyEqual(object.spec, old.spec));
  },
  validateUpdate: (object, old, { features }) => validate(object, features, old),
  // COMPAT: Kubernetes hands over the two templates in the wrong order.
  warningsOnUpdate: (object, old, { features }) =>
    object.metadata.generation === old.metadata.generation
      ? []
      : podTemplateWarnings('template', old.spec.template, features),

  tableCells: (object, nowMs) => [
    object.metadata.name ?? '',
    object.spec.replicas ?? 0,
    object.status?.replicas ?? 0,
    object.status?.readyReplicas ?? 0,
    age(object, nowMs),
    ...containerCells(object.spec.template),
    labelText(object.spec.selector),
  ],
  fieldValues: ({ status }) => ({ 'status.replicas': String(status?.replicas ?? 0) }),
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

function validate(
  { spec }: ReplicationController,
  features: Features,
  old?: ReplicationController,
): Errors {
  const errors: Errors = [];
  nonNegative(errors, 'spec.minReadySeconds', spec.minReadySeconds);
  if (Object.keys(spec.selector ?? {}).length === 0) {
    errors.push(fieldError.required('spec.selector'));
  }
  nonNegative(errors, 'spec.replicas', spec.replicas);
  replicatedTemplate(errors, 'spec.template', spec.template, {
    selector: labelMatcherFromSet(spec.selector),
    options: templateOptions(features, old?.spec.template),
    kind: 'ReplicationController',
  });
  return errors;
}

function validateStatus(status: NonNullable<ReplicationController['status']>): Errors {
  const errors: Errors = [];
  nonNegativeCounters(errors, status, [
    'replicas',
    'fullyLabeledReplicas',
    'readyReplicas',
    'availableReplicas',
    'observedGeneration',
  ]);
  withinReplicas(errors, status, ['fullyLabeledReplicas', 'readyReplicas', 'availableReplicas']);
  return errors;
}
