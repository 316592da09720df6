// Nobody may give away permissions that they do not hold. A role may be written by who holds all of
// its rules, or may `escalate` that kind of role; a binding by who holds all rules of the role, or
// may `bind` it. Checked before anything else about the object, for every create and update,
// whether or not the rules changed; only what garbage collection writes passes. An aggregated
// ClusterRole can gather anything, so writing one needs every permission.

import {
  aggregationSelectorsOf,
  asJson,
  jsonEqual,
  quoteGo,
  statusErrors,
  type DecisionTrace,
  type KubeObject,
  type StatusError,
} from '@keelson/apimachinery';
import type { UserInfo } from '../../authentication/authenticator.ts';
import type { Authorizer } from '../../authorization/authorizer.ts';
import { privilegedGroup } from '../../authorization/privileged-groups.ts';
import {
  rbacGroup,
  roleRefOf,
  rulesOf,
  type PolicyRule,
} from '../../authorization/rbac/policy-rule.ts';
import type { RbacAuthorizer } from '../../authorization/rbac/rbac-authorizer.ts';
import {
  compactRules,
  describeRules,
  quoteGoList,
  uncoveredRules,
} from '../../authorization/rbac/rule-coverage.ts';

export interface EscalationDependencies {
  /** All authorizers: whoever of them grants `escalate` or `bind` is believed. */
  readonly authorizer: Authorizer;
  /** The rules that callers hold. */
  readonly rbac: Pick<RbacAuthorizer, 'heldRules' | 'referencedRules'>;
}

/** A create (without `oldObject`) or an update of an RBAC object. */
export interface RbacWrite {
  readonly user: UserInfo;
  readonly trace: DecisionTrace;
  /** `roles`, `clusterrolebindings` and so on. */
  readonly resource: string;
  /** Empty for what concerns the whole cluster. */
  readonly namespace: string;
  /** The name in the URL; empty for a POST. */
  readonly name: string;
  readonly object: KubeObject;
  readonly oldObject?: KubeObject;
}

const fullAuthority: readonly PolicyRule[] = [
  { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
  { verbs: ['*'], nonResourceURLs: ['*'] },
];

/** For roles and clusterroles. Rejects with the 403 to answer. */
export async function checkRoleEscalation(
  dependencies: EscalationDependencies,
  write: RbacWrite,
): Promise<void> {
  const { object, oldObject } = write;
  if (isPrivileged(write) || (await mayEscalate(dependencies, write))) return;
  if (oldObject !== undefined && changesOnlyGarbageCollection(object, oldObject)) return;
  const problem = missingRules(dependencies, write, rulesOf(object));
  if (problem !== undefined) throw record(write, problem);
  const aggregates = (role: KubeObject | undefined) =>
    role !== undefined && aggregationSelectorsOf(role).length > 0;
  if (!aggregates(object) && !aggregates(oldObject)) return;
  if (missingRules(dependencies, write, fullAuthority) !== undefined)
    throw record(write, 'must have cluster-admin privileges to use the aggregationRule');
}

/** For rolebindings and clusterrolebindings. Rejects with the 403, or the 404 of a missing role. */
export async function checkBindEscalation(
  dependencies: EscalationDependencies,
  write: RbacWrite,
): Promise<void> {
  const { object, oldObject, namespace, resource } = write;
  if (isPrivileged(write)) return;
  if (oldObject !== undefined && changesOnlyGarbageCollection(object, oldObject)) return;
  if (await mayBind(dependencies, write)) return;
  const roleRef = roleRefOf(object);
  const rules = dependencies.rbac.referencedRules(roleRef, namespace);
  // COMPAT: Kubernetes names the resource of the request, not the role's.
  if (rules === undefined)
    throw statusErrors.notFound({ group: rbacGroup, resource }, roleRef.name);
  const problem = missingRules(dependencies, write, rules);
  if (problem !== undefined) throw record(write, problem);
}

function isPrivileged({ user }: RbacWrite): boolean {
  return user.groups.includes(privilegedGroup);
}

/** COMPAT: the name is that of the URL, so on create a grant with resourceNames does not help. */
async function mayEscalate(
  { authorizer }: EscalationDependencies,
  { user, trace, namespace, resource, name }: RbacWrite,
): Promise<boolean> {
  const attributes = {
    isResource: true,
    verb: 'escalate',
    namespace,
    group: rbacGroup,
    version: '*',
    resource,
    subresource: '',
    name,
  } as const;
  return (await authorizer.authorize(user, attributes, trace)).decision === 'allow';
}

async function mayBind(
  { authorizer }: EscalationDependencies,
  { user, trace, namespace, object }: RbacWrite,
): Promise<boolean> {
  const { kind, name, apiGroup = '' } = roleRefOf(object);
  if (kind !== 'Role' && kind !== 'ClusterRole') return false;
  const attributes = {
    isResource: true,
    verb: 'bind',
    namespace,
    group: apiGroup,
    version: '*',
    resource: kind === 'Role' ? 'roles' : 'clusterroles',
    subresource: '',
    name,
  } as const;
  return (await authorizer.authorize(user, attributes, trace)).decision === 'allow';
}

/** What the caller lacks to grant the rules, in Kubernetes' words. */
function missingRules(
  { rbac }: EscalationDependencies,
  { user, namespace }: RbacWrite,
  wanted: readonly PolicyRule[],
): string | undefined {
  const held = rbac.heldRules(user, namespace);
  const missing = uncoveredRules(held.rules, wanted);
  if (missing.length === 0) return undefined;
  const errors = held.errors.length === 0 ? '' : `; resolution errors: [${held.errors.join(' ')}]`;
  return `user ${quoteGo(user.name)} (groups=${quoteGoList(user.groups)}) is attempting to grant RBAC permissions not currently held:\n${describeRules(compactRules(missing))}${errors}`;
}

function record({ trace, resource, object }: RbacWrite, why: string): StatusError {
  if (trace.enabled)
    trace.record({ stage: 'authorization', by: 'rbac-escalation', outcome: 'deny', reason: why });
  return statusErrors.forbidden({ group: rbacGroup, resource }, object.metadata.name ?? '', why);
}

/** Owner references, finalizers and what the server keeps itself. */
function changesOnlyGarbageCollection(object: KubeObject, old: KubeObject): boolean {
  const strip = ({ metadata, ...rest }: KubeObject) => {
    const { ownerReferences, finalizers, selfLink, managedFields, ...kept } = metadata;
    void [ownerReferences, finalizers, selfLink, managedFields];
    return asJson({ ...rest, metadata: kept } as KubeObject);
  };
  return jsonEqual(strip(object), strip(old));
}
