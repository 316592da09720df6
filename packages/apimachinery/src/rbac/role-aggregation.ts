// An aggregated ClusterRole takes its rules from all ClusterRoles whose labels its selectors match.
// The API server fills the roles of a new cluster so, the controller keeps all of them so.

import { compareGoStrings } from '../go-string.ts';
import type { KubeObject } from '../meta/object.ts';
import { compileLabelSelector, type LabelSelector } from '../selectors/label-selector.ts';

/** A rule of a role, as far as aggregation looks at it. */
export interface AggregatedRule {
  readonly verbs?: readonly string[] | null;
  readonly apiGroups?: readonly string[] | null;
  readonly resources?: readonly string[] | null;
  readonly resourceNames?: readonly string[] | null;
  readonly nonResourceURLs?: readonly string[] | null;
}

/** The selectors of an aggregated role; empty when it is not aggregated. */
export function aggregationSelectorsOf(role: KubeObject): readonly LabelSelector[] {
  const rule = role['aggregationRule'] as
    | { clusterRoleSelectors?: readonly LabelSelector[] | null }
    | null
    | undefined;
  return rule?.clusterRoleSelectors ?? [];
}

/**
 * The rules that an aggregated role should have, in the order of the roles' names and each once, or
 * undefined when the role is not aggregated. Throws SelectorError.
 */
export function aggregateRules(
  role: KubeObject,
  clusterRoles: readonly KubeObject[],
): AggregatedRule[] | undefined {
  const selectors = aggregationSelectorsOf(role);
  if (selectors.length === 0) return undefined;
  const nameOf = (object: KubeObject) => object.metadata.name ?? '';
  const sorted = [...clusterRoles].sort((a, b) => compareGoStrings(nameOf(a), nameOf(b)));
  const rules = new Map<string, AggregatedRule>();
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
export function equalRules(a: readonly AggregatedRule[], b: readonly AggregatedRule[]): boolean {
  return a.length === b.length && a.every((rule, i) => ruleKey(rule) === ruleKey(b[i] ?? {}));
}

function rulesOf(role: KubeObject): readonly AggregatedRule[] {
  return (role['rules'] as readonly AggregatedRule[] | null | undefined) ?? [];
}

function ruleKey(rule: AggregatedRule): string {
  const { verbs, apiGroups, resources, resourceNames, nonResourceURLs } = rule;
  const lists = [verbs, apiGroups, resources, resourceNames, nonResourceURLs];
  return JSON.stringify(lists.map((list) => list ?? []));
}
