// Defaults of RBAC objects: API groups that follow from kinds.

import type {
  ClusterRoleBinding,
  RoleBinding,
  RoleRef,
  Subject,
} from '@keelson/apimachinery/types/rbac.authorization.k8s.io.v1';

export const rbacGroup = 'rbac.authorization.k8s.io';

export function applyBindingDefaults({
  roleRef,
  subjects,
}: RoleBinding | ClusterRoleBinding): void {
  defaultRoleRef(roleRef);
  for (const subject of subjects ?? []) defaultSubject(subject);
}

function defaultRoleRef(roleRef: RoleRef): void {
  roleRef.apiGroup ||= rbacGroup;
}

function defaultSubject(subject: Subject): void {
  if (subject.kind === 'User' || subject.kind === 'Group') subject.apiGroup ||= rbacGroup;
}
