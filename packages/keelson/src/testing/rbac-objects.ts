// Roles and bindings as tests write them.

import type { JsonObject } from '@keelson/apimachinery';

const rbac = 'rbac.authorization.k8s.io';
const apiVersion = `${rbac}/v1`;

/** A ClusterRole when the namespace is empty. */
export const role = (namespace: string, name: string, ...rules: object[]): JsonObject => ({
  apiVersion,
  kind: namespace === '' ? 'ClusterRole' : 'Role',
  metadata: { name, ...(namespace === '' ? {} : { namespace }) },
  rules: rules as JsonObject[],
});
const subjectOf = (text: string): JsonObject => {
  const [kind = '', name = ''] = text.split('=');
  if (kind !== 'ServiceAccount') return { kind, apiGroup: rbac, name };
  const [namespace = '', account = ''] = name.split('/');
  return { kind, namespace, name: account };
};
/** `roleRef` as `ClusterRole/admin`, subjects as `User=eve` or `ServiceAccount=shop/web`. */
export const bind = (
  namespace: string,
  name: string,
  roleRef: string,
  ...subjects: string[]
): JsonObject => {
  const [kind = '', role = ''] = roleRef.split('/');
  return {
    apiVersion,
    kind: namespace === '' ? 'ClusterRoleBinding' : 'RoleBinding',
    metadata: { name, ...(namespace === '' ? {} : { namespace }) },
    roleRef: { apiGroup: rbac, kind, name: role },
    subjects: subjects.map(subjectOf),
  };
};
