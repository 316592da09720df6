// How server-side apply sees a type: as a scalar, a list, a map, or (where the schema says nothing)
// any of them. A struct is a map whose fields are named. What is atomic is owned as one; of what is
// not, each item or member is owned for itself. Atoms are made from type descriptors once and kept.

import { compareGoStrings } from '../go-string.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../json.ts';
import type { Field, ListTypeRef, StructType, TypeRef } from '../schema/types.ts';
import {
  compareElements,
  fieldElement,
  keyElement,
  sortEntries,
  valueElement,
} from './path-element.ts';

export type ScalarAtom = 'numeric' | 'string' | 'boolean' | 'untyped';

export interface Atom {
  readonly scalar?: ScalarAtom;
  readonly list?: ListAtom;
  readonly map?: MapAtom;
}
export interface ListAtom {
  readonly atomic: boolean;
  readonly items: Atom;
  /** Key fields, sorted; none for sets. */
  readonly keys: readonly string[];
  /** Key values that an item may leave out. */
  readonly keyDefaults: ReadonlyMap<string, JsonValue>;
}
export interface MapAtom {
  readonly atomic: boolean;
  /** Of a field that the schema names. */
  field(name: string): Atom | undefined;
  /** The members of a value with their elements and atoms, in the order of FieldsV1. */
  members(value: JsonObject): Member[];
  /** Of all other members; absent when there must be none. */
  readonly others?: Atom;
}

export interface Member {
  readonly element: string;
  readonly value: JsonValue;
  readonly atom: Atom;
  /** The schema names it. */
  readonly named: boolean;
}

export type AtomKind = 'map' | 'scalar' | 'list';

/** Anything, its parts owned by their names: what no schema describes. Lists are atomic. */
export const deducedAtom: Atom = {
  scalar: 'untyped',
  list: {
    atomic: true,
    keys: [],
    keyDefaults: new Map(),
    get items() {
      return deducedAtom;
    },
  },
  map: {
    atomic: false,
    field: () => undefined,
    members: (value) => unnamedMembers(value, deducedAtom),
    get others() {
      return deducedAtom;
    },
  },
};

const structAtoms = new WeakMap<StructType, Atom>();
const typeAtoms = new WeakMap<TypeRef, Atom>();

/** The atom of an object; without a type everything is deduced. */
export function atomOf(type: StructType | undefined): Atom {
  return type === undefined ? deducedAtom : structAtom(type, type.atomic);
}

/** As which of the atom's forms a value is taken: the first, for null and for what fits none. */
export function atomKind(atom: Atom, value: JsonValue | undefined): AtomKind {
  if (value !== undefined && value !== null) {
    if (Array.isArray(value)) {
      if (atom.list) return 'list';
    } else if (typeof value === 'object') {
      if (atom.map) return 'map';
    } else if (atom.scalar) return 'scalar';
  }
  return atom.map ? 'map' : atom.scalar ? 'scalar' : 'list';
}

/** The atom of a member; undefined when the schema does not allow it. */
export function memberAtom(map: MapAtom, name: string): Atom | undefined {
  return map.field(name) ?? map.others;
}

/** A list item that has no place in its list; the message is Kubernetes'. */
export class ListItemError extends Error {}

/** The path element of an item of a list that is not atomic; throws `ListItemError`. */
export function itemElement(list: ListAtom, item: JsonValue): string {
  return list.keys.length > 0 ? keyedItem(list, item) : setItem(item);
}

function keyedItem(list: ListAtom, item: JsonValue): string {
  if (item === null) {
    throw new ListItemError('associative list with keys may not have a null element');
  }
  if (typeof item !== 'object' || Array.isArray(item)) {
    throw new ListItemError('associative list with keys may not have non-map elements');
  }
  const isGiven = (key: string) => keyValue(list, item, key) !== undefined;
  const present = list.keys.every(isGiven) ? list.keys : list.keys.filter(isGiven);
  if (present.length === 0) {
    const names = list.keys.map((key) => JSON.stringify(key)).join(' ');
    throw new ListItemError(
      `associative list with keys has an element that omits all key fields [${names}] (and doesn't have default values for any key fields)`,
    );
  }
  return keyElement(present, (key) => keyValue(list, item, key) ?? null);
}

/** The value of a key field of an item, or its default. */
function keyValue(list: ListAtom, item: JsonObject, key: string): JsonValue | undefined {
  const value = Object.hasOwn(item, key) ? item[key] : undefined;
  return value === undefined ? list.keyDefaults.get(key) : value;
}

/** Whether two items of a list with keys are the same item; without reading more than needed. */
export function haveSameKey(a: JsonValue, b: JsonValue, list: ListAtom): boolean {
  if (!isJsonObject(a) || !isJsonObject(b)) return false;
  let keyed = false;
  for (const key of list.keys) {
    const value = keyValue(list, a, key);
    if (value !== keyValue(list, b, key)) return false;
    keyed ||= value !== undefined;
  }
  return keyed;
}

