// Scopes of a quota: which objects it is about. A quota lists plain scopes and selectors; an object
// must be in all of them.

import type { ResourceQuota } from '@keelson/apimachinery/types/core.v1';
import type { QuotaScope } from './evaluator.ts';

/** Everything that the quota asks of an object; a plain scope is one that must exist. */
export function scopesOf({ spec = {} }: Partial<ResourceQuota>): QuotaScope[] {
  const plain = (spec.scopes ?? []).map((scopeName) => ({ scopeName, operator: 'Exists' }));
  return [...plain, ...(spec.scopeSelector?.matchExpressions ?? [])];
}

/** Does the value (undefined: none) fit the operator? */
export function matchesSelector(scope: QuotaScope, value: string | undefined): boolean {
  const values = scope.values ?? [];
  switch (scope.operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    default:
      return false;
  }
}

/** `[{PriorityClass In [high low]}]`. COMPAT: the form in which Go prints them. */
export function formatScopes(scopes: readonly QuotaScope[]): string {
  const texts = scopes.map(
    ({ scopeName, operator, values = [] }) => `{${scopeName} ${operator} [${values.join(' ')}]}`,
  );
  return `[${texts.join(' ')}]`;
}
