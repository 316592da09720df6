// Whether a request is one of those that a rule of a webhook or of a policy names: operations,
// groups, versions, resources with subresources, scope. `*` stands for all in each of them.
//
//   pods        pods, without subresources          pods/status   that subresource
//   pods/*      pods and all its subresources       */scale       scale of everything
//   *           all resources, no subresources      */*           everything

import type { GroupVersionResource } from '@keelson/apimachinery';
import type { RuleWithOperations } from '@keelson/apimachinery/types/admissionregistration.k8s.io.v1';
import type { AdmissionAttributes } from '../admission.ts';

/** What of a request the rules look at; `gvr` may be another version than the request's. */
export type RuleSubject = Pick<AdmissionAttributes, 'operation' | 'subresource' | 'namespace'> & {
  readonly gvr: GroupVersionResource;
};

export function matchesRule(rule: RuleWithOperations, subject: RuleSubject): boolean {
  const { gvr, operation } = subject;
  return (
    matchesScope(rule.scope, subject) &&
    names(rule.operations, operation) &&
    names(rule.apiGroups, gvr.group) &&
    names(rule.apiVersions, gvr.version) &&
    (rule.resources ?? []).some((pattern) => matchesResource(pattern, subject))
  );
}

function names(list: readonly string[] | undefined, word: string): boolean {
  return list?.some((entry) => entry === '*' || entry === word) === true;
}

/** A Namespace is cluster-scoped, though requests for one name it as their namespace. */
function matchesScope(scope: string | undefined, { namespace, gvr }: RuleSubject): boolean {
  if (scope === undefined || scope === '' || scope === '*') return true;
  const isNamespaced = namespace !== '' && !isNamespaceResource(gvr);
  return scope === 'Namespaced' ? isNamespaced : scope === 'Cluster' && !isNamespaced;
}

export function isNamespaceResource({ group, resource }: GroupVersionResource): boolean {
  return group === '' && resource === 'namespaces';
}

function matchesResource(pattern: string, { gvr, subresource }: RuleSubject): boolean {
  const slash = pattern.indexOf('/');
  const resource = slash < 0 ? pattern : pattern.slice(0, slash);
  const sub = slash < 0 ? '' : pattern.slice(slash + 1);
  return (resource === '*' || resource === gvr.resource) && (sub === '*' || sub === subresource);
}
