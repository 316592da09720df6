// A document that is edited by path (RFC 6901, with Kubernetes' latitude; see json-patch.ts) while
// the value it was made of stays as it is: containers are copied the first time a path goes
// through them, everything else is shared.

import { getOwn, setOwn, type JsonObject, type JsonValue } from '../json.ts';
import { quoteGo } from '../status/field-error.ts';
import { sortKeys } from './merge-patch.ts';

/** A key or index that a container does not have. The message is the tail of Kubernetes' text. */
export class JsonAccessError extends Error {}

/** One place of the document, which may be absent. Accesses throw `JsonAccessError`. */
export interface JsonPlace {
  readonly key: string;
  /** The value; null for a member that is absent. */
  get(): JsonValue;
  /** Whether `get` and `set` would throw: an index that does not exist. */
  readonly isOutside: boolean;
  set(value: JsonValue): void;
  /** Sets a member; inserts an item before the index. */
  add(value: JsonValue): void;
  remove(): void;
}

export interface JsonDocument {
  root(): JsonValue;
  replaceRoot(value: JsonObject | JsonValue[]): void;
  /** The place that a path names; undefined when something on the way is not a container. */
  find(path: string): JsonPlace | undefined;
  /** A part of the document as a value of its own, which later edits do not change. */
  snapshot(value: JsonValue): JsonValue;
}

type Container = JsonObject | JsonValue[];

export function createJsonDocument(value: JsonValue): JsonDocument {
  // INVARIANT: containers made here, and only they, are changed in place; the ancestors of one are
  // such containers too, so `snapshot` need not look below any other.
  const owned = new Set<Container>();
  let root = value;

  const own = (container: Container): Container => {
    if (owned.has(container)) return container;
    const copy = Array.isArray(container) ? [...container] : { ...container };
    owned.add(copy);
    return copy;
  };
  const snapshot = (part: JsonValue): JsonValue => {
    if (typeof part !== 'object' || part === null || !owned.has(part)) return part;
    if (Array.isArray(part)) return part.map(snapshot);
    const sorted = sortKeys(part);
    for (const [key, member] of Object.entries(sorted)) {
      if (member !== undefined) setOwn(sorted, key, snapshot(member));
    }
    return sorted;
  };

  return {
    root: () => root,
    replaceRoot(replacement) {
      root = replacement;
    },
    find(path) {
      // COMPAT: whatever stands before the first slash is ignored.
      const tokens = path.split('/').slice(1).map(decodeToken);
      const key = tokens.pop();
      if (key === undefined || typeof root !== 'object' || root === null) return undefined;
      let container = own(root);
      root = container;
      for (const token of tokens) {
        const place = createPlace(container, token);
        const next = place.isOutside ? null : place.get();
        if (typeof next !== 'object' || next === null) return undefined;
        container = own(next);
        place.set(container);
      }
      return createPlace(container, key);
    },
    snapshot,
  };
}

/** `~1` is a slash and `~0` a tilde. */
function decodeToken(token: string): string {
  return token.replace(/~[01]/g, (escape) => (escape === '~1' ? '/' : '~'));
}

function createPlace(container: Container, key: string): JsonPlace {
  return Array.isArray(container) ? createItem(container, key) : createMember(container, key);
}

function createMember(object: JsonObject, key: string): JsonPlace {
  return {
    key,
    isOutside: false,
    get: () => getOwn(object, key) ?? null,
    set: (value) => setOwn(object, key, value),
    add: (value) => setOwn(object, key, value),
    remove() {
      if (!Object.hasOwn(object, key)) {
        throw new JsonAccessError(`Unable to remove nonexistent key: ${key}: missing value`);
      }
      delete object[key];
    },
  };
}

function createItem(list: JsonValue[], key: string): JsonPlace {
  const number = parseIndex(key);
  const indexIn = (length: number): number => {
    if (number === undefined) throw new JsonAccessError(notAnIndex(key));
    if (isOutside(number, length)) {
      throw new JsonAccessError(
        `Unable to access invalid index: ${number}: invalid index referenced`,
      );
    }
    return number < 0 ? number + length : number;
  };
  return {
    key,
    isOutside: number === undefined || isOutside(number, list.length),
    get: () => list[indexIn(list.length)] ?? null,
    set(value) {
      list[indexIn(list.length)] = value;
    },
    add(value) {
      if (key === '-') list.push(value);
      else if (number === undefined) {
        const why = `value was not a proper array index: '${key}': ${notAnIndex(key)}`;
        throw new JsonAccessError(why);
      } else list.splice(indexIn(list.length + 1), 0, value);
    },
    remove() {
      list.splice(indexIn(list.length), 1);
    },
  };
}

/** What Go's `strconv.Atoi` accepts; negative numbers count from the end. */
function parseIndex(key: string): number | undefined {
  return /^[+-]?[0-9]{1,15}$/.test(key) ? Number(key) : undefined;
}
function isOutside(index: number, length: number): boolean {
  return index >= length || index < -length;
}
function notAnIndex(key: string): string {
  return `strconv.Atoi: parsing ${quoteGo(key)}: invalid syntax`;
}
