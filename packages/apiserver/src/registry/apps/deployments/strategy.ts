// Deployments: pods of one template, replaced step by step when the template changes.

import { copyJson } from '@keelson/apimachinery';
import type { Deployment } from '@keelson/apimachinery/types/apps.v1';
import { advanceGeneration, startGeneration } from '../../generation.ts';
import { age, labelSelectorText } from '../../printing/cells.ts';
import { isSemanticallyEqual } from '../../validation/equality.ts';
import { nameIsDns1123Subdomain } from '../../validation/names.ts';
import { defaultPodTemplate } from '../../core/pod-spec/defaults.ts';
import { dropDisabledPodFields } from '../../core/pod-spec/disabled-fields.ts';
import { podTemplateWarnings } from '../../core/pod-spec/warnings.ts';
import { containerCells, podNameWarnings } from '../../core/pod-spec/workload.ts';
import type { Strategy } from '../../strategy.ts';
import { validateDeployment, validateDeploymentStatus } from './validation.ts';

export const deploymentStrategy: Strategy<Deployment> = {
  nameRule: nameIsDns1123Subdomain,
  applyDefaults({ spec }, features) {
    spec.replicas ??= 1;
    spec.strategy ??= {};
    spec.strategy.type ||= 'RollingUpdate';
    if (spec.strategy.type === 'RollingUpdate') {
      const rolling = (spec.strategy.rollingUpdate ??= {});
      rolling.maxUnavailable ??= '25%';
      rolling.maxSurge ??= '25%';
    }
    spec.revisionHistoryLimit ??= 10;
    spec.progressDeadlineSeconds ??= 600;
    defaultPodTemplate(spec.template, features);
  },

  prepareForCreate(object, { features }) {
    object.status = {};
    startGeneration(object);
    dropDisabledPodFields(object.spec.template.spec, undefined, features);
  },
  validate: (object, { features }) => validateDeployment(object, features),
  warningsOnCreate: ({ metadata, spec }, { features }) => [
    ...podNameWarnings(metadata.name),
    ...podTemplateWarnings('spec.template', spec.template, features),
  ],

  prepareForUpdate(object, old, { features }) {
    object.status = copyJson(old.status);
    dropDisabledPodFields(object.spec.template.spec, old.spec.template.spec, features);
    // Annotations count, for they travel to the replica sets.
    const isSame =
      isSemanticallyEqual(object.spec, old.spec) &&
      isSemanticallyEqual(object.metadata.annotations, old.metadata.annotations);
    advanceGeneration(object, old, !isSame);
  },
  validateUpdate: (object, old, { features }) => validateDeployment(object, features, old),
  warningsOnUpdate: (object, old, { features }) =>
    object.metadata.generation === old.metadata.generation
      ? []
      : podTemplateWarnings('spec.template', object.spec.template, features),

  tableCells: (object, nowMs) => [
    object.metadata.name ?? '',
    `${object.status?.readyReplicas ?? 0}/${object.spec.replicas ?? 0}`,
    object.status?.updatedReplicas ?? 0,
    object.status?.availableReplicas ?? 0,
    age(object, nowMs),
    ...containerCells(object.spec.template),
    labelSelectorText(object.spec.selector),
  ],
  resetFields: [['status']],
  subresources: {
    status: {
      prepareForUpdate(object, old) {
        object.spec = copyJson(old.spec);
        object.metadata.labels = copyJson(old.metadata.labels);
      },
      validateUpdate: (object, old) => validateDeploymentStatus(object, old),
      resetFields: [['spec'], ['metadata', 'labels']],
    },
  },
};
