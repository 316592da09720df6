// Whether a policy or a binding is about a request (`matchConstraints`, `matchResources`), and in
// which version it sees the objects: namespace selector, object selector and rules must match, and
// no rule of exclusion. What a selector could not find out only counts where all else matches.

import {
  compileLabelSelector,
  type GroupVersionKind,
  type GroupVersionResource,
  type LabelMatcher,
} from '@keelson/apimachinery';
import type {
  MatchResources,
  NamedRuleWithOperations,
} from '@keelson/apimachinery/types/admissionregistration.k8s.io.v1';
import type { ObjectSource } from '../../object-source.ts';
import type { AdmissionAttributes } from '../admission.ts';
import { matchesRule, type RuleSubject } from '../match/rule-matcher.ts';
import { selectsNamespace, selectsObject } from '../match/selector-matcher.ts';
import type { RequestVersions } from '../request-versions.ts';

export interface MatchedResource {
  readonly gvr: GroupVersionResource;
  readonly gvk: GroupVersionKind;
}

export interface MatchDependencies {
  readonly namespaces: ObjectSource;
  readonly versions: Pick<RequestVersions, 'equivalents' | 'kindOf'>;
}

interface Selectors {
  readonly namespace: LabelMatcher;
  readonly object: LabelMatcher;
}

const compiled = new WeakMap<MatchResources, Selectors>();

function selectorsOf(match: MatchResources): Selectors {
  let selectors = compiled.get(match);
  if (selectors === undefined) {
    selectors = {
      namespace: compileLabelSelector(match.namespaceSelector ?? {}),
      object: compileLabelSelector(match.objectSelector ?? {}),
    };
    compiled.set(match, selectors);
  }
  return selectors;
}

/** Throws NotFound when the labels of a namespace are needed and it is not there. */
export function matchResources(
  match: MatchResources,
  attributes: AdmissionAttributes,
  { namespaces, versions }: MatchDependencies,
): MatchedResource | undefined {
  const selectors = selectorsOf(match);
  let selectorError: unknown;
  try {
    if (!selectsNamespace(selectors.namespace, attributes, namespaces)) return undefined;
  } catch (error) {
    selectorError = error;
  }
  if (!selectsObject(selectors.object, attributes)) return undefined;
  const find = (rules: readonly NamedRuleWithOperations[]) =>
    findRule(rules, attributes, match.matchPolicy === 'Exact' ? undefined : versions);
  if (find(match.excludeResourceRules ?? []) !== undefined) return undefined;
  const rules = match.resourceRules ?? [];
  // Without rules everything is matched: bindings mostly have none.
  const { gvr, gvk } = attributes;
  const matched = rules.length === 0 ? { gvr, gvk } : find(rules);
  if (matched !== undefined && selectorError !== undefined) throw selectorError;
  return matched;
}

/** By the request's own version first, then by others in which the resource is served too. */
function findRule(
  rules: readonly NamedRuleWithOperations[],
  attributes: AdmissionAttributes,
  versions: MatchDependencies['versions'] | undefined,
): MatchedResource | undefined {
  const { gvr: own, gvk, subresource, operation, namespace, name } = attributes;
  const named = rules.filter(
    ({ resourceNames = [] }) => resourceNames.length === 0 || resourceNames.includes(name),
  );
  if (named.some((rule) => matchesRule(rule, attributes))) return { gvr: own, gvk };
  if (versions === undefined || named.length === 0) return undefined;
  for (const rule of named) {
    for (const gvr of versions.equivalents(own)) {
      const subject: RuleSubject = { gvr, subresource, operation, namespace };
      if (!matchesRule(rule, subject)) continue;
      const kind = versions.kindOf(gvr, subresource);
      if (kind !== undefined) return { gvr, gvk: kind };
    }
  }
  return undefined;
}
