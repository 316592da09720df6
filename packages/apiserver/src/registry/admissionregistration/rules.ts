// Rules of webhooks and policies: which operations on which resources.

import { fieldError } from '@keelson/apimachinery';
import type {
  NamedRuleWithOperations,
  RuleWithOperations,
} from '@keelson/apimachinery/types/admissionregistration.k8s.io.v1';
import { oneOf, required, type Errors } from '../validation/checks.ts';
import { pathSegmentName } from '../validation/names.ts';

const operations: readonly string[] = ['*', 'CONNECT', 'CREATE', 'DELETE', 'UPDATE'];
const scopes: readonly string[] = ['*', 'Cluster', 'Namespaced'];

export function validateRule(errors: Errors, path: string, rule: RuleWithOperations): void {
  required(errors, `${path}.operations`, rule.operations);
  loneWildcard(errors, `${path}.operations`, rule.operations, 'operations');
  rule.operations?.forEach((operation, i) => {
    oneOf(errors, `${path}.operations[${i}]`, operation, operations);
  });
  required(errors, `${path}.apiGroups`, rule.apiGroups);
  loneWildcard(errors, `${path}.apiGroups`, rule.apiGroups, 'API groups');
  required(errors, `${path}.apiVersions`, rule.apiVersions);
  loneWildcard(errors, `${path}.apiVersions`, rule.apiVersions, 'API versions');
  rule.apiVersions?.forEach((version, i) => {
    required(errors, `${path}.apiVersions[${i}]`, version);
  });
  validateResources(errors, `${path}.resources`, rule.resources ?? []);
  if (rule.scope !== undefined) oneOf(errors, `${path}.scope`, rule.scope, scopes);
}

/** Everything, or a list; not both. */
function loneWildcard(
  errors: Errors,
  path: string,
  list: readonly string[] | undefined,
  what: string,
): void {
  if (!list || list.length < 2 || !list.includes('*')) return;
  const why = `if '*' is present, must not specify other ${what}`;
  errors.push(fieldError.invalid(path, list, why));
}

/**
 * `pods`, `pods/status`, `pods/*`, `*` and the like: no entry may repeat what a wildcard before it
 * says.
 */
function validateResources(errors: Errors, path: string, resources: readonly string[]): void {
  required(errors, path, resources);
  const allSubresourcesOf = new Set<string>();
  const subresourcesOfAll = new Set<string>();
  // COMPAT: the last entry without subresource decides.
  let plainResource = false;
  resources.forEach((entry, i) => {
    const at = `${path}[${i}]`;
    if (!required(errors, at, entry)) return;
    const slash = entry.indexOf('/');
    if (slash < 0) {
      plainResource = entry !== '*';
      return;
    }
    const [resource, subresource] = [entry.slice(0, slash), entry.slice(slash + 1)];
    if (allSubresourcesOf.has(resource)) {
      const why = `if '${resource}/*' is present, must not specify ${entry}`;
      errors.push(fieldError.invalid(at, entry, why));
    }
    if (subresourcesOfAll.has(subresource)) {
      const why = `if '*/${subresource}' is present, must not specify ${entry}`;
      errors.push(fieldError.invalid(at, entry, why));
    }
    if (subresource === '*') allSubresourcesOf.add(resource);
    if (resource === '*') subresourcesOfAll.add(subresource);
  });
  if (resources.length > 1 && resources.includes('*/*')) {
    const why = "if '*/*' is present, must not specify other resources";
    errors.push(fieldError.invalid(path, resources, why));
  }
  if (resources.includes('*') && plainResource) {
    const why = "if '*' is present, must not specify other resources without subresources";
    errors.push(fieldError.invalid(path, resources, why));
  }
}

export function validateNamedRule(
  errors: Errors,
  path: string,
  rule: NamedRuleWithOperations,
): void {
  const names = rule.resourceNames ?? [];
  names.forEach((name, i) => {
    for (const why of pathSegmentName(name, false)) {
      errors.push(fieldError.invalid(`${path}.resourceNames[${i}]`, name, why));
    }
    if (names.indexOf(name) < i) {
      errors.push(fieldError.duplicate(`${path}.resourceNames[${i}]`, name));
    }
  });
  validateRule(errors, path, rule);
}

/** Rules match objects of any scope unless they say otherwise. */
export function defaultRules(rules: readonly { scope?: string }[] | undefined): void {
  for (const rule of rules ?? []) rule.scope ??= '*';
}

export const failurePolicies: readonly string[] = ['Fail', 'Ignore'];
export const matchPolicies: readonly string[] = ['Equivalent', 'Exact'];
export const reinvocationPolicies: readonly string[] = ['IfNeeded', 'Never'];

/** A value with a default: missing only where the default was taken away. */
export function requiredChoice(
  errors: Errors,
  path: string,
  value: string | undefined,
  choices: readonly string[],
): void {
  if (value === undefined) errors.push(fieldError.required(path));
  else oneOf(errors, path, value, choices);
}
