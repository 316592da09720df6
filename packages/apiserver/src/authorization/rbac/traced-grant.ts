// How a decision trace names what granted a right: the binding, its subject, the role and the rule, so
// that the decision can be checked against the stored objects.

import type { KubeObject } from '@keelson/apimachinery';
import type { ResolvedGrant } from './compiled-roles.ts';
import { subjectsOf } from './policy-rule.ts';

export interface TracedObject {
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
  /** Absent for what does not exist. */
  readonly uid?: string;
}

export interface TracedGrant {
  readonly binding: TracedObject;
  readonly role: TracedObject;
  /** Index in the role's rules. */
  readonly rule: number;
  /** Index in the binding's subjects. */
  readonly subject: number;
}

export function traceGrant(resolved: ResolvedGrant, rule: number): TracedGrant {
  const { binding, namespace, subject } = resolved.grant;
  return {
    binding: traceObject(namespace === '' ? 'ClusterRoleBinding' : 'RoleBinding', binding),
    role: traceRole(resolved),
    rule,
    subject: subjectsOf(binding).indexOf(subject),
  };
}

/** A binding that leads nowhere. */
export function traceUnresolved(resolved: ResolvedGrant): Pick<TracedGrant, 'binding' | 'role'> {
  const { binding, role } = traceGrant(resolved, -1);
  return { binding, role };
}

function traceRole(resolved: ResolvedGrant): TracedObject {
  const { roleRef, namespace } = resolved.grant;
  if (resolved.rules !== undefined) return traceObject(roleRef.kind, resolved.role);
  const { kind, name } = roleRef;
  return { kind, ...(kind === 'Role' ? { namespace } : {}), name };
}

function traceObject(kind: string, { metadata }: KubeObject): TracedObject {
  const { namespace, name = '', uid } = metadata;
  return {
    kind,
    ...(namespace === undefined ? {} : { namespace }),
    name,
    ...(uid === undefined ? {} : { uid }),
  };
}
