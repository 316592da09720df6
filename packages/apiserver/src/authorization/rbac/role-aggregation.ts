// An aggregated ClusterRole takes its rules from all ClusterRoles whose labels its selectors match.
// The controller writes what `aggregateRules` gives whenever a ClusterRole changes.

import {
  compareGoStrings,
  compileLabelSelector,
  type KubeObject,
  type LabelSelector,
} from '@keelson/apimachinery';
import { rulesOf, type PolicyRule } from './policy-rule.ts';

/** The selectors of an aggregated role; empty when it is not aggregated. */
export function aggregationSelectorsOf(role: KubeObject): readonly LabelSelector[] {
  const rule = role['aggregationRule'] as
    | { clusterRoleSelectors?: readonly LabelSelector[] }
    | null
    | undefined;
  return rule?.clusterRoleSelectors ?? [];
}

/** The rules that an aggregated role should have, or undefined when the role is not aggregated. */
export function aggregateRules(
  role: KubeObject,
  clusterRoles: readonly KubeObject[],
): PolicyRule[] | undefined {
  const selectors = aggregationSelectorsOf(role);
  if (selectors.length === 0) return undefined;
  const nameOf = (object: KubeObject) => object.metadata.name ?? '';
  const sorted = [...clusterRoles].sort((a, b) => compareGoStrings(nameOf(a), nameOf(b)));
  const rules = new Map<string, PolicyRule>();
  for (const selector of selectors) {
    const matcher = compileLabelSelector(selector);
    for (const other of sorted) {
      if (nameOf(other) === nameOf(role) || !matcher.matches(other.metadata.labels)) continue;
      for (const rule of rulesOf(other)) {
        const key = ruleKey(rule);
        if (!rules.has(key)) rules.set(key, rule);
      }
    }
  }
  return [...rules.values()];
}

/** Whether two lists of rules are the same, in order. */
export function equalRules(a: readonly PolicyRule[], b: readonly PolicyRule[]): boolean {
  return a.length === b.length && a.every((rule, i) => ruleKey(rule) === ruleKey(b[i] ?? {}));
}

function ruleKey(rule: PolicyRule): string {
  const { verbs, apiGroups, resources, resourceNames, nonResourceURLs } = rule;
  const lists = [verbs, apiGroups, resources, resourceNames, nonResourceURLs];
  return JSON.stringify(lists.map((list) => list ?? []));
}
