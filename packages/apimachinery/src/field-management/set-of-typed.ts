// Sets made from values and schemas: what a configuration owns, and two corrections of sets.

import { isJsonObject, type JsonValue } from '../json.ts';
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
  createEntry,
  createFieldSet,
  emptyFieldSet,
  isEmptySet,
  isMember,
  leaf,
  type FieldSet,
} from './field-set.ts';
import { fieldElement, fieldName, isKeyElement } from './path-element.ts';

/**
 * The paths that an applied configuration owns: every leaf, every item, every member of a map
 * without named fields, and named fields that are null or empty maps.
 */
export function fieldSetOfTyped(value: JsonValue, atom: Atom): FieldSet {
  const { children } = ownedBy(value, atom);
  return children;
}

interface Owned {
  /** The path of the value itself is owned. */
  readonly member: boolean;
  readonly children: FieldSet;
}
const ownedLeaf: Owned = { member: true, children: emptyFieldSet };
const ownsNothing: Owned = { member: false, children: emptyFieldSet };

function ownedBy(value: JsonValue, atom: Atom): Owned {
  const kind = atomKind(atom, value);
  if (kind === 'map' && atom.map && !atom.map.atomic) {
    return isJsonObject(value) ? ownedByMap(Object.entries(value), atom.map) : ownsNothing;
  }
  if (kind === 'list' && atom.list && !atom.list.atomic) {
    return Array.isArray(value) ? ownedByList(value, atom.list) : ownsNothing;
  }
  return ownedLeaf;
}

function ownedByMap(members: readonly [string, JsonValue | undefined][], map: MapAtom): Owned {
  const entries: [string, FieldSet][] = [];
  for (const [name, value] of members) {
    if (value === undefined) continue;
    const named = map.field(name);
    const owned = ownedBy(value, named ?? map.others ?? deducedAtom);
    const empty = value === null || (isJsonObject(value) && Object.keys(value).length === 0);
    const entry = createEntry(owned.member || empty || !named, owned.children);
    if (entry) entries.push([fieldElement(name), entry]);
  }
  return { member: false, children: createFieldSet(entries) };
}

function ownedByList(items: readonly JsonValue[], list: ListAtom): Owned {
  const entries = new Map<string, FieldSet>();
  for (const item of items) {
    const element = itemElement(list, item);
    const entry = entries.has(element)
      ? leaf
      : createEntry(true, ownedBy(item, list.items).children);
    entries.set(element, entry ?? leaf);
  }
  return { member: false, children: createFieldSet([...entries]) };
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
