// The roles and bindings that every cluster starts with, as kube-apiserver has them: for its own
// components, for administrators, and what everybody may read. Data of the newest release; rules
// that belong to a feature are left out where the emulated release does not have it.

import { aggregateRules, type KubeObject } from '@keelson/apimachinery';
import type { Features } from '../features/features.ts';
import {
  gatedRoles,
  gatedRules,
  optionalClusterRoleBindings,
  optionalClusterRoles,
  optionalRules,
} from './bootstrap-policy-gates.ts';
import {
  clusterRoleBindingTable,
  clusterRoleTable,
  roleBindingTable,
  roleTable,
} from './bootstrap-policy.generated.ts';
import { rbacGroup, type PolicyRule, type Subject } from './rbac/policy-rule.ts';

/** A role in the generated table. */
export interface RoleRow {
  readonly namespace?: string;
  readonly name: string;
  /**
   * `verbs|groups|resources|names`, `verbs|@|urls`; items separated by commas, the core group is
   * empty.
   */
  readonly rules?: readonly string[];
  /** `admin`: the label that makes it part of that role. */
  readonly aggregatesTo?: readonly string[];
  /** It takes its rules from the roles with this label. */
  readonly aggregates?: readonly string[];
}
/** A binding in the generated table. */
export interface BindingRow {
  readonly namespace?: string;
  readonly name: string;
  /** `ClusterRole/view` */
  readonly role: string;
  /** `User/name`, `Group/name`, `ServiceAccount/namespace/name` */
  readonly subjects: readonly string[];
}

export type RbacResource = 'clusterroles' | 'clusterrolebindings' | 'roles' | 'rolebindings';
export interface BootstrapObject {
  readonly resource: RbacResource;
  readonly object: KubeObject;
}

const aggregateLabel = (role: string) => `rbac.authorization.k8s.io/aggregate-to-${role}`;
const bootstrappingLabel = { 'kubernetes.io/bootstrapping': 'rbac-defaults' };
/** With the value `false` on an object, its defaults are not restored. */
export const autoUpdateAnnotation = 'rbac.authorization.kubernetes.io/autoupdate';
const apiVersion = `${rbacGroup}/v1`;

/**
 * New objects for the default policy of the emulated release, roles before bindings. Aggregated
 * roles have the rules that their controller would give them.
 */
export function bootstrapPolicy(features: Features): BootstrapObject[] {
  const withGates = (row: RoleRow | BindingRow) => {
    const gate = gatedRoles[row.name];
    return gate === undefined || features.enabled(gate);
  };
  const isOn = ({ gate }: { readonly gate: string }) => features.enabled(gate);
  const clusterRoles = [
    ...clusterRoleTable.filter(withGates),
    ...optionalClusterRoles.filter(isOn),
  ].map((row) => roleObject('ClusterRole', row, features));
  fillAggregated(clusterRoles);
  const of = (resource: RbacResource, objects: readonly KubeObject[]): BootstrapObject[] =>
    objects.map((object) => ({ resource, object }));
  return [
    ...of('clusterroles', clusterRoles),
    ...of(
      'roles',
      roleTable.filter(withGates).map((row) => roleObject('Role', row, features)),
    ),
    ...of(
      'clusterrolebindings',
      [
        ...clusterRoleBindingTable.filter(withGates),
        ...optionalClusterRoleBindings.filter(isOn),
      ].map((row) => bindingObject('ClusterRoleBinding', row)),
    ),
    ...of(
      'rolebindings',
      roleBindingTable.filter(withGates).map((row) => bindingObject('RoleBinding', row)),
    ),
  ];
}

/** The rules of `system:node`, which the Node authorizer grants to every node. */
export function systemNodeRules(features: Features): PolicyRule[] {
  const row = clusterRoleTable.find(({ name }) => name === 'system:node');
  return row === undefined ? [] : rulesOfRow(row, features);
}

/** Those of the release, then those of features that are off by default. */
function rulesOfRow(row: RoleRow, features: Features): PolicyRule[] {
  const left = (row.rules ?? []).filter((text) =>
    gatedRules.every(
      (gated) => gated.role !== row.name || gated.rule !== text || features.enabled(gated.gate),
    ),
  );
  const added = optionalRules.filter(
    (optional) => optional.role === row.name && features.enabled(optional.gate),
  );
  return [...left, ...added.map(({ rule }) => rule)].map(decodeRule);
}

function roleObject(kind: string, row: RoleRow, features: Features): KubeObject {
  const labels = Object.fromEntries(
    (row.aggregatesTo ?? []).map((r) => [aggregateLabel(r), 'true']),
  );
  const object: KubeObject = { kind, apiVersion, metadata: metadataOf(row, labels) };
  if (row.aggregates !== undefined) {
    const clusterRoleSelectors = row.aggregates.map((r) => ({
      matchLabels: { [aggregateLabel(r)]: 'true' },
    }));
    return { ...object, rules: null, aggregationRule: { clusterRoleSelectors } };
  }
  return { ...object, rules: rulesOfRow(row, features) };
}

function metadataOf(row: RoleRow | BindingRow, labels: Readonly<Record<string, string>>) {
  return {
    name: row.name,
    ...(row.namespace === undefined ? {} : { namespace: row.namespace }),
    labels: { ...bootstrappingLabel, ...labels },
    annotations: { [autoUpdateAnnotation]: 'true' },
  };
}

/** Roles may aggregate aggregated roles (`view` → `edit` → `admin`), so until nothing changes. */
function fillAggregated(roles: KubeObject[]): void {
  const aggregated = roles.filter((role) => role['aggregationRule'] !== undefined);
  for (const _ of aggregated)
    for (const role of aggregated) role['rules'] = aggregateRules(role, roles) ?? role['rules'];
}

function bindingObject(kind: string, row: BindingRow): KubeObject {
  const [roleKind = '', roleName = ''] = splitOnce(row.role);
  const subjects = row.subjects.map(decodeSubject);
  return {
    kind,
    apiVersion,
    metadata: metadataOf(row, {}),
    ...(subjects.length > 0 ? { subjects } : {}),
    roleRef: { apiGroup: rbacGroup, kind: roleKind, name: roleName },
  };
}

function decodeRule(text: string): PolicyRule {
  const parts = text.split('|').map((part) => part.split(','));
  const [verbs = [], apiGroups = [], what = [], resourceNames] = parts;
  if (apiGroups[0] === '@') return { verbs, nonResourceURLs: what };
  return {
    verbs,
    apiGroups,
    resources: what,
    ...(resourceNames === undefined ? {} : { resourceNames }),
  };
}

function decodeSubject(text: string): Subject {
  const [kind = '', rest = ''] = splitOnce(text);
  if (kind !== 'ServiceAccount') return { kind, apiGroup: rbacGroup, name: rest };
  const [namespace = '', name = ''] = splitOnce(rest);
  return { kind, name, namespace };
}

function splitOnce(text: string): [string, string] {
  const slash = text.indexOf('/');
  return [text.slice(0, slash), text.slice(slash + 1)];
}
