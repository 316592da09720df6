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
import { dropAdminAccess } from '../admin-access.ts';
import { defaultDeviceClaim, validateDeviceClaim } from '../device-requests.ts';
import type { ClaimRules } from '../resourceclaims/strategy.ts';

export function createResourceClaimTemplateStrategy(
  checker: ExpressionChecker,
  { adminAccess }: Pick<ClaimRules, 'adminAccess'>,
): Strategy<ResourceClaimTemplate> {
  return {
    applyDefaults: ({ spec }) => defaultDeviceClaim(spec?.spec?.devices),
    prepareForCreate: ({ spec }, { features }) => dropAdminAccess(spec?.spec?.devices, features),
    validate({ metadata, spec }): FieldError[] {
      const errors: Errors = adminAccess(spec.spec?.devices, metadata.namespace);
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
