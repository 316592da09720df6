// Whom and what a rule of a FlowSchema matches: subjects, and requests for resources or URLs.

import { fieldError } from '@keelson/apimachinery';
import type {
  NonResourcePolicyRule,
  PolicyRulesWithSubjects,
  ResourcePolicyRule,
  ServiceAccountSubject,
  Subject,
} from '@keelson/apimachinery/types/flowcontrol.apiserver.k8s.io.v1';
import { conforms, oneOf, required, type Errors } from '../../validation/checks.ts';
import { dns1123Label, dns1123Subdomain } from '../../validation/names.ts';

const verbs = [
  'create',
  'delete',
  'deletecollection',
  'get',
  'list',
  'patch',
  'proxy',
  'update',
  'watch',
];
/** Kinds of subjects and the fields that tell who it is, in the order in which those are read. */
const subjectFields = { ServiceAccount: 'serviceAccount', User: 'user', Group: 'group' } as const;
type SubjectKind = keyof typeof subjectFields;
const subjectKinds = ['Group', 'ServiceAccount', 'User'];
const wildcard = '*';

export function policyRule(errors: Errors, path: string, rule: PolicyRulesWithSubjects): void {
  if (
    required(errors, `${path}.subjects`, rule.subjects, 'subjects must contain at least one value')
  ) {
    rule.subjects?.forEach((one, i) => subject(errors, `${path}.subjects[${i}]`, one));
  }
  const { resourceRules = [], nonResourceRules = [] } = rule;
  if (resourceRules.length + nonResourceRules.length === 0) {
    const why = 'at least one of resourceRules and nonResourceRules has to be non-empty';
    errors.push(fieldError.required(path, why));
  }
  resourceRules.forEach((one, i) => resourceRule(errors, `${path}.resourceRules[${i}]`, one));
  nonResourceRules.forEach((one, i) => {
    nonResourceRule(errors, `${path}.nonResourceRules[${i}]`, one);
  });
}

function subject(errors: Errors, path: string, one: Subject): void {
  if (!oneOf(errors, `${path}.kind`, one.kind, subjectKinds)) return;
  const kind = one.kind as SubjectKind;
  subjectOfKind(errors, path, one);
  for (const [other, field] of Object.entries(subjectFields)) {
    if (other === kind || one[field] === undefined) continue;
    const why = `${field} is forbidden when subject kind is not '${other}'`;
    errors.push(fieldError.forbidden(`${path}.${field}`, why));
  }
}

function subjectOfKind(errors: Errors, path: string, one: Subject): void {
  const kind = one.kind as SubjectKind;
  const field = subjectFields[kind];
  const named = one[field];
  if (named === undefined) {
    const why = `${field} is required when subject kind is '${kind}'`;
    errors.push(fieldError.required(`${path}.${field}`, why));
  } else if (field === 'serviceAccount') {
    serviceAccount(errors, `${path}.${field}`, named as ServiceAccountSubject);
  } else {
    required(errors, `${path}.${field}.name`, named.name);
  }
}

function serviceAccount(errors: Errors, path: string, account: ServiceAccountSubject): void {
  const { name = '', namespace = '' } = account;
  if (required(errors, `${path}.name`, name) && name !== wildcard) {
    conforms(errors, `${path}.name`, name, dns1123Subdomain);
  }
  const why = 'must specify namespace for service account';
  if (required(errors, `${path}.namespace`, namespace, why)) {
    conforms(errors, `${path}.namespace`, namespace, dns1123Label);
  }
}

function resourceRule(errors: Errors, path: string, rule: ResourcePolicyRule): void {
  verbList(errors, `${path}.verbs`, rule.verbs);
  const noGroup = 'resource rules must supply at least one api group';
  if (required(errors, `${path}.apiGroups`, rule.apiGroups, noGroup)) {
    loneWildcard(errors, `${path}.apiGroups`, rule.apiGroups, 'api groups');
  }
  const noResource = 'resource rules must supply at least one resource';
  if (required(errors, `${path}.resources`, rule.resources, noResource)) {
    loneWildcard(errors, `${path}.resources`, rule.resources, 'resources');
  }
  ruleNamespaces(errors, `${path}.namespaces`, rule);
}

function ruleNamespaces(errors: Errors, path: string, rule: ResourcePolicyRule): void {
  const namespaces = rule.namespaces ?? [];
  if (namespaces.length === 0 && rule.clusterScope !== true) {
    const why = 'resource rules that are not cluster scoped must supply at least one namespace';
    errors.push(fieldError.required(path, why));
  } else if (namespaces.includes(wildcard)) {
    loneWildcard(errors, path, namespaces, 'namespaces');
  } else {
    const intro = "each member of this list must be '*' or a DNS-1123 label; ";
    const labelWithIntro = (name: string) => dns1123Label(name).map((text) => intro + text);
    namespaces.forEach((name, i) => conforms(errors, `${path}[${i}]`, name, labelWithIntro));
  }
}

function nonResourceRule(errors: Errors, path: string, rule: NonResourcePolicyRule): void {
  verbList(errors, `${path}.verbs`, rule.verbs);
  const urls = rule.nonResourceURLs ?? [];
  const urlsPath = `${path}.nonResourceURLs`;
  if (!required(errors, urlsPath, urls, 'nonResourceURLs must contain at least one value')) return;
  if (urls.includes(wildcard)) loneWildcard(errors, urlsPath, urls, 'non-resource URLs');
  else urls.forEach((url, i) => conforms(errors, `${urlsPath}[${i}]`, url, urlPath));
}

function verbList(errors: Errors, path: string, list: readonly string[] | null): void {
  if (!required(errors, path, list, 'verbs must contain at least one value') || !list) return;
  if (list.includes(wildcard)) loneWildcard(errors, path, list, 'verbs');
  else if (!list.every((verb) => verbs.includes(verb))) {
    errors.push(fieldError.notSupported(path, list, verbs));
  }
}

function loneWildcard(
  errors: Errors,
  path: string,
  list: readonly string[] | null,
  what: string,
): void {
  if (!list || list.length < 2 || !list.includes(wildcard)) return;
  const why = `if '*' is present, must not specify other ${what}`;
  errors.push(fieldError.invalid(path, list, why));
}

function urlPath(url: string): string[] {
  if (url === '') return ['must not be empty'];
  if (!url.startsWith('/')) return ['must start with slash'];
  if (url.includes(' ')) return ['must not contain white-space'];
  if (url.includes('//')) return ['must not contain double slash'];
  const wildcardAt = url.indexOf(wildcard);
  const isSuffix = wildcardAt === url.length - 1 && url.endsWith('/*');
  return wildcardAt < 0 || isSuffix ? [] : ['wildcard can only do suffix matching'];
}
