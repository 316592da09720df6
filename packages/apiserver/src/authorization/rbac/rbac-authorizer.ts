// Role-based access control (https://kubernetes.io/docs/reference/access-authn-authz/rbac/). A
// request is allowed when a rule of a role allows it and a binding grants that role to the caller:
// a ClusterRoleBinding anywhere, a RoleBinding in its own namespace. Rules only allow; RBAC never
// denies. Bindings to roles that do not exist grant nothing and are named in the reason.

import type { DecisionTrace } from '@keelson/apimachinery';
import type { UserInfo } from '../../authentication/authenticator.ts';
import type { ObjectSource } from '../../object-source.ts';
import type {
  AuthorizationResult,
  Authorizer,
  NonResourceRule,
  RequestAttributes,
  ResourceRule,
  RuleResolver,
} from '../authorizer.ts';
import { createBindingIndex, describeGrant } from './binding-index.ts';
import { createRoleLookup, type AllowingGrant, type RoleLookup } from './compiled-roles.ts';
import { nameOfBinding, type Grant, type GrantList } from './grant-list.ts';
import { findNearMisses } from './near-misses.ts';
import { traceGrant, traceUnresolved } from './traced-grant.ts';
import { toResourceQuestion, type PolicyRule, type RoleRef } from './policy-rule.ts';

export interface RbacObjects {
  readonly roles: ObjectSource;
  readonly roleBindings: ObjectSource;
  readonly clusterRoles: ObjectSource;
  readonly clusterRoleBindings: ObjectSource;
}

export interface HeldRules {
  readonly rules: readonly PolicyRule[];
  /** Why some bindings could not be followed. */
  readonly errors: readonly string[];
}

export interface RbacAuthorizer extends Authorizer, RuleResolver {
  /** The rules that the user holds in the namespace; cluster-wide ones only when it is empty. */
  heldRules(user: UserInfo, namespace: string): HeldRules;
  /**
   * The rules of a role as a binding in the namespace would grant them; undefined when there is
   * none.
   */
  referencedRules(roleRef: RoleRef, namespace: string): readonly PolicyRule[] | undefined;
  /** Ends the subscriptions. */
  close(): void;
}

/** Reads all RBAC objects and follows their changes until closed. */
export function createRbacAuthorizer(objects: RbacObjects): RbacAuthorizer {
  const policy = openPolicy(objects);
  return {
    name,
    authorize(user, attributes, trace) {
      const verdict = decide(policy, user, attributes);
      if (trace.enabled) record(policy, { user, attributes, trace }, verdict);
      return verdict.result;
    },
    async rulesFor(user, namespace) {
      const { rules, errors } = heldRules(policy, user, namespace);
      return {
        resourceRules: rules.filter((r) => (r.resources ?? []).length > 0).map(toResourceRule),
        nonResourceRules: rules
          .filter((r) => (r.nonResourceURLs ?? []).length > 0)
          .map(toNonResourceRule),
        incomplete: false,
        evaluationError: errors.length === 0 ? '' : joined(errors),
      };
    },
    heldRules: (user, namespace) => heldRules(policy, user, namespace),
    referencedRules(roleRef, namespace) {
      const rules = policy.roles.rulesOf(roleRef, namespace);
      return typeof rules === 'string' ? undefined : rules.map((compiled) => compiled.rule);
    },
    close: () => policy.close(),
  };
}

const name = 'RBAC';

interface Policy {
  readonly roles: RoleLookup;
  /** What concerns the user in the namespace: cluster-wide bindings first. */
  listsFor(user: UserInfo, namespace: string): GrantList[];
  close(): void;
}

function openPolicy(objects: RbacObjects): Policy {
  const clusterWide = createBindingIndex(objects.clusterRoleBindings);
  const inNamespaces = createBindingIndex(objects.roleBindings);
  const roles = createRoleLookup(objects.roles, objects.clusterRoles);
  return {
    roles,
    listsFor(user, namespace) {
      const lists = clusterWide.listsFor(user, '');
      return namespace === '' ? lists : [...lists, ...inNamespaces.listsFor(user, namespace)];
    },
    close() {
      clusterWide.close();
      inNamespaces.close();
      roles.close();
    },
  };
}

interface Verdict {
  readonly result: AuthorizationResult;
  readonly allowedBy?: AllowingGrant;
}

function decide(policy: Policy, user: UserInfo, attributes: RequestAttributes): Verdict {
  const problems = new Set<string>();
  const question = attributes.isResource ? toResourceQuestion(attributes) : attributes;
  for (const list of policy.listsFor(user, namespaceOf(attributes))) {
    const found = policy.roles.find(list, question, problems);
    if (found === undefined) continue;
    const reason = `RBAC: allowed by ${describeGrant(found.grant.grant)}`;
    return { result: { decision: 'allow', reason }, allowedBy: found };
  }
  const reason = problems.size === 0 ? '' : `RBAC: ${joined(problems)}`;
  return { result: { decision: 'no-opinion', reason } };
}

function record(
  policy: Policy,
  asked: { user: UserInfo; attributes: RequestAttributes; trace: DecisionTrace },
  { result, allowedBy }: Verdict,
): void {
  const { user, attributes, trace } = asked;
  const step = { stage: 'authorization', by: name } as const;
  if (allowedBy !== undefined) {
    const detail = { ...traceGrant(allowedBy.grant, allowedBy.rule) };
    trace.record({ ...step, outcome: 'allow', reason: result.reason, detail });
    return;
  }
  const lists = policy.listsFor(user, namespaceOf(attributes));
  const grants = lists.flatMap((list) => list.grants.map(policy.roles.resolve));
  trace.record({
    ...step,
    outcome: 'no-opinion',
    reason: result.reason === '' ? 'no rule that the caller holds allows it' : result.reason,
    detail: {
      grantsLookedAt: grants.length,
      nearMisses: findNearMisses(grants, attributes),
      unresolved: grants.filter(({ rules }) => rules === undefined).map(traceUnresolved),
    },
  });
}

function heldRules({ roles, listsFor }: Policy, user: UserInfo, namespace: string): HeldRules {
  const byBinding = new Map<string, Grant>();
  for (const list of listsFor(user, namespace))
    for (const grant of list.grants) {
      const key = `${grant.namespace}/${nameOfBinding(grant)}`;
      if (!byBinding.has(key)) byBinding.set(key, grant);
    }
  const rules: PolicyRule[] = [];
  const errors = new Set<string>();
  for (const resolved of [...byBinding.values()].map(roles.resolve)) {
    if (resolved.rules === undefined) errors.add(resolved.problem);
    else rules.push(...resolved.rules.map((compiled) => compiled.rule));
  }
  return { rules, errors: [...errors] };
}

/** URLs are no part of a namespace. */
function namespaceOf(attributes: RequestAttributes): string {
  return attributes.isResource ? attributes.namespace : '';
}

function joined(texts: Iterable<string>): string {
  const list = [...texts];
  return list.length === 1 ? (list[0] ?? '') : `[${list.join(', ')}]`;
}

function toResourceRule(rule: PolicyRule): ResourceRule {
  const { verbs = [], apiGroups = [], resources = [], resourceNames = [] } = rule;
  return { verbs, apiGroups, resources, resourceNames };
}

function toNonResourceRule(rule: PolicyRule): NonResourceRule {
  const { verbs = [], nonResourceURLs = [] } = rule;
  return { verbs, nonResourceURLs };
}
