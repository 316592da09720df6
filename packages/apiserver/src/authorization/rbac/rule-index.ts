// Finds the rule of a long list of grants that allows a request, without trying them one by one.
// Where each rule is found is decided in `rule-places.ts`; grants of one role share its places.
// Changes of bindings and roles change only what they concern.

import { compareGoStrings, type KubeObject } from '@keelson/apimachinery';
import type { NonResourceAttributes } from '../authorizer.ts';
import { nameOfBinding, placeOf, type Grant, type GrantObserver } from './grant-list.ts';
import type { CompiledRule, ResourceQuestion, RoleRef } from './policy-rule.ts';
import { createRulePlaces, type HitRole, type RuleHit } from './rule-places.ts';

/** A role as it is now, or why there is none. */
export type FoundRole =
  | { readonly role: KubeObject; readonly rules: readonly CompiledRule[] }
  | { readonly problem: string };

export interface RuleIndexOptions {
  readonly find: (roleRef: RoleRef) => FoundRole;
  /** Called when the first grant of a role comes, and when the last one goes. */
  readonly follow: (roleRef: RoleRef, isFollowed: boolean) => void;
}

export interface IndexedRule {
  /** The first of the role's bindings. */
  readonly grant: Grant;
  readonly role: KubeObject;
  readonly rules: readonly CompiledRule[];
  readonly rule: number;
}

export interface RuleIndex extends GrantObserver {
  /** The first rule, by name of the role, that allows the request. */
  forResource(question: ResourceQuestion): IndexedRule | undefined;
  forUrl(attributes: NonResourceAttributes): IndexedRule | undefined;
  /** Why grants lead nowhere, as many as `max`. */
  problems(max: number): string[];
  /** The role has changed, come or gone. */
  roleChanged(roleRef: RoleRef): void;
}

interface RoleEntry extends HitRole {
  readonly roleRef: RoleRef;
  /** Sorted by name; never empty. */
  readonly grants: Grant[];
  found: FoundRole;
}
type Hit = RuleHit<RoleEntry>;

export function createRuleIndex(grants: readonly Grant[], options: RuleIndexOptions): RuleIndex {
  const entries = new Map<string, RoleEntry>();
  const dangling = new Set<RoleEntry>();
  const places = createRulePlaces<RoleEntry>();

  function enter(entry: RoleEntry): void {
    const { found } = entry;
    if ('problem' in found) dangling.add(entry);
    else entry.places = places.enter(entry, found.role, found.rules);
  }
  function leave(entry: RoleEntry): void {
    dangling.delete(entry);
    places.leave(entry);
    entry.places = [];
  }
  function entryFor({ roleRef }: Grant): RoleEntry {
    const key = keyOf(roleRef);
    let entry = entries.get(key);
    if (entry === undefined) {
      options.follow(roleRef, true);
      entry = { key, roleRef, grants: [], found: options.find(roleRef), places: [] };
      entries.set(key, entry);
    }
    return entry;
  }

  for (const grant of grants) entryFor(grant).grants.push(grant);
  // In their order, so that each place is filled from its end.
  const sorted = [...entries.values()].sort((a, b) => compareGoStrings(a.key, b.key));
  for (const entry of sorted) enter(entry);

  return {
    forResource: (question) => toIndexed(places.forResource(question)),
    forUrl: (attributes) => toIndexed(places.forUrl(attributes)),
    problems(max) {
      const texts = new Set<string>();
      for (const { found } of dangling) {
        if (texts.size === max) break;
        if ('problem' in found) texts.add(found.problem);
      }
      return [...texts];
    },
    added(grant) {
      const entry = entryFor(grant);
      entry.grants.splice(placeOf(entry.grants, nameOfBinding(grant)), 0, grant);
      if (entry.grants.length === 1) enter(entry);
    },
    removed(grant) {
      const entry = entries.get(keyOf(grant.roleRef));
      if (entry === undefined) return;
      entry.grants.splice(placeOf(entry.grants, nameOfBinding(grant)), 1);
      if (entry.grants.length > 0) return;
      leave(entry);
      entries.delete(entry.key);
      options.follow(entry.roleRef, false);
    },
    roleChanged(roleRef) {
      const entry = entries.get(keyOf(roleRef));
      if (entry === undefined) return;
      leave(entry);
      entry.found = options.find(roleRef);
      enter(entry);
    },
  };
}

function keyOf({ kind, name }: RoleRef): string {
  return `${kind} ${name}`;
}

function toIndexed(hit: Hit | undefined): IndexedRule | undefined {
  const grant = hit?.entry.grants[0];
  if (hit === undefined || grant === undefined) return undefined;
  const { role, rules, rule } = hit;
  return { grant, role, rules, rule };
}
