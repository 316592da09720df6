// The strategies of the rbac.authorization.k8s.io group, by resource.

import type {
  ClusterRole,
  ClusterRoleBinding,
  Role,
  RoleBinding,
  Subject,
} from '@keelson/apimachinery/types/rbac.authorization.k8s.io.v1';
import { age, nameAndCreation } from '../printing/cells.ts';
import type { Strategy } from '../strategy.ts';
import { pathSegmentName } from '../validation/names.ts';
import { applyBindingDefaults } from './defaults.ts';
import {
  validateBinding,
  validateBindingUpdate,
  validateClusterRole,
  validateRole,
} from './validation.ts';

const roleKinds = ['Role', 'ClusterRole'];
const clusterRoleKinds = ['ClusterRole'];

const roleStrategy: Strategy<Role> = {
  validate: validateRole,
  validateUpdate: validateRole,
  nameRule: pathSegmentName,
  allowCreateOnUpdate: true,
  tableCells: nameAndCreation,
};

const clusterRoleStrategy: Strategy<ClusterRole> = {
  validate: validateClusterRole,
  validateUpdate: validateClusterRole,
  nameRule: pathSegmentName,
  allowCreateOnUpdate: true,
  tableCells: nameAndCreation,
};

const roleBindingStrategy: Strategy<RoleBinding> = {
  applyDefaults: applyBindingDefaults,
  validate: (binding) => validateBinding(binding, roleKinds),
  validateUpdate: (binding, old) => validateBindingUpdate(binding, old, roleKinds),
  nameRule: pathSegmentName,
  allowCreateOnUpdate: true,
  tableCells: bindingCells,
};

const clusterRoleBindingStrategy: Strategy<ClusterRoleBinding> = {
  ...roleBindingStrategy,
  validate: (binding) => validateBinding(binding, clusterRoleKinds),
  validateUpdate: (binding, old) => validateBindingUpdate(binding, old, clusterRoleKinds),
};

export const rbacStrategies: Readonly<Record<string, Strategy>> = {
  clusterrolebindings: clusterRoleBindingStrategy,
  clusterroles: clusterRoleStrategy,
  rolebindings: roleBindingStrategy,
  roles: roleStrategy,
};

function bindingCells(binding: RoleBinding | ClusterRoleBinding, nowMs: number): unknown[] {
  const names = (kind: string, text: (subject: Subject) => string) =>
    (binding.subjects ?? [])
      .filter((subject) => subject.kind === kind)
      .map(text)
      .join(', ');
  return [
    binding.metadata.name,
    `${binding.roleRef.kind}/${binding.roleRef.name}`,
    age(binding, nowMs),
    names('User', ({ name }) => name),
    names('Group', ({ name }) => name),
    names('ServiceAccount', ({ namespace = '', name }) => `${namespace}/${name}`),
  ];
}
