// RBAC's objects as the authorizer reads them, and when one rule allows one request:
//
//   verb        `*` or equal
//   apiGroup    `*` or equal
//   resource    `*`, or equal to `resource` or `resource/subresource`, or `*/subresource`
//   name        no resourceNames, or one that is equal (so never for requests without a name)
//   URL         `*`, equal, or a prefix that ends in `*`
//
// COMPAT: `pods` does not cover `pods/log`, and `pods/*` is no wildcard.

import type { KubeObject } from '@keelson/apimachinery';
import type { NonResourceAttributes, ResourceAttributes } from '../authorizer.ts';

export const rbacGroup = 'rbac.authorization.k8s.io';

export interface PolicyRule {
  readonly verbs?: readonly string[];
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly nonResourceURLs?: readonly string[];
}
export interface Subject {
  readonly kind: string;
  readonly apiGroup?: string;
  readonly name: string;
  readonly namespace?: string;
}
export interface RoleRef {
  readonly apiGroup?: string;
  readonly kind: string;
  readonly name: string;
}

/** The rules of a Role or ClusterRole. */
export function rulesOf(role: KubeObject): readonly PolicyRule[] {
  return (role['rules'] as readonly PolicyRule[] | null | undefined) ?? [];
}
/** The subjects of a binding. */
export function subjectsOf(binding: KubeObject): readonly Subject[] {
  return (binding['subjects'] as readonly Subject[] | null | undefined) ?? [];
}
export function roleRefOf(binding: KubeObject): RoleRef {
  return (binding['roleRef'] as RoleRef | undefined) ?? { kind: '', name: '' };
}

/** A rule made ready to be asked often. */
export interface CompiledRule {
  readonly rule: PolicyRule;
  readonly verbs: Matcher;
  readonly groups: Matcher;
  readonly resources: Matcher;
  readonly hasResources: boolean;
  /** Undefined: every name. */
  readonly names: ReadonlySet<string> | undefined;
  readonly urls: readonly string[];
}
/** `*`, or a set. */
type Matcher = '*' | ReadonlySet<string>;

export function compileRule(rule: PolicyRule): CompiledRule {
  const names = rule.resourceNames ?? [];
  return {
    rule,
    verbs: matcherOf(rule.verbs),
    groups: matcherOf(rule.apiGroups),
    resources: matcherOf(rule.resources),
    hasResources: (rule.resources ?? []).length > 0,
    names: names.length === 0 ? undefined : new Set(names),
    urls: rule.nonResourceURLs ?? [],
  };
}

function matcherOf(values: readonly string[] = []): Matcher {
  return values.includes('*') ? '*' : new Set(values);
}

export function matches(matcher: Matcher, value: string): boolean {
  return matcher === '*' || matcher.has(value);
}

/** A resource request with the texts that rules are compared with. */
export interface ResourceQuestion {
  readonly attributes: ResourceAttributes;
  /** `pods`, `pods/log`. */
  readonly combined: string;
  // `pods/log` with a star for the parent; empty without a subresource.
  readonly anyParent: string;
}

export function toResourceQuestion(attributes: ResourceAttributes): ResourceQuestion {
  const { resource, subresource } = attributes;
  return subresource === ''
    ? { attributes, combined: resource, anyParent: '' }
    : { attributes, combined: `${resource}/${subresource}`, anyParent: `*/${subresource}` };
}

export function allowsResource(rule: CompiledRule, question: ResourceQuestion): boolean {
  const { verb, group, name } = question.attributes;
  return (
    matches(rule.verbs, verb) &&
    matches(rule.groups, group) &&
    coversResource(rule, question) &&
    (rule.names === undefined || rule.names.has(name))
  );
}

/** Whether the resource of the question is one of the rule's. */
export function coversResource({ resources }: CompiledRule, question: ResourceQuestion): boolean {
  if (resources === '*') return true;
  if (resources.has(question.combined)) return true;
  return question.anyParent !== '' && resources.has(question.anyParent);
}

export function allowsNonResource(rule: CompiledRule, attributes: NonResourceAttributes): boolean {
  return (
    matches(rule.verbs, attributes.verb) &&
    rule.urls.some((pattern) => urlCovers(pattern, attributes.path))
  );
}

/** `*`, the same, or a prefix before trailing stars. */
export function urlCovers(pattern: string, path: string): boolean {
  if (pattern === '*' || pattern === path) return true;
  return pattern.endsWith('*') && path.startsWith(pattern.replace(/\*+$/, ''));
}
