// ReplicaSets: a number of pods of one template.

import type { ReplicaSet } from '@keelson/apimachinery/types/apps.v1';
import type { Features } from '../../../features/features.ts';
import { labelSelectorText } from '../../printing/cells.ts';
import { immutable, nonNegative, type Errors } from '../../validation/checks.ts';
import { defaultPodTemplate } from '../../core/pod-spec/defaults.ts';
import { replicatedPods } from '../../core/pod-spec/replicated-pods.ts';
import { podTemplateWarnings } from '../../core/pod-spec/warnings.ts';
import { podNameWarnings, selectedTemplate } from '../../core/pod-spec/workload.ts';
import type { Strategy } from '../../strategy.ts';

export const replicaSetStrategy: Strategy<ReplicaSet> = {
  ...replicatedPods(({ spec }) => labelSelectorText(spec.selector)),
  applyDefaults({ spec }, features) {
    spec.replicas ??= 1;
    spec.template ??= { metadata: {}, spec: { containers: null } };
    defaultPodTemplate(spec.template, features);
  },

  validate: (object, { features }) => validate(object, features),
  warningsOnCreate: ({ metadata, spec }, { features }) => [
    ...podNameWarnings(metadata.name),
    ...podTemplateWarnings('spec.template', spec.template, features),
  ],

  validateUpdate: (object, old, { features }) => validate(object, features, old),
  warningsOnUpdate: (object, old, { features }) =>
    object.metadata.generation === old.metadata.generation
      ? []
      : podTemplateWarnings('spec.template', object.spec.template, features),
};

function validate({ spec }: ReplicaSet, features: Features, old?: ReplicaSet): Errors {
  const errors: Errors = [];
  nonNegative(errors, 'spec.replicas', spec.replicas);
  nonNegative(errors, 'spec.minReadySeconds', spec.minReadySeconds);
  selectedTemplate(errors, spec, features, old?.spec);
  if (old) immutable(errors, 'spec.selector', [spec.selector, old.spec.selector]);
  return errors;
}
