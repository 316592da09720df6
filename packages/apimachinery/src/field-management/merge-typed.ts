// Merging an applied configuration into the live object: what the configuration names is set, all
// else stays. Lists that are not atomic merge by item; items come in the order of the configuration
// where it has them, with the other live items between them where they stood. The inputs are not
// changed.

import { isJsonObject, setOwn, type JsonObject, type JsonValue } from '../json.ts';
import {
  atomKind,
  deducedAtom,
  haveSameKey,
  itemElement,
  memberAtom,
  type Atom,
  type ListAtom,
  type MapAtom,
} from './atom.ts';

/**
 * The merged value; `live` itself when the configuration changes nothing of it. The configuration
 * has been validated; the live value may have duplicate items.
 */
export function mergeTyped(live: JsonValue, config: JsonValue, atom: Atom): JsonValue {
  return merge(live, config, atom) ?? {};
}

function merge(
  live: JsonValue | undefined,
  config: JsonValue | undefined,
  atom: Atom,
): JsonValue | undefined {
  if (config === undefined) return live;
  const kind = atomKind(atom, config);
  if (kind === 'map' && atom.map && !atom.map.atomic) {
    const ours = asMap(live);
    const theirs = asMap(config);
    if (hasMembers(ours) || hasMembers(theirs)) return mergeMaps(live, ours, theirs, atom.map);
  } else if (kind === 'list' && atom.list && !atom.list.atomic) {
    const ours = Array.isArray(live) ? live : [];
    const theirs = Array.isArray(config) ? config : [];
    if (ours.length > 0 || theirs.length > 0) return mergeLists(ours, theirs, atom.list);
  }
  return config;
}

function mergeMaps(
  live: JsonValue | undefined,
  ours: JsonObject,
  theirs: JsonObject,
  map: MapAtom,
): JsonValue {
  let merged: JsonObject | undefined = ours === live ? undefined : {};
  for (const [name, value] of Object.entries(theirs)) {
    if (value === undefined) continue;
    const current = Object.hasOwn(ours, name) ? ours[name] : undefined;
    const member = merge(current, value, memberAtom(map, name) ?? deducedAtom);
    if (member === current) continue;
    merged ??= { ...ours };
    setOwn(merged, name, member);
  }
  return merged ?? ours;
}

function mergeLists(
  live: readonly JsonValue[],
  config: readonly JsonValue[],
  list: ListAtom,
): JsonValue {
  return mergePairs(live, config, list) ?? mergeByElement(live, config, list);
}

/** Items that stand in the same places in both lists merge without a look at the others. */
function mergePairs(
  live: readonly JsonValue[],
  config: readonly JsonValue[],
  list: ListAtom,
): JsonValue | undefined {
  if (live.length !== config.length) return undefined;
  for (let i = 0; i < live.length; i++) {
    if (!haveSameKey(live[i] ?? null, config[i] ?? null, list)) return undefined;
  }
  const merged = live.map((item, i) => merge(item, config[i], list.items) ?? null);
  return isSameList(live, merged) ? (live as JsonValue[]) : merged;
}

function mergeByElement(
  live: readonly JsonValue[],
  config: readonly JsonValue[],
  list: ListAtom,
): JsonValue {
  const ours = live.map((item) => itemElement(list, item));
  const theirs = config.map((item) => itemElement(list, item));
  const liveItems = indexItems(ours, live);
  const configItems = indexItems(theirs, config);
  const merged: JsonValue[] = [];
  const take = (element: string) => {
    const item = merge(liveItems.get(element), configItems.get(element), list.items);
    if (item !== undefined) merged.push(item);
  };

  // Elements in both lists, in the order of the configuration. The next one holds back the live
  // items that stand after it.
  const shared = theirs.filter((element) => liveItems.has(element));
  const taken = new Set<string>();
  let i = 0;
  let j = 0;
  let next = 0;
  while (i < ours.length || j < theirs.length) {
    const our = ours[i];
    const their = theirs[j];
    const nextShared = shared[next];
    if (our !== undefined && !configItems.has(our)) {
      // Not in the configuration; duplicates each stand for themselves.
      merged.push(live[i++] ?? null);
      continue;
    }
    if (our !== undefined && our !== their) {
      const heldBack = their !== undefined && nextShared !== undefined && nextShared !== our;
      if (heldBack || taken.has(our)) i++;
      if (heldBack) continue;
    }
    if (their === undefined) continue;
    taken.add(their);
    take(their);
    j++;
    if (our === their) i++;
    if (nextShared === their) next++;
  }
  return isSameList(live, merged) ? (live as JsonValue[]) : merged;
}

/** Duplicate items are no base for merging: the first of the configuration replaces them. */
function indexItems(
  elements: readonly string[],
  items: readonly JsonValue[],
): Map<string, JsonValue | undefined> {
  const index = new Map<string, JsonValue | undefined>();
  for (const [i, element] of elements.entries()) {
    index.set(element, index.has(element) ? undefined : items[i]);
  }
  return index;
}

function isSameList(a: readonly JsonValue[], b: readonly JsonValue[]): boolean {
  return a.length === b.length && a.every((item, i) => item === b[i]);
}

function asMap(value: JsonValue | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}
function hasMembers(map: JsonObject): boolean {
  for (const name in map) if (map[name] !== undefined) return true;
  return false;
}
