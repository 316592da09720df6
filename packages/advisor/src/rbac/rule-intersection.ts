// What two rules both allow, as a rule; undefined when that is nothing.

import { resourceCovers, urlCovers, type PolicyRule } from './rules.ts';

export function intersectRules(a: PolicyRule, b: PolicyRule): PolicyRule | undefined {
  const verbs = meet(a.verbs, b.verbs, starCovers);
  if (verbs.length === 0) return undefined;
  const apiGroups = meet(a.apiGroups, b.apiGroups, starCovers);
  const resources = meet(a.resources, b.resources, resourceCovers);
  const resourceNames = meetNames(a.resourceNames ?? [], b.resourceNames ?? []);
  const nonResourceURLs = meet(a.nonResourceURLs, b.nonResourceURLs, urlCovers);
  const hasResources = apiGroups.length > 0 && resources.length > 0 && resourceNames !== undefined;
  if (!hasResources && nonResourceURLs.length === 0) return undefined;
  return {
    verbs,
    ...(hasResources ? { apiGroups, resources } : {}),
    ...(hasResources && resourceNames.length > 0 ? { resourceNames } : {}),
    ...(nonResourceURLs.length > 0 ? { nonResourceURLs } : {}),
  };
}

type Covers = (pattern: string, value: string) => boolean;

const starCovers: Covers = (pattern, value) => pattern === '*' || pattern === value;

/** Of each pair of patterns one covers the other, or they have nothing in common. */
function meet(
  a: readonly string[] | null | undefined,
  b: readonly string[] | null | undefined,
  covers: Covers,
): string[] {
  const both = new Set<string>();
  for (const one of a ?? [])
    for (const other of b ?? [])
      if (covers(one, other)) both.add(other);
      else if (covers(other, one)) both.add(one);
  return [...both];
}

/** Empty: every name. Undefined: none. */
function meetNames(a: readonly string[], b: readonly string[]): readonly string[] | undefined {
  if (a.length === 0) return b;
  if (b.length === 0) return a;
  const both = a.filter((name) => b.includes(name));
  return both.length === 0 ? undefined : both;
}
