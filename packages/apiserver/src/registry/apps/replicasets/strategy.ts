// ReplicaSets: a number of pods of one template.

import { fieldError } from '@keelson/apimachinery';
import type { ReplicaSet } from '@keelson/apimachinery/types/apps.v1';
import type { Features } from '../../../features/features.ts';
import { labelSelectorText } from '../../printing/cells.ts';
import { immutable, nonNegative, type Errors } from '../../validation/checks.ts';
import { defaultPodTemplate } from '../../core/pod-spec/defaults.ts';
import { replicatedPods } from '../../core/pod-spec/replicated-pods.ts';
import { podTemplateWarnings } from '../../core/pod-spec/warnings.ts';
import {
  compileSelector,
  podNameWarnings,
  replicatedTemplate,
  templateOptions,
  workloadSelector,
} from '../../core/pod-spec/workload.ts';
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
