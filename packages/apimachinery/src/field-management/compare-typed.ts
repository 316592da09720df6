// What differs between two values of one type: the paths that were added, modified and removed. An
// added (removed) value counts with every path below it; of what is atomic, only the whole.
// Equal parts cost no allocation, parts that are the same object not even a look.

import { isJsonObject, jsonEqual, type JsonValue } from '../json.ts';
import {
  atomKind,
  deducedAtom,
  haveSameKey,
  itemElement,
  memberAtom,
  type Atom,
  type AtomKind,
  type ListAtom,
  type MapAtom,
} from './atom.ts';
import {
  childrenOf,
  createFieldSet,
  createSortedFieldSet,
  emptyFieldSet,
  leaf,
  union,
  type FieldSet,
} from './field-set.ts';
import { fieldElement } from './path-element.ts';

export interface Comparison {
  readonly added: FieldSet;
  readonly modified: FieldSet;
  readonly removed: FieldSet;
}

export const noDifference: Comparison = {
  added: emptyFieldSet,
  modified: emptyFieldSet,
  removed: emptyFieldSet,
};

/**
 * How `after` differs from `before`; `noDifference` itself when it does not. Duplicate items of
 * lists are allowed. Throws `ListItemError` for items without a key.
 */
export function compareTyped(before: JsonValue, after: JsonValue, atom: Atom): Comparison {
  const difference = compare(before, after, atom);
  if (!difference) return noDifference;
  return {
    added: difference.added ? childrenOf(difference.added) : emptyFieldSet,
    modified: difference.modified ? childrenOf(difference.modified) : emptyFieldSet,
    removed: difference.removed ? childrenOf(difference.removed) : emptyFieldSet,
  };
}

/** The entries of one path in the three sets. */
interface Difference {
  readonly added?: FieldSet;
  readonly modified?: FieldSet;
  readonly removed?: FieldSet;
}

function compare(
  before: JsonValue | undefined,
  after: JsonValue | undefined,
  atom: Atom,
): Difference | undefined {
  if (before === after) return undefined;
  if (before === undefined) return after === undefined ? undefined : { added: allOf(after, atom) };
  if (after === undefined) return { removed: allOf(before, atom) };
  const kindBefore = atomKind(atom, before);
  const kindAfter = atomKind(atom, after);
  const difference = compareAs(kindAfter, before, after, atom);
  if (kindBefore === kindAfter) return difference;
  return join(compareAs(kindBefore, before, after, atom), difference);
}

function compareAs(
  kind: AtomKind,
  before: JsonValue,
  after: JsonValue,
  atom: Atom,
): Difference | undefined {
  if (kind === 'map' && atom.map && !atom.map.atomic) {
    if (!isEmptyMap(before) || !isEmptyMap(after)) return compareMaps(before, after, atom.map);
  } else if (kind === 'list' && atom.list && !atom.list.atomic) {
    if (!isEmptyList(before) || !isEmptyList(after)) return compareLists(before, after, atom.list);
  }
  return jsonEqual(before, after) ? undefined : { modified: leaf };
}

/** The entry of a value that is in a set with all that is below it. */
function allOf(value: JsonValue, atom: Atom): FieldSet {
  const kind = atomKind(atom, value);
  if (kind === 'map' && isJsonObject(value) && atom.map && !atom.map.atomic) {
    const members = atom.map.members(value);
    return createSortedFieldSet(
      members.map((member) => [member.element, allOf(member.value, member.atom)]),
      true,
    );
  }
  if (kind === 'list' && Array.isArray(value) && atom.list && !atom.list.atomic) {
    const entries = new Map<string, FieldSet>();
    for (const item of value) {
      const element = itemElement(atom.list, item);
      entries.set(element, entries.has(element) ? leaf : allOf(item, atom.list.items));
    }
    return createFieldSet([...entries], true);
  }
  return leaf;
}

function compareMaps(before: JsonValue, after: JsonValue, map: MapAtom): Difference | undefined {
  const old = isJsonObject(before) ? before : {};
  const now = isJsonObject(after) ? after : {};
  let found: Collector | undefined;
  for (const name in old) {
    const was = old[name];
    const is = Object.hasOwn(now, name) ? now[name] : undefined;
    if (was === is) continue;
    const difference = compare(was, is, requireMember(map, name));
    if (difference) (found ??= createCollector()).add(fieldElement(name), difference);
  }
  for (const name in now) {
    const is = now[name];
    if (is === undefined || (Object.hasOwn(old, name) && old[name] !== undefined)) continue;
    const difference = compare(undefined, is, requireMember(map, name));
    if (difference) (found ??= createCollector()).add(fieldElement(name), difference);
  }
  return found?.difference();
}

