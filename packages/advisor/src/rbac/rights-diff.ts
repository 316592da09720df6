// What the change of a policy changes: for everyone that either policy names, the permissions that are
// new and those that are gone. Compared are effective rights, so that a role that is divided in two, or
// a binding to a group in place of its accounts, is no difference.

import { compareGoStrings } from '@keelson/apimachinery';
import { concerns, describeIdentity, type Identity } from './identities.ts';
import type { RbacPolicy } from './policy.ts';
import { describePermission, permissionsOf, ruleCovers, type Permission } from './rules.ts';
import { distinct, heldRules, type HeldRule, type RbacState } from './state.ts';

export interface RightsChange {
  readonly identity: Identity;
  readonly gained: readonly ScopedPermission[];
  readonly lost: readonly ScopedPermission[];
}

export interface ScopedPermission {
  readonly permission: Permission;
  /** Empty: everywhere. */
  readonly namespace: string;
  /** The rule that grants it, on the side that has it. */
  readonly by: HeldRule;
}

/** Those whose rights differ, by name. */
export function diffRights(before: RbacState, after: RbacState): RightsChange[] {
  const changed = changedGrants(before.policy, after.policy);
  return distinct([...before.identities, ...after.identities])
    .filter((identity) =>
      changed.some((grant) => concerns(grant.subject, grant.namespace, identity)),
    )
    .map((identity) => {
      const old = heldRules(before, identity);
      const now = heldRules(after, identity);
      return { identity, gained: uncovered(now, old), lost: uncovered(old, now) };
    })
    .filter(({ gained, lost }) => gained.length > 0 || lost.length > 0);
}

/** Grants that only one side has; whom none of them concerns has the rights that they had. */
function changedGrants(before: RbacPolicy, after: RbacPolicy) {
  const keyOf = (grant: RbacPolicy['grants'][number]) =>
    JSON.stringify([grant.subject, grant.namespace, grant.rules]);
  const keys = [before, after].map((policy) => new Set(policy.grants.map(keyOf)));
  const only = (policy: RbacPolicy, other: ReadonlySet<string> | undefined) =>
    policy.grants.filter((grant) => other?.has(keyOf(grant)) !== true);
  return [...only(before, keys[1]), ...only(after, keys[0])];
}

/** What `wanted` grants and nothing of `held` covers, each once. */
function uncovered(wanted: readonly HeldRule[], held: readonly HeldRule[]): ScopedPermission[] {
  const found = new Map<string, ScopedPermission>();
  for (const by of wanted) {
    const { namespace } = by.grant;
    const inForce = held.filter(({ grant }) => ['', namespace].includes(grant.namespace));
    for (const permission of permissionsOf(by.rule)) {
      // A RoleBinding grants no URLs.
      if ('url' in permission && namespace !== '') continue;
      if (inForce.some(({ rule }) => ruleCovers(rule, permission))) continue;
      const key = `${namespace}\n${describePermission(permission)}`;
      if (!found.has(key)) found.set(key, { permission, namespace, by });
    }
  }
  return [...found].toSorted(([a], [b]) => compareGoStrings(a, b)).map(([, scoped]) => scoped);
}

/** `get pods in shop`. */
export function describeScoped({ permission, namespace }: ScopedPermission): string {
  const what = describePermission(permission);
  if ('url' in permission) return what;
  return `${what} ${namespace === '' ? 'everywhere' : `in ${namespace}`}`;
}

/** For sorting and for tests. */
export const describeChange = ({ identity, gained, lost }: RightsChange): string[] => [
  describeIdentity(identity),
  ...gained.map((one) => `+ ${describeScoped(one)}`),
  ...lost.map((one) => `- ${describeScoped(one)}`),
];
