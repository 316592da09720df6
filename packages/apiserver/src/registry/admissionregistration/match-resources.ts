// What a policy or its binding applies to.

import { fieldError } from '@keelson/apimachinery';
import type { MatchResources } from '@keelson/apimachinery/types/admissionregistration.k8s.io.v1';
import type { Errors } from '../validation/checks.ts';
import { labelSelector } from '../validation/labels.ts';
import { defaultRules, matchPolicies, requiredChoice, validateNamedRule } from './rules.ts';

export function defaultMatchResources(match: MatchResources | undefined): void {
  if (!match) return;
  match.matchPolicy ??= 'Equivalent';
  match.namespaceSelector ??= {};
  match.objectSelector ??= {};
  defaultRules(match.resourceRules);
  defaultRules(match.excludeResourceRules);
}

export function validateMatchResources(
  errors: Errors,
  path: string,
  match: MatchResources | undefined,
): void {
  if (!match) return;
  requiredChoice(errors, `${path}.matchPolicy`, match.matchPolicy, matchPolicies);
  for (const name of ['namespaceSelector', 'objectSelector'] as const) {
    const selector = match[name];
    if (selector) labelSelector(errors, `${path}.${name}`, selector);
    else errors.push(fieldError.required(`${path}.${name}`));
  }
  for (const name of ['resourceRules', 'excludeResourceRules'] as const) {
    match[name]?.forEach((rule, i) => validateNamedRule(errors, `${path}.${name}[${i}]`, rule));
  }
}

/** A policy itself must name resources, so that its expressions have a type. */
export function validateMatchConstraints(
  errors: Errors,
  path: string,
  match: MatchResources | undefined,
): void {
  if (!match) {
    errors.push(fieldError.required(path));
    return;
  }
  validateMatchResources(errors, path, match);
  if ((match.resourceRules ?? []).length === 0) {
    errors.push(fieldError.required(`${path}.resourceRules`));
  }
}
