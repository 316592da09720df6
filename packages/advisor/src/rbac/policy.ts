// The RBAC objects of a cluster as one value: every grant, that is a subject, the role it is bound to,
// and where. Aggregated roles have the rules that their controller would give them, whatever a file
// says.

import {
  aggregateRules,
  aggregationSelectorsOf,
  compareGoStrings,
  equalRules,
  type KubeObject,
} from '@keelson/apimachinery';
import { concerns, type Identity, type Subject } from './identities.ts';
import type { PolicyRule } from './rules.ts';

export const rbacGroup = 'rbac.authorization.k8s.io';

export interface Grant {
  readonly binding: KubeObject;
  /** Of a RoleBinding; empty: everywhere. */
  readonly namespace: string;
  readonly subject: Subject;
  readonly roleRef: { readonly kind: string; readonly name: string };
  /** Undefined: there is no such role, and the grant grants nothing. */
  readonly role: KubeObject | undefined;
  readonly rules: readonly PolicyRule[];
}

export interface RbacPolicy {
  /** Of RBAC, with aggregated roles filled; in the order of kinds and names. */
  readonly objects: readonly KubeObject[];
  readonly grants: readonly Grant[];
  role(kind: string, namespace: string, name: string): KubeObject | undefined;
}

const kinds = ['ClusterRole', 'Role', 'ClusterRoleBinding', 'RoleBinding'];

/** A later object takes the place of an earlier one of its kind and name; other kinds are ignored. */
export function readRbacPolicy(objects: Iterable<KubeObject>): RbacPolicy {
  const byKey = new Map<string, KubeObject>();
  for (const object of objects)
    if (kinds.includes(object.kind ?? '')) byKey.set(keyOf(object), object);
  aggregate(byKey);
  const sorted = [...byKey]
    .toSorted(([a], [b]) => compareGoStrings(a, b))
    .map(([, object]) => object);
  const role: RbacPolicy['role'] = (kind, namespace, name) =>
    byKey.get(`${kind}/${kind === 'Role' ? namespace : ''}/${name}`);
  const grants = sorted.flatMap((object) => grantsOf(object, role));
  return { objects: sorted, grants, role };
}

/** The grants that concern the caller, in all namespaces. */
export function grantsFor(policy: RbacPolicy, who: Identity): Grant[] {
  const { grants } = policy;
  return grants.filter(({ subject, namespace }) => concerns(subject, namespace, who));
}

/** Whether what is granted in `grant` holds in the namespace; URLs are of no namespace. */
export function isInForce({ namespace }: Grant, asked: string): boolean {
  return namespace === '' || namespace === asked;
}

export function rulesOfRole(role: KubeObject): readonly PolicyRule[] {
  return (role['rules'] as readonly PolicyRule[] | null | undefined) ?? [];
}

export function subjectsOfBinding(binding: KubeObject): readonly Subject[] {
  return (binding['subjects'] as readonly Subject[] | null | undefined) ?? [];
}

/** `ClusterRoleBinding admins`, `RoleBinding shop/devs`. */
export function describeObject({ kind = '', metadata }: KubeObject): string {
  const { namespace, name = '' } = metadata;
  return `${kind} ${namespace === undefined ? name : `${namespace}/${name}`}`;
}

function keyOf({ kind = '', metadata }: KubeObject): string {
  const isNamespaced = kind === 'Role' || kind === 'RoleBinding';
  return `${kind}/${isNamespaced ? (metadata.namespace ?? '') : ''}/${metadata.name ?? ''}`;
}

/** Aggregated roles may be aggregated again; a round for each settles them all. */
function aggregate(byKey: Map<string, KubeObject>): void {
  const isAggregated = (role: KubeObject) => aggregationSelectorsOf(role).length > 0;
  const roles = () => [...byKey.values()].filter(({ kind }) => kind === 'ClusterRole');
  const roundsMax = roles().filter(isAggregated).length;
  for (let round = 0; round < roundsMax; round++) {
    let changed = false;
    for (const role of roles().filter(isAggregated)) {
      const rules = aggregateRules(role, roles()) ?? [];
      if (equalRules(rulesOfRole(role), rules)) continue;
      byKey.set(keyOf(role), { ...role, rules } as unknown as KubeObject);
      changed = true;
    }
    if (!changed) return;
  }
}

function grantsOf(binding: KubeObject, role: RbacPolicy['role']): Grant[] {
  if (binding.kind !== 'RoleBinding' && binding.kind !== 'ClusterRoleBinding') return [];
  const namespace = binding.kind === 'RoleBinding' ? (binding.metadata.namespace ?? '') : '';
  const roleRef = (binding['roleRef'] ?? { kind: '', name: '' }) as Grant['roleRef'];
  // A ClusterRoleBinding can only mean a ClusterRole.
  const isPossible =
    roleRef.kind === 'ClusterRole' || (roleRef.kind === 'Role' && namespace !== '');
  const found = isPossible ? role(roleRef.kind, namespace, roleRef.name) : undefined;
  const rules = found === undefined ? [] : rulesOfRole(found);
  return subjectsOfBinding(binding).map((subject) => ({
    binding,
    namespace,
    subject,
    roleRef,
    role: found,
    rules,
  }));
}
