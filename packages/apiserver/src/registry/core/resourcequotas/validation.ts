// Validation of ResourceQuotas: what can be counted, and which scopes go with what is counted.

import { fieldError, type FieldError } from '@keelson/apimachinery';
import type {
  ResourceQuota,
  ResourceQuotaSpec,
  ScopedResourceSelectorRequirement,
} from '@keelson/apimachinery/types/core.v1';
import { internalList } from '../../internal-form/internal-value.ts';
import { immutableDetail } from '../../validation/checks.ts';
import {
  isStandardQuotaResource,
  resourceName,
  resourceQuantity,
} from '../../validation/resource-names.ts';

const existsOnlyScopes = [
  'BestEffort',
  'NotBestEffort',
  'Terminating',
  'NotTerminating',
  'CrossNamespacePodAffinity',
];
const scopes = [...existsOnlyScopes, 'PriorityClass', 'VolumeAttributesClass'];
const conflictingScopes = [
  ['BestEffort', 'NotBestEffort'],
  ['Terminating', 'NotTerminating'],
] as const;

const podComputeResources = new Set([
  'cpu',
  'memory',
  'requests.cpu',
  'requests.memory',
  'limits.cpu',
  'limits.memory',
]);

export function validateResourceQuota({ spec, status }: ResourceQuota): FieldError[] {
  return [...validateSpec(spec), ...validateAmounts(status, 'status', ['hard', 'used'])];
}

function validateSpec(spec: ResourceQuotaSpec): FieldError[] {
  const errors = validateAmounts(spec, 'spec', ['hard']);
  checkScopes(errors, spec);
  checkScopeSelector(errors, spec);
  return errors;
}

interface Amounts {
  readonly hard?: Record<string, string>;
  readonly used?: Record<string, string>;
}

function validateAmounts(
  amounts: Amounts | undefined,
  path: string,
  fields: readonly ('hard' | 'used')[],
): FieldError[] {
  const errors: FieldError[] = [];
  for (const field of fields) {
    for (const entry of Object.entries(amounts?.[field] ?? {})) {
      const at = `${path}.${field}[${entry[0]}]`;
      quotaResourceName(errors, at, entry[0]);
      resourceQuantity(errors, at, entry);
    }
  }
  return errors;
}

function quotaResourceName(errors: FieldError[], path: string, name: string): void {
  resourceName(errors, path, name);
  if (name.includes('/') || isStandardQuotaResource(name)) return;
  errors.push(fieldError.invalid(path, name, 'must be a standard resource for quota'));
}

/** Standard resources among those that the quota limits, sorted. */
function limitedStandardResources(spec: ResourceQuotaSpec): string[] {
  return Object.keys(spec.hard ?? {})
    .filter(isStandardQuotaResource)
    .sort();
}

function scopeCounts(scope: string, resource: string): boolean {
  switch (scope) {
    case 'BestEffort':
      return resource === 'pods';
    case 'VolumeAttributesClass':
      return resource === 'persistentvolumeclaims' || resource === 'requests.storage';
    default:
      if (!scopes.includes(scope)) return true;
      return resource === 'pods' || podComputeResources.has(resource);
  }
}

function checkScopes(errors: FieldError[], spec: ResourceQuotaSpec): void {
  const path = 'spec.scopes';
  const list = spec.scopes ?? [];
  const resources = limitedStandardResources(spec);
  for (const scope of list) {
    if (!scopes.includes(scope)) errors.push(fieldError.invalid(path, list, 'unsupported scope'));
    for (const resource of resources) {
      if (scopeCounts(scope, resource)) continue;
      errors.push(fieldError.invalid(path, list, 'unsupported scope applied to resource'));
    }
  }
  checkConflicts(errors, path, [list, list]);
}

function checkConflicts(
  errors: FieldError[],
  path: string,
  [list, shown]: readonly [readonly string[], readonly string[] | undefined],
): void {
  for (const pair of conflictingScopes) {
    if (!pair.every((scope) => list.includes(scope))) continue;
    errors.push(fieldError.invalid(path, shown ?? null, 'conflicting scopes'));
  }
}

function checkScopeSelector(errors: FieldError[], spec: ResourceQuotaSpec): void {
  if (!spec.scopeSelector) return;
  const path = 'spec.scopeSelector.matchExpressions';
  const requirements = spec.scopeSelector.matchExpressions ?? [];
  const resources = limitedStandardResources(spec);
  requirements.forEach((requirement, i) => {
    const { scopeName } = requirement;
    if (!scopes.includes(scopeName)) {
      errors.push(fieldError.invalid(`${path}[${i}].scopeName`, scopeName, 'unsupported scope'));
    }
    for (const resource of resources) {
      if (scopeCounts(scopeName, resource)) continue;
      const why = 'unsupported scope applied to resource';
      errors.push(fieldError.invalid(path, printedSelector(requirements), why));
    }
    checkRequirement(errors, path, requirement);
  });
  const names = requirements.map(({ scopeName }) => scopeName);
  checkConflicts(errors, path, [names, spec.scopes]);
}

/** COMPAT: printed with Go's field names. */
function printedSelector(requirements: readonly ScopedResourceSelectorRequirement[]) {
  return {
    MatchExpressions: requirements.map(({ scopeName, operator, values }) => ({
      ScopeName: scopeName,
      Operator: operator,
      Values: values ?? null,
    })),
  };
}

function checkRequirement(
  errors: FieldError[],
  path: string,
  { scopeName, operator, values }: ScopedResourceSelectorRequirement,
): void {
  if (existsOnlyScopes.includes(scopeName) && operator !== 'Exists') {
    const why =
      "must be 'Exist' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity";
    errors.push(fieldError.invalid(`${path}.operator`, operator, why));
  }
  switch (operator) {
    case 'In':
    case 'NotIn':
      if (!values?.length) {
        const why =
          "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector";
        errors.push(fieldError.required(`${path}.values`, why));
      }
      break;
    case 'Exists':
    case 'DoesNotExist':
      if (values?.length) {
        const why =
          "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector";
        errors.push(fieldError.invalid(`${path}.values`, values, why));
      }
      break;
    default:
      errors.push(
        fieldError.invalid(`${path}.operator`, operator, 'not a valid selector operator'),
      );
  }
}

export function validateResourceQuotaUpdate(
  { spec }: ResourceQuota,
  { spec: old }: ResourceQuota,
): FieldError[] {
  const errors = validateSpec(spec);
  const [now, before] = [new Set(spec.scopes), new Set(old.scopes)];
  if (now.size !== before.size || [...now].some((scope) => !before.has(scope))) {
    errors.push(fieldError.invalid('spec.scopes', internalList(spec, 'scopes'), immutableDetail));
  }
  return errors;
}

export function validateResourceQuotaStatus({ metadata, status }: ResourceQuota): FieldError[] {
  const errors: FieldError[] = [];
  if (!metadata.resourceVersion) errors.push(fieldError.required('resourceVersion'));
  return [...errors, ...validateAmounts(status, 'status', ['hard', 'used'])];
}
