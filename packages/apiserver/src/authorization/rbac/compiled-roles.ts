// Roles ready to be asked. Each role is compiled once, when it is first needed; a list of many
// grants gets an index of their rules, so that deciding does not become slower with their number.

import { quoteGo, type KubeObject } from '@keelson/apimachinery';
import type { ObjectSource } from '../../object-source.ts';
import type { NonResourceAttributes } from '../authorizer.ts';
import type { Grant, GrantList } from './grant-list.ts';
import {
  allowsNonResource,
  allowsResource,
  compileRule,
  rbacGroup,
  rulesOf,
  type CompiledRule,
  type ResourceQuestion,
  type RoleRef,
} from './policy-rule.ts';
import { createRuleIndex, type FoundRole, type RuleIndex } from './rule-index.ts';

/** A grant whose role exists, and one that leads nowhere. */
export type ResolvedGrant =
  | {
      readonly grant: Grant;
      readonly role: KubeObject;
      readonly rules: readonly CompiledRule[];
    }
  | { readonly grant: Grant; readonly rules: undefined; readonly problem: string };

/** A grant and the index of the rule that allows something. */
export interface AllowingGrant {
  readonly grant: ResolvedGrant;
  readonly rule: number;
}

/** What is asked: about a resource, or about a URL. */
export type RbacQuestion = ResourceQuestion | NonResourceAttributes;

export interface RoleLookup {
  resolve(grant: Grant): ResolvedGrant;
  /** The rules that a role reference means in a namespace; a text when there is no such role. */
  rulesOf(roleRef: RoleRef, namespace: string): readonly CompiledRule[] | string;
  /**
   * A grant of the list that allows what is asked. Otherwise why grants lead nowhere is added to
   * `problems`, which never has more than `problemsMax`.
   */
  find(list: GrantList, question: RbacQuestion, problems: Set<string>): AllowingGrant | undefined;
  close(): void;
}

/** Below this many grants, trying them one by one is faster than looking in an index. */
const indexedGrantsMin = 12;

/** Bindings that lead nowhere and are named in one reason. */
export const problemsMax = 100;

/** Follows the changes of roles until closed. */
export function createRoleLookup(roles: ObjectSource, clusterRoles: ObjectSource): RoleLookup {
  const compiled = new WeakMap<KubeObject, readonly CompiledRule[]>();
  const followers = createFollowers(roles, clusterRoles);

  function find({ kind, name }: RoleRef, namespace: string): FoundRole {
    if (kind !== 'Role' && kind !== 'ClusterRole')
      return { problem: `unsupported role reference kind: ${quoteGo(kind)}` };
    const role = kind === 'Role' ? roles.get(namespace, name) : clusterRoles.get('', name);
    // COMPAT: the singular, as client-go's listers name what they did not find.
    if (role === undefined)
      return { problem: `${kind.toLowerCase()}.${rbacGroup} ${quoteGo(name)} not found` };
    let rules = compiled.get(role);
    if (rules === undefined) {
      rules = rulesOf(role).map(compileRule);
      compiled.set(role, rules);
    }
    return { role, rules };
  }

  function resolve(grant: Grant): ResolvedGrant {
    const found = find(grant.roleRef, grant.namespace);
    return 'problem' in found ? { grant, rules: undefined, ...found } : { grant, ...found };
  }

  function indexOf(list: GrantList): RuleIndex {
    let index = list.observer as RuleIndex | undefined;
    if (index !== undefined) return index;
    index = createRuleIndex(list.grants, {
      find: (roleRef) => find(roleRef, list.namespace),
      follow: (roleRef, isFollowed) =>
        followers.follow(roleRef, { list, isFollowed, changed: (ref) => index?.roleChanged(ref) }),
    });
    list.observer = index;
    return index;
  }

  return {
    resolve,
    rulesOf(roleRef, namespace) {
      const found = find(roleRef, namespace);
      return 'problem' in found ? found.problem : found.rules;
    },
    find(list, question, problems) {
      if (list.grants.length >= indexedGrantsMin || list.observer !== undefined)
        return findInIndex(indexOf(list), question, problems);
      for (const grant of list.grants) {
        const resolved = resolve(grant);
        if (resolved.rules === undefined) {
          if (problems.size < problemsMax) problems.add(resolved.problem);
          continue;
        }
        const rule = resolved.rules.findIndex((one) => allows(one, question));
        if (rule >= 0) return { grant: resolved, rule };
      }
      return undefined;
    },
    close: () => followers.close(),
  };
}

function allows(rule: CompiledRule, question: RbacQuestion): boolean {
  return 'attributes' in question
    ? allowsResource(rule, question)
    : allowsNonResource(rule, question);
}

function findInIndex(
  index: RuleIndex,
  question: RbacQuestion,
  problems: Set<string>,
): AllowingGrant | undefined {
  const found = 'attributes' in question ? index.forResource(question) : index.forUrl(question);
  if (found !== undefined) return { grant: found, rule: found.rule };
  for (const problem of index.problems(problemsMax - problems.size)) problems.add(problem);
  return undefined;
}

interface Following {
  readonly list: GrantList;
  readonly isFollowed: boolean;
  readonly changed: (roleRef: RoleRef) => void;
}

/** Who must know when a role changes. */
function createFollowers(roles: ObjectSource, clusterRoles: ObjectSource) {
  const byRole = new Map<string, Map<GrantList, Following['changed']>>();
  const keyOf = (kind: string, namespace: string, name: string) => `${kind} ${namespace}/${name}`;
  const tell = (kind: string) => {
    return ({ object: { metadata } }: { readonly object: KubeObject }) => {
      const { namespace = '', name = '' } = metadata;
      for (const changed of byRole.get(keyOf(kind, namespace, name))?.values() ?? [])
        changed({ kind, name });
    };
  };
  const closers = [roles.subscribe(tell('Role')), clusterRoles.subscribe(tell('ClusterRole'))];
  return {
    follow({ kind, name }: RoleRef, { list, isFollowed, changed }: Following): void {
      const key = keyOf(kind, kind === 'Role' ? list.namespace : '', name);
      const lists = byRole.get(key) ?? new Map<GrantList, Following['changed']>();
      if (isFollowed) lists.set(list, changed);
      else lists.delete(list);
      if (lists.size > 0) byRole.set(key, lists);
      else byRole.delete(key);
    },
    close() {
      for (const close of closers) close();
    },
  };
}
