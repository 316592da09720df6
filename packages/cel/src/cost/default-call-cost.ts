/**
 * What calls of the standard functions cost when they are counted. COMPAT: cel-go's numbers, so
 * that a limit means the same here.
 */

import { codePointCount } from '../values/code-points.ts';
import { isList, isMap } from '../values/value.ts';
import type { CelResult } from '../values/value.ts';

/** Traversing a string costs a tenth per code point. */
export const stringTraversalFactor = 0.1;

/**
 * A regular expression costs a quarter per character, for each is taken to be a state in every
 * fourth.
 */
export const regexLengthFactor = 0.25;

/** Base costs of literals. */
export const creationCosts = { list: 10, map: 30, struct: 40 } as const;

/** The size of a value: code points, bytes or entries; 1 for everything else. */
export function actualSize(value: CelResult | undefined): number {
  if (typeof value === 'string') return codePointCount(value);
  if (typeof value !== 'object' || value === null) return 1;
  if (value instanceof Uint8Array) return value.length;
  return isList(value) || isMap(value) ? value.size : 1;
}

type Counter = (a: CelResult | undefined, b: CelResult | undefined) => number;

const traverseFirst: Counter = (a) => Math.ceil(actualSize(a) * stringTraversalFactor);

const traverseShorter: Counter = (a, b) =>
  Math.ceil(Math.min(actualSize(a), actualSize(b)) * stringTraversalFactor);

const traverseBoth: Counter = (a, b) =>
  Math.ceil((actualSize(a) + actualSize(b)) * stringTraversalFactor);

const runRegex: Counter = (a, b) =>
  Math.ceil((1 + actualSize(a)) * stringTraversalFactor) *
  Math.ceil(actualSize(b) * regexLengthFactor);

const search: Counter = (a, b) =>
  Math.ceil(actualSize(a) * stringTraversalFactor) *
  Math.ceil(actualSize(b) * stringTraversalFactor);

const counters: ReadonlyMap<string, Counter> = new Map([
  ['starts_with_string', traverseFirst],
  ['ends_with_string', traverseFirst],
  ['string_to_bytes', traverseFirst],
  ['bytes_to_string', traverseFirst],
  ['strings_quote', traverseFirst],
  ['string_format', traverseFirst],
  ['in_list', (_a, b) => actualSize(b)],
  ['equals', traverseShorter],
  ['not_equals', traverseShorter],
  ...['less', 'less_equals', 'greater', 'greater_equals'].flatMap((prefix) =>
    ['string', 'bytes'].map((type) => [`${prefix}_${type}`, traverseShorter] as const),
  ),
  ['add_string', traverseBoth],
  ['add_bytes', traverseBoth],
  ['matches_string', runRegex],
  ['contains_string', search],
]);

const constant: Counter = () => 1;

/** The counter of an overload; calls of an unknown one cost 1. */
export function defaultCallCounter(overloadId: string): Counter {
  return counters.get(overloadId) ?? constant;
}

/** Whether calls of an overload cost 1, whatever their values. */
export function isFixedCall(overloadId: string): boolean {
  return !counters.has(overloadId);
}
