// Who can do it, and what can they do: the rights that RBAC grants, and those that follow from them by
// the ways of `implied-rights.ts`, any number of them one after the other and together. Each answer
// shows its path.
//
// Members of `system:masters` may do everything, whatever is stored; they are named by a credential,
// never by an object.

import { describeIdentity, groupIdentity, mastersGroup, type Identity } from './identities.ts';
import { impliedReaches } from './implied-rights.ts';
import type { AccessQuestion } from './rules.ts';
import { allowing, heldRules, type HeldRule, type RbacState } from './state.ts';
import type { Reach } from './way.ts';

/** Somebody who can do what was asked about. */
export interface Holder {
  readonly identity: Identity;
  /** Empty when they may do it themselves. */
  readonly path: readonly Reach[];
  /** The rules that allow it at the end of the path; none for `system:masters`. */
  readonly rules: readonly HeldRule[];
}

export interface Rights {
  /** What the caller holds. */
  readonly held: readonly HeldRule[];
  /** What can be reached from there, nearest first. */
  readonly reached: readonly Reached[];
}

export interface Reached {
  /** The last one is where the path leads to. */
  readonly path: readonly Reach[];
  /** What is held there. */
  readonly held: readonly HeldRule[];
}

/** Everyone that the state names who can do it, those without detours first. */
export function whoCan(state: RbacState, question: AccessQuestion): Holder[] {
  const masters: Holder = { identity: groupIdentity(mastersGroup), path: [], rules: [] };
  const others = state.identities
    .filter((identity) => describeIdentity(identity) !== describeIdentity(masters.identity))
    .flatMap((identity) => findHolder(state, identity, question) ?? []);
  return [masters, ...others].toSorted((a, b) => a.path.length - b.path.length);
}

export function whatCan(state: RbacState, who: Identity): Rights {
  return { held: heldRules(state, who), reached: [...reachFrom(state, who)] };
}

function findHolder(
  state: RbacState,
  identity: Identity,
  question: AccessQuestion,
): Holder | undefined {
  const own = allowing(heldRules(state, identity), question);
  if (own.length > 0) return { identity, path: [], rules: own };
  for (const { path, held } of reachFrom(state, identity)) {
    const rules = allowing(held, question);
    if (rules.length > 0) return { identity, path, rules };
  }
  return undefined;
}

/** In rounds: what all that was reached so far leads to, each place once. */
function* reachFrom(state: RbacState, who: Identity): Generator<Reached> {
  const pathOf = new Map<HeldRule, readonly Reach[]>();
  const seen = new Set([describeIdentity(who)]);
  for (const rule of heldRules(state, who)) pathOf.set(rule, []);
  for (let known = 0; known < pathOf.size && ![...pathOf.keys()].some(isEverything);) {
    known = pathOf.size;
    for (const reach of impliedReaches(state, who, [...pathOf.keys()])) {
      const place = placeOf(reach);
      if (seen.has(place)) continue;
      seen.add(place);
      const before = reach.needs.flatMap((rule) => pathOf.get(rule) ?? []);
      const path = [...new Set([...before, { ...reach, needs: [...new Set(reach.needs)] }])];
      const held = heldAt(state, reach);
      for (const rule of held) if (!pathOf.has(rule)) pathOf.set(rule, path);
      yield { path, held };
    }
  }
}

function placeOf(reach: Reach): string {
  if (reach.kind === 'identity') return describeIdentity(reach.identity);
  return JSON.stringify([reach.namespace, reach.rules]);
}

function heldAt(state: RbacState, reach: Reach): HeldRule[] {
  if (reach.kind === 'identity') return heldRules(state, reach.identity);
  const { rules, namespace, needs } = reach;
  return rules.flatMap((rule, index) =>
    needs.slice(0, 1).map(({ grant }) => ({
      grant: { ...grant, namespace, role: undefined, rules },
      index,
      rule,
    })),
  );
}

/** Nothing is beyond the right to everything. */
function isEverything({ grant, rule }: HeldRule): boolean {
  const lists = [rule.verbs, rule.apiGroups, rule.resources];
  const isUnnamed = (rule.resourceNames ?? []).length === 0;
  return grant.namespace === '' && isUnnamed && lists.every((list) => list?.includes('*') === true);
}
