// Sets of field paths, in the very form in which they are stored (FieldsV1), so that reading and
// writing them costs nothing. A set maps path elements to what is in the set there:
//   {}                        the path itself
//   {".": {}, "f:a": {}}      the path itself and paths below it
//   {"f:a": {}}               only paths below it
// The root stands for no path, so the empty object is the empty set there.
// INVARIANT: elements are canonical and sorted, no entry is without a path, and sets are never
// changed: every operation gives a new set, or one of its operands when that is the result.

import type { JsonObject } from '../json.ts';
import {
  canonicalElement,
  compareElements,
  FieldSetError,
  formatElement,
  sortEntries,
} from './path-element.ts';

export interface FieldSet {
  readonly [element: string]: FieldSet;
}

export const emptyFieldSet: FieldSet = Object.freeze({});
/** The entry of a path that is in the set, with nothing below it. */
export const leaf: FieldSet = emptyFieldSet;

export function isEmptySet(set: FieldSet): boolean {
  for (const _ in set) return false;
  return true;
}

/** Whether an entry has its own path in the set, not only paths below it. */
export function isMember(entry: FieldSet): boolean {
  return '.' in entry || isEmptySet(entry);
}

/** An entry with (or without) its own path and these entries below; undefined when it has none. */
export function createEntry(member: boolean, children: FieldSet | undefined): FieldSet | undefined {
  if (children === undefined || isEmptySet(children)) return member ? leaf : undefined;
  return member ? { '.': leaf, ...children } : children;
}

/** What an entry has below its own path. */
export function childrenOf(entry: FieldSet): FieldSet {
  if (!('.' in entry)) return entry;
  const { '.': _, ...children } = entry;
  return children;
}

/** A set of entries in any order; with its own path too, if `member`. May reorder the list. */
export function createFieldSet(entries: [string, FieldSet][], member = false): FieldSet {
  return createSortedFieldSet(sortEntries(entries), member);
}
/** The same of entries that are in order. */
export function createSortedFieldSet(entries: [string, FieldSet][], member = false): FieldSet {
  if (entries.length === 0) return emptyFieldSet;
  const set: Record<string, FieldSet> = member ? { '.': leaf } : {};
  for (let i = 0; i < entries.length; i++) {
    const entry = entries[i];
    if (entry) set[entry[0]] = entry[1];
  }
  return set;
}

/** The set of these paths, each given as its elements. */
export function fieldSetOf(...paths: readonly (readonly string[])[]): FieldSet {
  let set = emptyFieldSet;
  for (const path of paths) {
    let entry: FieldSet = leaf;
    for (const element of path.toReversed()) entry = { [element]: entry };
    set = union(set, entry);
  }
  return set;
}

/** Everything that is in either set. */
export function union(a: FieldSet, b: FieldSet): FieldSet {
  if (a === b || isEmptySet(b)) return a;
  if (isEmptySet(a)) return b;
  const added: [string, FieldSet][] = [];
  let changed: Record<string, FieldSet> | undefined;
  for (const element in b) {
    const theirs = b[element] ?? leaf;
    const ours = a[element];
    if (ours === undefined) added.push([element, theirs]);
    else {
      const merged = element === '.' ? ours : unionEntries(ours, theirs);
      if (merged !== ours) (changed ??= { ...a })[element] = merged;
    }
  }
  const base = changed ?? a;
  return added.length === 0 ? base : insertSorted(base, added);
}

function unionEntries(a: FieldSet, b: FieldSet): FieldSet {
  if (a === b) return a;
  if (isEmptySet(b)) return '.' in a || isEmptySet(a) ? a : { '.': leaf, ...a };
  if (isEmptySet(a)) return '.' in b ? b : { '.': leaf, ...b };
  return union(a, b);
}

/** Merges sorted entries that the set does not have into it. */
function insertSorted(set: FieldSet, added: readonly [string, FieldSet][]): FieldSet {
  const merged: Record<string, FieldSet> = {};
  let next = 0;
  for (const element in set) {
    for (let entry = added[next]; entry && compareElements(entry[0], element) < 0;) {
      merged[entry[0]] = entry[1];
      entry = added[++next];
    }
    merged[element] = set[element] ?? leaf;
  }
  for (const [element, entry] of added.slice(next)) merged[element] = entry;
  return merged;
}

