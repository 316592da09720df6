// What an analysis of rights looks at: the RBAC objects, and the names of what they speak of.

import { compareGoStrings, type KubeObject } from '@keelson/apimachinery';
import {
  accountIdentity,
  accountOf,
  describeIdentity,
  identityOfSubject,
  type Identity,
} from './identities.ts';
import { grantsFor, isInForce, readRbacPolicy, type Grant, type RbacPolicy } from './policy.ts';
import { isUrlAccess, ruleAllows, type AccessQuestion, type PolicyRule } from './rules.ts';

export interface RbacState {
  readonly policy: RbacPolicy;
  /** Known ones: those that exist, and those that RBAC objects and accounts are in. */
  readonly namespaces: readonly string[];
  /** Known service accounts; each namespace has one called `default`. */
  readonly accounts: readonly Identity[];
  /** Known nodes. */
  readonly nodes: readonly string[];
  /** Everyone that a binding names, and every known account; each once. */
  readonly identities: readonly Identity[];
  /** Whether the verbs of constrained impersonation mean anything: the gate ConstrainedImpersonation. */
  readonly constrainedImpersonation: boolean;
}

export function readRbacState(
  objects: readonly KubeObject[],
  { constrainedImpersonation = true }: { readonly constrainedImpersonation?: boolean } = {},
): RbacState {
  const policy = readRbacPolicy(objects);
  const named = policy.grants.flatMap(
    ({ subject, namespace }) => identityOfSubject(subject, namespace) ?? [],
  );
  const namespaces = new Set(['default', 'kube-system']);
  for (const { kind, metadata } of [...objects, ...policy.objects]) {
    const name = kind === 'Namespace' ? metadata.name : metadata.namespace;
    if (name !== undefined && name !== '') namespaces.add(name);
  }
  for (const { name } of named) {
    const account = accountOf(name);
    if (account !== undefined) namespaces.add(account.namespace);
  }
  const accounts = distinct([
    ...[...namespaces].map((namespace) => accountIdentity(namespace, 'default')),
    ...objects
      .filter(({ kind }) => kind === 'ServiceAccount')
      .map(({ metadata }) => accountIdentity(metadata.namespace ?? '', metadata.name ?? '')),
    ...named.filter(({ name }) => accountOf(name) !== undefined),
  ]);
  return {
    policy,
    namespaces: [...namespaces].toSorted(compareGoStrings),
    accounts,
    nodes: objects.filter(({ kind }) => kind === 'Node').map(({ metadata }) => metadata.name ?? ''),
    identities: distinct([...named, ...accounts]),
    constrainedImpersonation,
  };
}

/** A rule that somebody holds, and what granted it. */
export interface HeldRule {
  readonly grant: Grant;
  readonly index: number;
  readonly rule: PolicyRule;
}

// The same value for the same rule, so that what was found out about it can be kept.
const rulesOfGrant = new WeakMap<Grant, readonly HeldRule[]>();

/** Every rule that the caller holds, in the order of the bindings. */
export function heldRules(state: RbacState, who: Identity): HeldRule[] {
  return grantsFor(state.policy, who).flatMap((grant) => {
    const known = rulesOfGrant.get(grant);
    if (known !== undefined) return known;
    const rules = grant.rules.map((rule, index) => ({ grant, index, rule }));
    rulesOfGrant.set(grant, rules);
    return rules;
  });
}

/** Those of `held` that allow it. */
export function allowing(held: readonly HeldRule[], question: AccessQuestion): HeldRule[] {
  const namespace = isUrlAccess(question) ? '' : question.namespace;
  return held.filter(
    ({ grant, rule }) => isInForce(grant, namespace) && ruleAllows(rule, question),
  );
}

export function distinct(identities: readonly Identity[]): Identity[] {
  const byText = new Map(identities.map((identity) => [describeIdentity(identity), identity]));
  return [...byText].toSorted(([a], [b]) => compareGoStrings(a, b)).map(([, identity]) => identity);
}
