// ResourceClaimTemplates: claims that are made for each pod. Their spec never changes.

import { fieldError, type FieldError } from '@keelson/apimachinery';
import type { ResourceClaimTemplate } from '@keelson/apimachinery/types/resource.k8s.io.v1';
import { internalValue } from '../../internal-form/internal-value.ts';
import { age } from '../../printing/cells.ts';
import type { Strategy } from '../../strategy.ts';
import { immutableDetail, type Errors } from '../../validation/checks.ts';
import { isSemanticallyEqual } from '../../validation/equality.ts';
import type { ExpressionChecker } from '../../validation/expression-checker.ts';
import { annotations, labels } from '../../validation/labels.ts';
import { defaultDeviceClaim, validateDeviceClaim } from '../device-requests.ts';

export function createResourceClaimTemplateStrategy(
  checker: ExpressionChecker,
): Strategy<ResourceClaimTemplate> {
  return {
    applyDefaults: ({ spec }) => defaultDeviceClaim(spec?.spec?.devices),
    validate({ spec }): FieldError[] {
      const errors: Errors = [];
      labels(errors, 'spec.metadata.labels', spec.metadata?.labels);
      annotations(errors, 'spec.metadata.annotations', spec.metadata?.annotations);
      validateDeviceClaim(errors, 'spec.spec.devices', spec.spec?.devices, checker);
      return errors;
    },
    validateUpdate(template, old) {
      if (isSemanticallyEqual(template.spec, old.spec)) return [];
      const shown = internalValue(
        'io.k8s.api.resource.v1.ResourceClaimTemplateSpec',
        template.spec,
      );
      return [fieldError.invalid('spec', shown, immutableDetail)];
    },
    returnDeletedObject: true,
    tableCells: (template, nowMs) => [template.metadata.name, age(template, nowMs)],
  };
}
