// Rules by what a request must have for them to allow it:
//
//   group, resource, verb     rules for every name
//   group, resource, name     rules for some names
//   path, beginning of paths  rules for URLs
//
// with `*` as one of the values, so a request looks in a dozen places. Rules that would have to be
// in very many places are tried one by one: nobody's rule may take the memory of everybody.
//
// SECURITY: a place only says which rules to try; what a rule allows is decided by the rule.

import { compareGoStrings, type KubeObject } from '@keelson/apimachinery';
import type { NonResourceAttributes } from '../authorizer.ts';
import {
  allowsNonResource,
  allowsResource,
  type CompiledRule,
  type ResourceQuestion,
} from './policy-rule.ts';

/** A role whose rules are found here. */
export interface HitRole {
  /** Decides which of several roles is found. */
  readonly key: string;
  /** Where its rules are. */
  places: readonly string[];
}
export interface RuleHit<R extends HitRole> {
  readonly entry: R;
  readonly role: KubeObject;
  readonly rules: readonly CompiledRule[];
  readonly rule: number;
  readonly compiled: CompiledRule;
}

export interface RulePlaces<R extends HitRole> {
  /** Answers where the rules are now. */
  enter(entry: R, role: KubeObject, rules: readonly CompiledRule[]): string[];
  leave(entry: R): void;
  forResource(question: ResourceQuestion): RuleHit<R> | undefined;
  forUrl(attributes: NonResourceAttributes): RuleHit<R> | undefined;
}

/** Places of one rule; with more it is tried like in a short list. */
const placesMax = 2048;
/** Longer beginnings of paths are not looked for by length. */
const prefixLengthMax = 256;

export function createRulePlaces<R extends HitRole>(): RulePlaces<R> {
  type Hit = RuleHit<R>;
  const table = createHitTable<R>();
  return {
    enter(entry, role, rules) {
      const all: string[] = [];
      for (const [rule, compiled] of rules.entries())
        for (const place of placesOf(compiled)) {
          table.put(place, { entry, role, rules, rule, compiled });
          all.push(place);
        }
      return all;
    },
    leave({ key, places }) {
      for (const place of places) table.take(place, key);
    },
    forResource(question) {
      const { attributes, combined, anyParent } = question;
      const { verb, group, name } = attributes;
      const passes = ({ compiled }: Hit) => allowsResource(compiled, question);
      let best: Hit | undefined;
      for (const g of [group, '*'])
        for (const resource of [combined, '*', anyParent]) {
          if (resource === '') continue;
          const at = `${g}\0${resource}\0`;
          best = table.better(best, `${at}${verbMark}${verb}`, passes);
          best = table.better(best, `${at}${verbMark}*`, passes);
          best = table.better(best, `${at}${nameMark}${name}`, passes);
        }
      return table.better(best, widePlace, passes);
    },
    forUrl(attributes) {
      const { path } = attributes;
      const passes = ({ compiled }: Hit) => allowsNonResource(compiled, attributes);
      let best = table.better(undefined, pathMark + path, passes);
      for (const length of table.prefixLengths())
        if (length <= path.length)
          best = table.better(best, prefixMark + path.slice(0, length), passes);
      return table.better(best, widePlace, passes);
    },
  };
}

/** Hits by place, each place sorted by role, then by rule. */
function createHitTable<R extends HitRole>() {
  type Hit = RuleHit<R>;
  const byPlace = new Map<string, Hit[]>();
  const lengths = new Map<number, number>();
  const countPrefix = (place: string, by: 1 | -1): void => {
    if (!place.startsWith(prefixMark)) return;
    const length = place.length - prefixMark.length;
    const count = (lengths.get(length) ?? 0) + by;
    if (count === 0) lengths.delete(length);
    else lengths.set(length, count);
  };
  return {
    prefixLengths: () => lengths.keys(),
    put(place: string, hit: Hit): void {
      countPrefix(place, 1);
      const hits = byPlace.get(place);
      if (hits === undefined) byPlace.set(place, [hit]);
      else hits.splice(firstFrom(hits, hit.entry.key, hit.rule), 0, hit);
    },
    /** Removes the first hit of the role. */
    take(place: string, key: string): void {
      countPrefix(place, -1);
      const hits = byPlace.get(place) ?? [];
      const at = firstFrom(hits, key, 0);
      if (hits[at]?.entry.key === key) hits.splice(at, 1);
      if (hits.length === 0) byPlace.delete(place);
    },
    /** The first of the place's hits that passes, if it comes before the best one so far. */
    better(best: Hit | undefined, place: string, passes: (hit: Hit) => boolean) {
      const hit = byPlace.get(place)?.find(passes);
      if (hit === undefined || best === undefined) return hit ?? best;
      return compareHits(hit, best) < 0 ? hit : best;
    },
  };
}

// Marks of the kinds of places; none can be the beginning of another kind.
const verbMark = 'verb ';
const nameMark = 'name ';
const pathMark = '\0path ';
const prefixMark = '\0prefix ';
const widePlace = '\0wide';

/** Each place once. */
function placesOf({ rule, urls }: CompiledRule): Set<string> {
  const { apiGroups = [], resources = [], verbs = [], resourceNames = [] } = rule;
  const lasts =
    resourceNames.length === 0
      ? verbs.map((verb) => verbMark + verb)
      : resourceNames.map((name) => nameMark + name);
  if (apiGroups.length * resources.length * lasts.length + urls.length > placesMax)
    return new Set([widePlace]);
  const places = new Set<string>();
  for (const group of apiGroups)
    for (const resource of resources)
      for (const last of lasts) places.add(`${group}\0${resource}\0${last}`);
  for (const url of urls) {
    const prefix = url.replace(/\*+$/, '');
    if (prefix === url) places.add(pathMark + url);
    else places.add(prefix.length > prefixLengthMax ? widePlace : prefixMark + prefix);
  }
  return places;
}

function compareHits(a: RuleHit<HitRole>, b: RuleHit<HitRole>): number {
  return compareGoStrings(a.entry.key, b.entry.key) || a.rule - b.rule;
}

/** The first hit that is not before the rule of the role. */
function firstFrom(hits: readonly RuleHit<HitRole>[], key: string, rule: number): number {
  const isBefore = (hit: RuleHit<HitRole> | undefined) =>
    hit !== undefined && (compareGoStrings(hit.entry.key, key) || hit.rule - rule) < 0;
  if (isBefore(hits.at(-1))) return hits.length;
  let [low, high] = [0, hits.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isBefore(hits[middle])) low = middle + 1;
    else high = middle;
  }
  return low;
}
