// Which fields can be owned through an endpoint. Most endpoints reset some fields, which nobody owns
// through them; a subresource that stands for a few fields of a large object says instead which ones
// it has, and owns nothing else.

import type { Comparison } from './compare-typed.ts';
import {
  childrenOf,
  createEntry,
  createSortedFieldSet,
  isEmptySet,
  isMember,
  recursiveDifference,
  type FieldSet,
} from './field-set.ts';

/** Names of nested fields: `[['status'], ['spec', 'conditions']]`. */
export type FieldPaths = readonly (readonly string[])[];

/** In a path of `onlyFields`: any item of a list, any key of a map. */
export const anyElement = '*';

export interface FieldFilter {
  /** What of the set can be owned. */
  keep(set: FieldSet): FieldSet;
}

export const everyField: FieldFilter = { keep: (set) => set };

/** All but these fields and what is below them. */
export function withoutFields(reset: FieldSet): FieldFilter {
  if (isEmptySet(reset)) return everyField;
  return { keep: (set) => recursiveDifference(set, reset) };
}

/** Only what is at or below these paths, and the paths that lead there. */
export function onlyFields(paths: FieldPaths): FieldFilter {
  const matcher = matcherOf(paths);
  return { keep: (set) => matching(set, matcher) };
}

export function filterComparison(comparison: Comparison, { keep }: FieldFilter): Comparison {
  return {
    added: keep(comparison.added),
    modified: keep(comparison.modified),
    removed: keep(comparison.removed),
  };
}

/** By element; a matcher without children matches all that is below. */
type Matcher = ReadonlyMap<string, Matcher>;

function matcherOf(paths: FieldPaths): Matcher {
  const byHead = Map.groupBy(paths, ([head = '']) => head);
  return new Map(
    [...byHead].map(([head, group]) => {
      const rests = group.map((path) => path.slice(1));
      const isWhole = rests.some((rest) => rest.length === 0);
      const element = head === anyElement ? anyElement : `f:${head}`;
      return [element, isWhole ? new Map<string, Matcher>() : matcherOf(rests)];
    }),
  );
}

function matching(set: FieldSet, matcher: Matcher): FieldSet {
  const kept: [string, FieldSet][] = [];
  for (const [element, entry] of Object.entries(set)) {
    const below = matcher.get(element) ?? matcher.get(anyElement);
    if (element === '.' || below === undefined) continue;
    const found = below.size === 0 ? entry : matchingEntry(entry, below);
    if (found !== undefined) kept.push([element, found]);
  }
  return createSortedFieldSet(kept);
}

function matchingEntry(entry: FieldSet, matcher: Matcher): FieldSet | undefined {
  return createEntry(isMember(entry), matching(childrenOf(entry), matcher));
}
