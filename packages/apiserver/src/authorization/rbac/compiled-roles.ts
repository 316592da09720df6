// Roles ready to be asked. Each role is compiled once, when it is first needed; a list of many
// grants gets an index by group and resource, so that deciding does not become slower with their
// number.

import { quoteGo, type KubeObject } from '@keelson/apimachinery';
import type { ObjectSource } from '../../object-source.ts';
import type { Grant, GrantList } from './binding-index.ts';
import {
  compileRule,
  rbacGroup,
  rulesOf,
  type CompiledRule,
  type ResourceQuestion,
  type RoleRef,
} from './policy-rule.ts';

/** A grant whose role exists, and one that leads nowhere. */
export type ResolvedGrant =
  | {
      readonly grant: Grant;
      readonly role: KubeObject;
      readonly rules: readonly CompiledRule[];
    }
  | { readonly grant: Grant; readonly rules: undefined; readonly problem: string };

export interface RoleLookup {
  resolve(grant: Grant): ResolvedGrant;
  /** The rules that a role reference means in a namespace; a text when there is no such role. */
  rulesOf(roleRef: RoleRef, namespace: string): readonly CompiledRule[] | string;
  /** Grants of the list that may have something to say about the question; all for URLs. */
  candidates(list: GrantList, question: ResourceQuestion | undefined): Iterable<ResolvedGrant>;
  close(): void;
}

// Below this many grants, trying them one by one is faster than six lookups in an index.
const indexedGrantsMin = 12;

interface GrantListIndex {
  readonly version: number;
  /** By `group resource`. */
  readonly byResource: ReadonlyMap<string, readonly ResolvedGrant[]>;
  readonly withUrls: readonly ResolvedGrant[];
  readonly dangling: readonly ResolvedGrant[];
}

/** Follows the changes of roles until closed. */
export function createRoleLookup(roles: ObjectSource, clusterRoles: ObjectSource): RoleLookup {
  const compiled = new WeakMap<KubeObject, readonly CompiledRule[]>();
  let version = 0;
  const closers = [roles, clusterRoles].map((source) => source.subscribe(() => void version++));

  function roleOfRef(roleRef: RoleRef, namespace: string): KubeObject | string {
    const { kind, name } = roleRef;
    if (kind !== 'Role' && kind !== 'ClusterRole')
      return `unsupported role reference kind: ${quoteGo(kind)}`;
    const role = kind === 'Role' ? roles.get(namespace, name) : clusterRoles.get('', name);
    // COMPAT: the singular, as client-go's listers name what they did not find.
    return role ?? `${kind.toLowerCase()}.${rbacGroup} ${quoteGo(name)} not found`;
  }

  function compiledRulesOf(role: KubeObject): readonly CompiledRule[] {
    let rules = compiled.get(role);
    if (rules === undefined) {
      rules = rulesOf(role).map(compileRule);
      compiled.set(role, rules);
    }
    return rules;
  }

  function resolve(grant: Grant): ResolvedGrant {
    const role = roleOfRef(grant.roleRef, grant.namespace);
    return typeof role === 'string'
      ? { grant, rules: undefined, problem: role }
      : { grant, role, rules: compiledRulesOf(role) };
  }

  function indexOf(list: GrantList): GrantListIndex {
    const known = list.derived as GrantListIndex | undefined;
    if (known?.version === version) return known;
    const index = buildIndex(list.grants.map(resolve), version);
    list.derived = index;
    return index;
  }

  return {
    resolve,
    rulesOf(roleRef, namespace) {
      const role = roleOfRef(roleRef, namespace);
      return typeof role === 'string' ? role : compiledRulesOf(role);
    },
    *candidates(list, question) {
      if (list.grants.length < indexedGrantsMin) {
        for (const grant of list.grants) yield resolve(grant);
        return;
      }
      const { byResource, withUrls, dangling } = indexOf(list);
      if (question === undefined) yield* withUrls;
      else for (const key of keysOfQuestion(question)) yield* byResource.get(key) ?? [];
      yield* dangling;
    },
    close() {
      for (const close of closers) close();
    },
  };
}

function keysOfQuestion({ attributes, combined, anyParent }: ResourceQuestion): string[] {
  const keys: string[] = [];
  for (const group of [attributes.group, '*']) {
    keys.push(`${group} ${combined}`, `${group} *`);
    if (anyParent !== '') keys.push(`${group} ${anyParent}`);
  }
  return keys;
}

function buildIndex(resolved: readonly ResolvedGrant[], version: number): GrantListIndex {
  const byResource = new Map<string, ResolvedGrant[]>();
  for (const candidate of resolved) {
    const keys = new Set<string>();
    for (const { rule } of candidate.rules ?? [])
      for (const group of rule.apiGroups ?? [])
        for (const resource of rule.resources ?? []) keys.add(`${group} ${resource}`);
    for (const key of keys) {
      const list = byResource.get(key);
      if (list === undefined) byResource.set(key, [candidate]);
      else list.push(candidate);
    }
  }
  return {
    version,
    byResource,
    withUrls: resolved.filter((r) => r.rules?.some((rule) => rule.urls.length > 0)),
    dangling: resolved.filter((r) => r.rules === undefined),
  };
}