/** Unknown members do not come so far, except in stored data of another schema. */
function requireMember(map: MapAtom, name: string): Atom {
  return memberAtom(map, name) ?? deducedAtom;
}

function compareLists(before: JsonValue, after: JsonValue, list: ListAtom): Difference | undefined {
  const old = Array.isArray(before) ? before : [];
  const now = Array.isArray(after) ? after : [];
  if (old.length !== now.length) return compareItems(old, now, list);
  // Most lists keep their items in place: compare these in pairs, and look up only otherwise.
  let found: Collector | undefined;
  for (let i = 0; i < old.length; i++) {
    const was = old[i] ?? null;
    const is = now[i] ?? null;
    if (was === is) continue;
    if (!haveSameKey(was, is, list)) return compareItems(old, now, list);
    const difference = compare(was, is, list.items);
    if (difference) (found ??= createCollector()).add(itemElement(list, is), difference);
  }
  if (found && hasDuplicates(now, list)) return compareItems(old, now, list);
  return found?.difference();
}

function hasDuplicates(items: readonly JsonValue[], list: ListAtom): boolean {
  return new Set(items.map((item) => itemElement(list, item))).size < items.length;
}

/** Pairs items by their elements. Items with one element are together an atomic list. */
function compareItems(
  old: readonly JsonValue[],
  now: readonly JsonValue[],
  list: ListAtom,
): Difference | undefined {
  const oldByElement = groupItems(old, list);
  const nowByElement = groupItems(now, list);
  const found = createCollector();
  for (const [element, were] of oldByElement) {
    const are = nowByElement.get(element) ?? [];
    found.add(element, compareGroups(were, are, list));
  }
  for (const [element, are] of nowByElement) {
    if (!oldByElement.has(element)) found.add(element, compareGroups([], are, list));
  }
  return found.difference();
}

function groupItems(items: readonly JsonValue[], list: ListAtom): Map<string, JsonValue[]> {
  const groups = new Map<string, JsonValue[]>();
  for (const item of items) {
    const element = itemElement(list, item);
    const group = groups.get(element);
    if (group) group.push(item);
    else groups.set(element, [item]);
  }
  return groups;
}

function compareGroups(
  were: readonly JsonValue[],
  are: readonly JsonValue[],
  list: ListAtom,
): Difference | undefined {
  if (were.length < 2 && are.length < 2) return compare(were[0], are[0], list.items);
  if (were.length >= 2 && are.length >= 2) {
    return jsonEqual([...were], [...are]) ? undefined : { modified: leaf };
  }
  return were.length >= 2
    ? join({ removed: leaf }, compare(undefined, are[0], list.items))
    : join({ added: leaf }, compare(were[0], undefined, list.items));
}

interface Collector {
  add(element: string, difference: Difference | undefined): void;
  difference(): Difference | undefined;
}

/** Gathers the differences of the parts of a value into the differences of the value. */
function createCollector(): Collector {
  const added: [string, FieldSet][] = [];
  const modified: [string, FieldSet][] = [];
  const removed: [string, FieldSet][] = [];
  return {
    add(element, difference) {
      if (difference?.added) added.push([element, difference.added]);
      if (difference?.modified) modified.push([element, difference.modified]);
      if (difference?.removed) removed.push([element, difference.removed]);
    },
    difference() {
      if (added.length + modified.length + removed.length === 0) return undefined;
      return {
        ...(added.length > 0 ? { added: createFieldSet(added) } : {}),
        ...(modified.length > 0 ? { modified: createFieldSet(modified) } : {}),
        ...(removed.length > 0 ? { removed: createFieldSet(removed) } : {}),
      };
    },
  };
}

function join(a: Difference | undefined, b: Difference | undefined): Difference | undefined {
  if (!a || !b) return a ?? b;
  return {
    added: joinEntries(a.added, b.added),
    modified: joinEntries(a.modified, b.modified),
    removed: joinEntries(a.removed, b.removed),
  };
}
function joinEntries(a: FieldSet | undefined, b: FieldSet | undefined): FieldSet | undefined {
  if (!a || !b) return a ?? b;
  return union({ 'f:': a }, { 'f:': b })['f:'];
}

function isEmptyMap(value: JsonValue): boolean {
  if (!isJsonObject(value)) return true;
  for (const name in value) if (value[name] !== undefined) return false;
  return true;
}
function isEmptyList(value: JsonValue): boolean {
  return !Array.isArray(value) || value.length === 0;
}