function setItem(item: JsonValue): string {
  if (item === null) {
    throw new ListItemError("associative list without keys has an element that's an explicit null");
  }
  if (Array.isArray(item)) {
    throw new ListItemError('not supported: associative list with lists as elements');
  }
  if (typeof item === 'object') {
    throw new ListItemError("associative list without keys has an element that's a map type");
  }
  return valueElement(item);
}

function typeAtom(type: TypeRef): Atom {
  const known = typeAtoms.get(type);
  if (known) return known;
  const atom = createTypeAtom(type);
  typeAtoms.set(type, atom);
  return atom;
}

function createTypeAtom(type: TypeRef): Atom {
  switch (type.kind) {
    case 'string':
    case 'bytes':
    case 'duration':
      return { scalar: 'string' };
    case 'bool':
      return { scalar: 'boolean' };
    case 'int32':
    case 'int64':
    case 'double':
      return { scalar: 'numeric' };
    case 'time':
    case 'micro-time':
      return { scalar: 'untyped' };
    case 'quantity':
    case 'int-or-string':
    case 'any':
      return deducedAtom;
    case 'fields-v1':
      return { map: deducedAtom.map };
    case 'list':
      return { list: listAtom(type) };
    case 'map': {
      const others = typeAtom(type.values);
      const members = (value: JsonObject) => unnamedMembers(value, others);
      return { map: { atomic: type.atomic, field: () => undefined, members, others } };
    }
    case 'struct':
      return structAtom(type.type, type.atomic ?? type.type.atomic);
  }
}

function listAtom(type: ListTypeRef): ListAtom {
  const keys = type.listType === 'map' ? [...type.mapKeys].sort(compareGoStrings) : [];
  const keyDefaults = new Map<string, JsonValue>();
  for (const key of keys) {
    const field = type.items.kind === 'struct' ? type.items.type.byName.get(key) : undefined;
    const value = field && keyDefault(field);
    if (value !== undefined) keyDefaults.set(key, value);
  }
  return {
    atomic: type.listType === 'atomic',
    keys,
    keyDefaults,
    get items() {
      return typeAtom(type.items);
    },
  };
}

/** OpenAPI's default: the declared one, or the zero value of a field that is always written. */
function keyDefault(field: Field): JsonValue | undefined {
  if (field.default !== undefined) return field.default;
  if (field.presence !== 'always' || field.nullable) return undefined;
  switch (field.type.kind) {
    case 'string':
      return '';
    case 'bool':
      return false;
    case 'int32':
    case 'int64':
    case 'double':
      return 0;
    default:
      return undefined;
  }
}

function structAtom(type: StructType, atomic: boolean): Atom {
  const known = atomic === type.atomic ? structAtoms.get(type) : undefined;
  if (known) return known;
  const atom: Atom = { map: structMap(type, atomic) };
  if (atomic === type.atomic) structAtoms.set(type, atom);
  return atom;
}

function structMap(type: StructType, atomic: boolean): MapAtom {
  const anyMember = type.preserveUnknown || type.fields.length === 0;
  const atoms = new Map<string, Atom>();
  const field = (name: string): Atom | undefined => {
    const kept = atoms.get(name);
    if (kept) return kept;
    const described = type.byName.get(name);
    if (!described) return undefined;
    const made = typeAtom(described.type);
    atoms.set(name, made);
    return made;
  };
  let elements: (readonly [name: string, element: string])[] | undefined;
  const inOrder = () =>
    (elements ??= sortEntries(type.fields.map(({ name }) => [fieldElement(name), name])).map(
      ([element, name]) => [name, element] as const,
    ));
  return {
    atomic,
    field,
    members(value) {
      const found: Member[] = [];
      for (const [name, element] of inOrder()) {
        const member = Object.hasOwn(value, name) ? value[name] : undefined;
        if (member === undefined) continue;
        found.push({ element, value: member, atom: field(name) ?? deducedAtom, named: true });
      }
      let size = 0;
      for (const name in value) if (value[name] !== undefined) size++;
      if (found.length === size) return found;
      const unknown = unnamedMembers(value, deducedAtom).filter(
        ({ element }) => !type.byName.has(element.slice(2)),
      );
      return [...found, ...unknown].sort((a, b) => compareElements(a.element, b.element));
    },
    ...(anyMember ? { others: deducedAtom } : {}),
  };
}

function unnamedMembers(value: JsonObject, atom: Atom): Member[] {
  const members: Member[] = [];
  for (const name of Object.keys(value).sort(compareGoStrings)) {
    const member = value[name];
    if (member === undefined) continue;
    members.push({ element: fieldElement(name), value: member, atom, named: false });
  }
  return members;
}
