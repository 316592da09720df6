// PodTemplates: a template that stands alone.

import type { PodTemplate } from '@keelson/apimachinery/types/core.v1';
import { startGeneration } from '../../generation.ts';
import { labelText } from '../../printing/cells.ts';
import type { Errors } from '../../validation/checks.ts';
import { isSemanticallyEqual } from '../../validation/equality.ts';
import { nameIsDns1123Subdomain } from '../../validation/names.ts';
import { defaultPodTemplate } from '../pod-spec/defaults.ts';
import { dropDisabledPodFields } from '../pod-spec/disabled-fields.ts';
import { podTemplate } from '../pod-spec/template.ts';
import { podTemplateWarnings } from '../pod-spec/warnings.ts';
import { containerCells, templateOptions } from '../pod-spec/workload.ts';
import type { Features } from '../../../features/features.ts';
import type { Strategy } from '../../strategy.ts';

export const podTemplateStrategy: Strategy<PodTemplate> = {
  nameRule: nameIsDns1123Subdomain,
  returnDeletedObject: true,
  applyDefaults(object, features) {
    object.template ??= { metadata: {}, spec: { containers: null } };
    defaultPodTemplate(object.template, features);
  },

  prepareForCreate(object, { features }) {
    startGeneration(object);
    if (object.template) dropDisabledPodFields(object.template.spec, undefined, features);
  },
  validate: (object, { features }) => validate(object, features),
  warningsOnCreate: (object, { features }) =>
    podTemplateWarnings('template', object.template, features),

  prepareForUpdate(object, old, { features }) {
    if (object.template) dropDisabledPodFields(object.template.spec, old.template?.spec, features);
    if (isSemanticallyEqual(object.template, old.template)) return;
    object.metadata.generation = Number(old.metadata.generation ?? 0) + 1;
  },
  validateUpdate: (object, old, { features }) => validate(object, features, old),
  warningsOnUpdate: (object, old, { features }) =>
    object.metadata.generation === old.metadata.generation
      ? []
      : podTemplateWarnings('template', object.template, features),

  tableCells: ({ metadata, template }) => [
    metadata.name ?? '',
    ...containerCells(template),
    labelText(template?.metadata?.labels),
  ],
};

function validate(object: PodTemplate, features: Features, old?: PodTemplate): Errors {
  const errors: Errors = [];
  if (object.template) {
    podTemplate(errors, 'template', object.template, templateOptions(features, old?.template));
  }
  return errors;
}