/** What is in both sets. */
export function intersection(a: FieldSet, b: FieldSet): FieldSet {
  if (a === b) return a;
  const common: Record<string, FieldSet> = {};
  for (const element in a) {
    const theirs = b[element];
    if (theirs === undefined) continue;
    const entry = intersectEntries(a[element] ?? leaf, theirs);
    if (entry !== undefined) common[element] = entry;
  }
  return common;
}

function intersectEntries(a: FieldSet, b: FieldSet): FieldSet | undefined {
  if (a === b) return a;
  const below = isEmptySet(a) || isEmptySet(b) ? emptyFieldSet : intersection(a, b);
  if ('.' in below) return isEmptySet(childrenOf(below)) ? leaf : below;
  return createEntry(isMember(a) && isMember(b), below);
}

/** Whether everything in `a` is in `b`. */
export function isSubset(a: FieldSet, b: FieldSet): boolean {
  if (a === b) return true;
  for (const element in a) {
    if (element === '.') continue;
    const ours = a[element] ?? leaf;
    const theirs = b[element];
    if (theirs === undefined || (isMember(ours) && !isMember(theirs))) return false;
    if (!isSubset(ours, theirs)) return false;
  }
  return true;
}

/** What is in `a` and not in `b`. Paths below a path in `b` stay. */
export function difference(a: FieldSet, b: FieldSet): FieldSet {
  return subtract(a, b, false);
}
/** What is in `a` and neither in `b` nor below a path in `b`. */
export function recursiveDifference(a: FieldSet, b: FieldSet): FieldSet {
  return subtract(a, b, true);
}

function subtract(a: FieldSet, b: FieldSet, recursive: boolean): FieldSet {
  let rest: Record<string, FieldSet> | undefined;
  for (const element in b) {
    const ours = a[element];
    if (element === '.' || ours === undefined) continue;
    const entry = subtractEntries(ours, b[element] ?? leaf, recursive);
    if (entry === ours) continue;
    rest ??= { ...a };
    if (entry === undefined) delete rest[element];
    else rest[element] = entry;
  }
  return rest ?? a;
}

function subtractEntries(a: FieldSet, b: FieldSet, recursive: boolean): FieldSet | undefined {
  const removed = isMember(b);
  if (removed && recursive) return undefined;
  const member = isMember(a);
  const children = childrenOf(a);
  const rest = subtract(children, b, recursive);
  if (rest === children && !(member && removed)) return a;
  return createEntry(member && !removed, rest);
}

/** Calls back for every path in the set: at each level first the paths that end there. */
export function forEachPath(set: FieldSet, visit: (path: readonly string[]) => void): void {
  walk(set, [], visit);
}

function walk(
  set: FieldSet,
  path: readonly string[],
  visit: (path: readonly string[]) => void,
): void {
  for (const element in set) {
    if (element !== '.' && isMember(set[element] ?? leaf)) visit([...path, element]);
  }
  for (const element in set) {
    const entry = set[element] ?? leaf;
    if (element !== '.' && !isEmptySet(entry)) walk(entry, [...path, element], visit);
  }
}

/** `.spec.containers[name="web"].image`. */
export function formatPath(path: readonly string[]): string {
  return path.map(formatElement).join('');
}

/**
 * Reads FieldsV1 from a client: elements become canonical and sorted, unknown kinds are dropped.
 * Throws `FieldSetError` for elements that are none.
 */
export function parseFieldSet(fields: JsonObject): FieldSet {
  const entries: [string, FieldSet][] = [];
  for (const [text, below] of Object.entries(fields)) {
    if (text === '.') continue;
    const element = canonicalElement(text);
    if (element !== undefined) entries.push([element, parseEntry(below)]);
  }
  return createFieldSet(entries);
}

function parseEntry(fields: unknown): FieldSet {
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields)) {
    throw new FieldSetError('expected an object in FieldsV1');
  }
  const children = parseFieldSet(fields as JsonObject);
  return createEntry('.' in fields, children) ?? leaf;
}
