// Does a set of rules grant everything that other rules grant? Needed so that nobody can give away
// more than they hold. The other rules are taken apart to single permissions (one verb, one group,
// one resource, one name, or one verb and one URL), and each must be covered by one rule as a
// whole.

import { compareGoStrings, quoteGo } from '@keelson/apimachinery';
import { urlCovers, type PolicyRule } from './policy-rule.ts';

/**
 * Permissions that are looked at one by one, of all wanted rules together. SECURITY: one small role
 * can stand for thousands of millions of them, and writing roles is for namespace administrators.
 */
const permissionsMax = 20_000;

/**
 * The single permissions of `wanted` that no rule of `held` covers. Rules beyond the limit must be
 * covered by one rule as they are, or are uncovered as a whole.
 */
export function uncoveredRules(
  held: readonly PolicyRule[],
  wanted: readonly PolicyRule[],
): PolicyRule[] {
  let left = permissionsMax;
  return wanted.flatMap((rule) => {
    left -= permissionsOf(rule);
    const parts = left >= 0 ? breakDown(rule) : [rule];
    return parts.filter((part) => !held.some((own) => covers(own, part)));
  });
}

function permissionsOf(rule: PolicyRule): number {
  const { verbs = [], apiGroups = [], resources = [], resourceNames = [] } = rule;
  const names = Math.max(1, resourceNames.length);
  const urls = rule.nonResourceURLs ?? [];
  return verbs.length * (apiGroups.length * resources.length * names + urls.length);
}

function breakDown(rule: PolicyRule): PolicyRule[] {
  const {
    verbs = [],
    apiGroups = [],
    resources = [],
    resourceNames = [],
    nonResourceURLs = [],
  } = rule;
  const out: PolicyRule[] = [];
  for (const group of apiGroups)
    for (const resource of resources)
      for (const verb of verbs) {
        const single = { apiGroups: [group], resources: [resource], verbs: [verb] };
        if (resourceNames.length === 0) out.push(single);
        else for (const name of resourceNames) out.push({ ...single, resourceNames: [name] });
      }
  for (const url of nonResourceURLs)
    for (const verb of verbs) out.push({ nonResourceURLs: [url], verbs: [verb] });
  return out;
}

function covers(owner: PolicyRule, single: PolicyRule): boolean {
  const names = owner.resourceNames ?? [];
  const wantedNames = single.resourceNames ?? [];
  return (
    includesAll(owner.verbs, single.verbs) &&
    includesAll(owner.apiGroups, single.apiGroups) &&
    coversResources(owner.resources ?? [], single.resources ?? []) &&
    (single.nonResourceURLs ?? []).every((url) =>
      (owner.nonResourceURLs ?? []).some((pattern) => urlCovers(pattern, url)),
    ) &&
    (names.length === 0 || (wantedNames.length > 0 && wantedNames.every((n) => names.includes(n))))
  );
}

function includesAll(owner: readonly string[] = [], wanted: readonly string[] = []): boolean {
  return owner.includes('*') || wanted.every((value) => owner.includes(value));
}

function coversResources(owner: readonly string[], wanted: readonly string[]): boolean {
  if (owner.includes('*')) return true;
  return wanted.every((resource) => {
    if (owner.includes(resource)) return true;
    const slash = resource.indexOf('/');
    return slash >= 0 && owner.includes(`*${resource.slice(slash)}`);
  });
}

/** Joins the verbs of permissions that are otherwise equal; those on URLs stay single. */
export function compactRules(rules: readonly PolicyRule[]): PolicyRule[] {
  const compacted: PolicyRule[] = [];
  const simple = new Map<string, { rule: PolicyRule; verbs: Set<string> }>();
  for (const rule of rules) {
    const { apiGroups = [], resources = [], resourceNames = [], verbs = [] } = rule;
    const isSimple =
      apiGroups.length === 1 &&
      resources.length === 1 &&
      resourceNames.length <= 1 &&
      (rule.nonResourceURLs ?? []).length === 0;
    if (!isSimple) {
      compacted.push(rule);
      continue;
    }
    const key = JSON.stringify([apiGroups, resources, resourceNames]);
    const known = simple.get(key);
    if (known === undefined) simple.set(key, { rule, verbs: new Set(verbs) });
    else for (const verb of verbs) known.verbs.add(verb);
  }
  for (const { rule, verbs } of simple.values()) compacted.push({ ...rule, verbs: [...verbs] });
  return compacted;
}

/**
 * One line per rule, sorted, each once: `{APIGroups:["apps"], Resources:["deployments"],
 * Verbs:["get" "list"]}`.
 */
export function describeRules(rules: readonly PolicyRule[]): string {
  return [...new Set(rules.map(describeRule))].sort(compareGoStrings).join('\n');
}

function describeRule(rule: PolicyRule): string {
  const fields: [label: string, values: readonly string[] | undefined][] = [
    ['APIGroups', rule.apiGroups],
    ['Resources', rule.resources],
    ['NonResourceURLs', rule.nonResourceURLs],
    ['ResourceNames', rule.resourceNames],
    ['Verbs', rule.verbs],
  ];
  const parts = fields.flatMap(([label, values]) =>
    values === undefined || values.length === 0 ? [] : [`${label}:${quoteGoList(values)}`],
  );
  return `{${parts.join(', ')}}`;
}

/** Go's `%q` of a list: `["a" "b"]`. */
export function quoteGoList(values: readonly string[]): string {
  return `[${values.map(quoteGo).join(' ')}]`;
}
