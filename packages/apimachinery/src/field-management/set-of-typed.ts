// Sets made from values and schemas: what a configuration owns, and two corrections of sets.

import { isJsonObject, type JsonObject, type JsonValue } from '../json.ts';
import {
  atomKind,
  deducedAtom,
  itemElement,
  memberAtom,
  type Atom,
  type ListAtom,
  type MapAtom,
} from './atom.ts';
import {
  childrenOf,
  createFieldSet,
  createSortedFieldSet,
  emptyFieldSet,
  isEmptySet,
  isMember,
  leaf,
  type FieldSet,
} from './field-set.ts';
import { fieldName, isKeyElement } from './path-element.ts';

/**
 * The paths that an applied configuration owns: every leaf, every item, every member of a map
 * without named fields, and named fields that are null or empty maps.
 */
export function fieldSetOfTyped(value: JsonValue, atom: Atom): FieldSet {
  return childrenOf(ownedBy(value, atom, { namedFields: false, own: 'no' }) ?? emptyFieldSet);
}

/** `withNamedFields` of that set, in one go. */
export function fieldSetWithNamedFields(value: JsonValue, atom: Atom): FieldSet {
  return childrenOf(ownedBy(value, atom, { namedFields: true, own: 'no' }) ?? emptyFieldSet);
}

interface Ownership {
  readonly namedFields: boolean;
  /** Whether the path of the value itself is owned. */
  readonly own: 'yes' | 'with parts' | 'no';
}

/** The entry of a value; undefined when neither it nor a part of it is owned. */
function ownedBy(value: JsonValue, atom: Atom, ownership: Ownership): FieldSet | undefined {
  const kind = atomKind(atom, value);
  if (kind === 'map' && atom.map && !atom.map.atomic) {
    if (isJsonObject(value)) return ownedByMap(value, atom.map, ownership);
  } else if (kind === 'list' && atom.list && !atom.list.atomic) {
    if (Array.isArray(value)) return ownedByList(value, atom.list, ownership);
  } else return leaf;
  return ownership.own === 'yes' ? leaf : undefined;
}

function ownedByMap(
  value: JsonObject,
  map: MapAtom,
  { namedFields, own }: Ownership,
): FieldSet | undefined {
  const entries: [string, FieldSet][] = [];
  for (const { element, value: part, atom, named } of map.members(value)) {
    const whole = !named || isNullOrEmptyMap(part);
    const ownPart = whole ? 'yes' : namedFields ? 'with parts' : 'no';
    const entry = ownedBy(part, atom, { namedFields, own: ownPart });
    if (entry) entries.push([element, entry]);
  }
  if (entries.length > 0) return createSortedFieldSet(entries, own !== 'no');
  return own === 'yes' ? leaf : undefined;
}

function ownedByList(
  items: readonly JsonValue[],
  list: ListAtom,
  { namedFields, own }: Ownership,
): FieldSet | undefined {
  const entries = new Map<string, FieldSet>();
  for (const item of items) {
    const element = itemElement(list, item);
    const entry = entries.has(element)
      ? leaf
      : ownedBy(item, list.items, { namedFields, own: 'yes' });
    entries.set(element, entry ?? leaf);
  }
  if (entries.size > 0) return createFieldSet([...entries], own !== 'no');
  return own === 'yes' ? leaf : undefined;
}

function isNullOrEmptyMap(value: JsonValue): boolean {
  if (value === null) return true;
  if (typeof value !== 'object' || Array.isArray(value)) return false;
  for (const _ in value) return false;
  return true;
}

/**
 * The set with every named field in it that has a path below it: to own a part of a struct's field
 * is to have a say in whether the field is there.
 */
export function withNamedFields(set: FieldSet, atom: Atom): FieldSet {
  return mapEntries(set, (element, entry) => {
    const below = atomBelow(atom, element);
    const children = below ? withNamedFields(entry, below) : entry;
    const name = fieldName(element);
    const named = name !== undefined && atom.map?.field(name) !== undefined;
    return named && !isMember(children) ? { '.': leaf, ...children } : children;
  });
}

/**
 * The set as it must be under a schema in which something has become atomic since: owners of parts
 * own the whole. The set itself when nothing has.
 */
export function reconcileFieldSet(set: FieldSet, atom: Atom): FieldSet {
  return mapEntries(set, (element, entry) => {
    if (isEmptySet(entry)) return entry;
    const below = atomBelow(atom, element);
    if (!below || below === deducedAtom) return entry;
    return isAtomic(below) ? leaf : reconcileFieldSet(entry, below);
  });
}

/** Only-atomic: no form of the atom has parts. */
function isAtomic(atom: Atom): boolean {
  if (!atom.map && !atom.list) return false;
  return (atom.map?.atomic ?? true) && (atom.list?.atomic ?? true);
}

function atomBelow(atom: Atom, element: string): Atom | undefined {
  const name = fieldName(element);
  if (name !== undefined) return atom.map && memberAtom(atom.map, name);
  return isKeyElement(element) ? atom.list?.items : undefined;
}

/** Replaces the entries of a set, keeping the set when all stay the same. */
function mapEntries(
  set: FieldSet,
  replace: (element: string, entry: FieldSet) => FieldSet,
): FieldSet {
  let replaced: Record<string, FieldSet> | undefined;
  for (const element in set) {
    const entry = set[element];
    if (element === '.' || entry === undefined) continue;
    const replacement = replace(element, entry);
    if (replacement !== entry) (replaced ??= { ...set })[element] = replacement;
  }
  return replaced ?? set;
}
