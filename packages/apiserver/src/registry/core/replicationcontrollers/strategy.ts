// ReplicationControllers, the ancestor of ReplicaSets: a plain map of labels selects the pods.

import { fieldError, labelMatcherFromSet } from '@keelson/apimachinery';
import type { ReplicationController } from '@keelson/apimachinery/types/core.v1';
import type { Features } from '../../../features/features.ts';
import { labelText } from '../../printing/cells.ts';
import { nonNegative, type Errors } from '../../validation/checks.ts';
import { defaultPodTemplate } from '../pod-spec/defaults.ts';
import { replicatedPods } from '../pod-spec/replicated-pods.ts';
import { podTemplateWarnings } from '../pod-spec/warnings.ts';
import { podNameWarnings, replicatedTemplate, templateOptions } from '../pod-spec/workload.ts';
import type { Strategy } from '../../strategy.ts';

export const replicationControllerStrategy: Strategy<ReplicationController> = {
  ...replicatedPods(({ spec }) => labelText(spec.selector)),
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

  validate: (object, { features }) => validate(object, features),
  warningsOnCreate: ({ metadata, spec }, { features }) => [
    ...podNameWarnings(metadata.name),
    ...podTemplateWarnings('template', spec.template, features),
  ],

  validateUpdate: (object, old, { features }) => validate(object, features, old),
  // COMPAT: Kubernetes hands over the two templates in the wrong order.
  warningsOnUpdate: (object, old, { features }) =>
    object.metadata.generation === old.metadata.generation
      ? []
      : podTemplateWarnings('template', old.spec.template, features),

  fieldValues: ({ status }) => ({ 'status.replicas': String(status?.replicas ?? 0) }),
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
