// Removing the members and items of a set from a value. What is atomic goes as a whole when
// anything below it is in the set. A map or list that loses everything becomes null, as in
// Kubernetes, where that is how an empty one is held.

import { getOwn, isJsonObject, setOwn, type JsonObject, type JsonValue } from '../json.ts';
import {
  atomKind,
  deducedAtom,
  itemElement,
  memberAtom,
  type Atom,
  type ListAtom,
  type MapAtom,
} from './atom.ts';
import { childrenOf, isEmptySet, isMember, type FieldSet } from './field-set.ts';

/** The value without what is in the set; the value itself when nothing of it is. */
export function removeTyped(value: JsonValue, removed: FieldSet, atom: Atom): JsonValue {
  if (isEmptySet(removed)) return value;
  const kind = atomKind(atom, value);
  if (kind === 'map' && atom.map) {
    if (!isJsonObject(value) || atom.map.atomic) return null;
    return removeMembers(value, removed, atom.map);
  }
  if (kind === 'list' && atom.list) {
    if (!Array.isArray(value) || atom.list.atomic) return null;
    return removeItems(value, removed, atom.list);
  }
  return value;
}

function removeMembers(value: JsonObject, removed: FieldSet, map: MapAtom): JsonValue {
  let rest: JsonObject | undefined;
  for (const element in removed) {
    const entry = removed[element];
    if (!element.startsWith('f:') || entry === undefined) continue;
    const name = element.slice(2);
    const member = getOwn(value, name);
    if (member === undefined) continue;
    if (isMember(entry)) {
      rest ??= { ...value };
      delete rest[name];
      continue;
    }
    const kept = removeTyped(member, entry, memberAtom(map, name) ?? deducedAtom);
    if (kept !== member) setOwn((rest ??= { ...value }), name, kept);
  }
  if (rest === undefined) return isEmptyObject(value) ? null : value;
  return isEmptyObject(rest) ? null : rest;
}

function removeItems(value: JsonValue[], removed: FieldSet, list: ListAtom): JsonValue {
  const rest: JsonValue[] = [];
  for (const item of value) {
    const entry = removed[itemElement(list, item)];
    if (entry === undefined) rest.push(item);
    else if (!isMember(entry)) rest.push(removeTyped(item, childrenOf(entry), list.items));
  }
  if (rest.length === 0) return null;
  return rest.length === value.length && rest.every((item, i) => item === value[i]) ? value : rest;
}

function isEmptyObject(value: JsonObject): boolean {
  for (const _ in value) return false;
  return true;
}
