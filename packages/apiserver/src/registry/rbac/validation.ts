// Validation of roles and bindings (pkg/apis/rbac/validation). Whether the writer may grant what is
// written is not asked here but in authorization.

import { fieldError, type FieldError } from '@keelson/apimachinery';
import type {
  ClusterRole,
  ClusterRoleBinding,
  PolicyRule,
  Role,
  RoleBinding,
  RoleRef,
  Subject,
} from '@keelson/apimachinery/types/rbac.authorization.k8s.io.v1';
import { conforms, oneOf, required } from '../validation/checks.ts';
import { isSemanticallyEqual } from '../validation/equality.ts';
import { labelSelector } from '../validation/labels.ts';
import { nameIsDns1123Subdomain, pathSegmentName } from '../validation/names.ts';
import { rbacGroup } from './defaults.ts';

const subjectKinds = ['ServiceAccount', 'User', 'Group'];

export function validateRole({ rules }: Role): FieldError[] {
  const errors: FieldError[] = [];
  rules?.forEach((rule, i) => checkRule(errors, `rules[${i}]`, rule, true));
  return errors;
}

export function validateClusterRole(role: ClusterRole): FieldError[] {
  const errors: FieldError[] = [];
  role.rules?.forEach((rule, i) => checkRule(errors, `rules[${i}]`, rule, false));
  if (!role.aggregationRule) return errors;
  const path = 'aggregationRule.clusterRoleSelectors';
  const selectors = role.aggregationRule.clusterRoleSelectors ?? [];
  const why = 'at least one clusterRoleSelector required if aggregationRule is non-nil';
  required(errors, path, selectors, why);
  selectors.forEach((selector, i) => {
    const before = errors.length;
    labelSelector(errors, `${path}[${i}]`, selector);
    if (errors.length === before) return;
    errors.push(fieldError.invalid(`${path}[${i}]`, null, 'invalid label selector.'));
  });
  return errors;
}

function checkRule(
  errors: FieldError[],
  path: string,
  rule: PolicyRule,
  isNamespaced: boolean,
): void {
  required(errors, `${path}.verbs`, rule.verbs, 'verbs must contain at least one value');
  if (rule.nonResourceURLs?.length) {
    if (isNamespaced) {
      const why = 'namespaced rules cannot apply to non-resource URLs';
      errors.push(fieldError.invalid(`${path}.nonResourceURLs`, rule.nonResourceURLs, why));
    }
    if (rule.apiGroups?.length || rule.resources?.length || rule.resourceNames?.length) {
      const why = 'rules cannot apply to both regular resources and non-resource URLs';
      errors.push(fieldError.invalid(`${path}.nonResourceURLs`, rule.nonResourceURLs, why));
    }
    return;
  }
  const groups = 'resource rules must supply at least one api group';
  required(errors, `${path}.apiGroups`, rule.apiGroups, groups);
  const resources = 'resource rules must supply at least one resource';
  required(errors, `${path}.resources`, rule.resources, resources);
}

export function validateBinding(
  { roleRef, subjects }: RoleBinding | ClusterRoleBinding,
  roleKinds: readonly string[],
): FieldError[] {
  const errors: FieldError[] = [];
  if (roleRef.apiGroup !== rbacGroup) {
    errors.push(fieldError.notSupported('roleRef.apiGroup', roleRef.apiGroup, [rbacGroup]));
  }
  oneOf(errors, 'roleRef.kind', roleRef.kind, roleKinds);
  if (required(errors, 'roleRef.name', roleRef.name)) {
    conforms(errors, 'roleRef.name', roleRef.name, (name) => pathSegmentName(name, false));
  }
  const isNamespaced = roleKinds.includes('Role');
  subjects?.forEach((subject, i) => {
    checkSubject(errors, `subjects[${i}]`, subject, isNamespaced);
  });
  return errors;
}

function checkSubject(
  errors: FieldError[],
  path: string,
  subject: Subject,
  isNamespaced: boolean,
): void {
  required(errors, `${path}.name`, subject.name);
  const apiGroup = subject.apiGroup ?? '';
  switch (subject.kind) {
    case 'ServiceAccount':
      if (subject.name) {
        conforms(errors, `${path}.name`, subject.name, (n) => nameIsDns1123Subdomain(n, false));
      }
      if (apiGroup !== '') {
        errors.push(fieldError.notSupported(`${path}.apiGroup`, apiGroup, ['']));
      }
      if (!isNamespaced) required(errors, `${path}.namespace`, subject.namespace);
      break;
    case 'User':
    case 'Group':
      if (apiGroup !== rbacGroup) {
        errors.push(fieldError.notSupported(`${path}.apiGroup`, apiGroup, [rbacGroup]));
      }
      break;
    default:
      errors.push(fieldError.notSupported(`${path}.kind`, subject.kind, subjectKinds));
  }
}

/** What a binding grants is fixed; only to whom may change. */
export function validateBindingUpdate(
  binding: RoleBinding | ClusterRoleBinding,
  old: RoleBinding | ClusterRoleBinding,
  roleKinds: readonly string[],
): FieldError[] {
  const errors = validateBinding(binding, roleKinds);
  if (isSemanticallyEqual(binding.roleRef, old.roleRef)) return errors;
  const shown = printedRoleRef(binding.roleRef);
  return [...errors, fieldError.invalid('roleRef', shown, 'cannot change roleRef')];
}

/** COMPAT: printed with Go's field names. */
function printedRoleRef({ apiGroup, kind, name }: RoleRef) {
  return { APIGroup: apiGroup, Kind: kind, Name: name };
}
