// ResourceClaims: devices that are asked for, and which were given.

import { copyJson, fieldError, type FieldError } from '@keelson/apimachinery';
import type { ResourceClaim } from '@keelson/apimachinery/types/resource.k8s.io.v1';
import { internalValue } from '../../internal-form/internal-value.ts';
import { age } from '../../printing/cells.ts';
import type { Strategy } from '../../strategy.ts';
import { immutableDetail, type Errors } from '../../validation/checks.ts';
import { isSemanticallyEqual } from '../../validation/equality.ts';
import type { ExpressionChecker } from '../../validation/expression-checker.ts';
import { dropAdminAccess, type AdminAccessRule } from '../admin-access.ts';
import { defaultDeviceClaim, validateDeviceClaim } from '../device-requests.ts';
import type { ClaimStatusGuard } from './status-authorization.ts';
import { validateClaimStatus } from './status-validation.ts';

export interface ClaimRules {
  /** Who may write what into the status of a claim. */
  readonly guardStatus: ClaimStatusGuard;
  /** Where devices of others may be asked for. */
  readonly adminAccess: AdminAccessRule;
}

export function createResourceClaimStrategy(
  checker: ExpressionChecker,
  { guardStatus, adminAccess }: ClaimRules,
): Strategy<ResourceClaim> {
  return {
    applyDefaults: ({ spec }) => defaultDeviceClaim(spec?.devices),
    prepareForCreate(claim, { features }) {
      claim.status = {};
      dropAdminAccess(claim.spec?.devices, features);
    },
    prepareForUpdate(claim, old) {
      claim.status = copyJson(old.status) ?? {};
    },
    validate({ metadata, spec }): FieldError[] {
      const errors: Errors = adminAccess(spec?.devices, metadata.namespace);
      validateDeviceClaim(errors, 'spec.devices', spec?.devices, checker);
      return errors;
    },
    validateUpdate(claim, old) {
      if (isSemanticallyEqual(claim.spec, old.spec)) return [];
      const shown = internalValue('io.k8s.api.resource.v1.ResourceClaimSpec', claim.spec);
      return [fieldError.invalid('spec', shown, immutableDetail)];
    },
    returnDeletedObject: true,
    tableCells: (claim, nowMs) => [claim.metadata.name, stateOf(claim), age(claim, nowMs)],
    resetFields: [['status']],
    subresources: {
      status: {
        prepareForUpdate(claim, old) {
          claim.spec = copyJson(old.spec);
          const { managedFields } = claim.metadata;
          const { resourceVersion } = claim.metadata;
          claim.metadata = { ...copyJson(old.metadata), managedFields, resourceVersion };
          if (managedFields === undefined) delete claim.metadata.managedFields;
        },
        validateUpdate: validateClaimStatus,
        authorizeUpdate: guardStatus,
        resetFields: [['metadata'], ['spec']],
      },
    },
  };
}

/** `pending`, `allocated`, `allocated,reserved`, with `deleted` before it while it goes. */
function stateOf({ metadata, status }: ResourceClaim): string {
  const states: string[] = [];
  const deleted = metadata.deletionTimestamp !== undefined;
  if (deleted) states.push('deleted');
  if (!status?.allocation) {
    if (!deleted) states.push('pending');
  } else {
    states.push('allocated');
    if ((status.reservedFor ?? []).length > 0) states.push('reserved');
  }
  return states.join(',');
}
