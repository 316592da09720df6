// The list half of strategic merge patches: merging items by key or value, directives in items, and
// the order of the result. The order is: items of the patch as the patch (or `$setElementOrder`)
// has them, other items as they stood, each of these placed before the first patch item that stood
// after it.

import { formatGoValue, goKind, goTypeName, type GoKind } from '../go-value.ts';
import { getOwn, isJsonObject, type JsonObject, type JsonValue } from '../json.ts';
import { PatchError } from './patch-error.ts';

export const directiveMarker = '$patch';

export interface ListMerge {
  /** Member that identifies an item; empty for scalars. */
  readonly mergeKey: string;
  /** Kind of the items in the schema, for an error. */
  readonly itemKind: string;
  mergeItem(item: JsonObject, patch: JsonObject): JsonObject;
}

/** The list with the items of the patch merged in. */
export function mergeList(
  original: readonly JsonValue[],
  patch: readonly JsonValue[],
  merge: ListMerge,
): JsonValue[] {
  if (original.length === 0 && patch.length === 0) return [];
  if (itemsKind(original, patch) !== 'map') {
    const merged = [...new Set([...original, ...patch])];
    return arrange(merged, { patchOrder: patch, serverOrder: original, mergeKey: '' });
  }
  if (merge.mergeKey === '') {
    throw internal(`cannot merge lists without merge key for ${merge.itemKind}`);
  }
  const { items, rest } = applyItemDirectives(original, patch, merge.mergeKey);
  const merged = mergeItems(items, rest, merge);
  return arrange(merged, { patchOrder: rest, serverOrder: items, mergeKey: merge.mergeKey });
}

/** The list without the scalars in `removed`. */
export function deleteScalars(
  original: readonly JsonValue[],
  removed: readonly JsonValue[],
): JsonValue[] {
  const gone = new Set(removed);
  return original.filter((item) => !gone.has(item));
}

/** Checks that all items of lists have one kind, and gives it; lists of lists are refused. */
export function itemsKind(...lists: (readonly JsonValue[])[]): GoKind {
  let kind: GoKind | undefined;
  for (const item of lists.flat()) {
    const itemKind = goKind(item);
    if (kind === undefined && itemKind === 'slice') {
      throw new PatchError('unprocessable', 'lists of lists are not supported');
    }
    if (itemKind === 'nil' || (kind !== undefined && kind !== itemKind)) {
      const texts = formatGoValue(lists.map((list) => [...list]));
      throw internal(`list element types are not identical: ${texts}`);
    }
    kind = itemKind;
  }
  if (kind === undefined) throw internal('no elements in any of the given slices');
  return kind;
}

/** `$patch` in items: `delete` removes the item with its key, `replace` all of the original. */
function applyItemDirectives(
  original: readonly JsonValue[],
  patch: readonly JsonValue[],
  mergeKey: string,
): { items: readonly JsonValue[]; rest: JsonValue[] } {
  let items = original;
  const rest: JsonValue[] = [];
  let replace = false;
  for (const item of patch) {
    const object = asObject(item);
    const directive = getOwn(object, directiveMarker);
    if (directive === undefined) rest.push(item);
    else if (directive === 'replace') replace = true;
    else if (directive === 'delete') {
      const value = mergeValue(object, mergeKey);
      items = items.filter((candidate) => getOwn(asObject(candidate), mergeKey) !== value);
    } else if (directive === 'merge') {
      throw internal('merging lists cannot yet be specified in the patch');
    } else throw unknownDirective(directive, object);
  }
  return replace ? { items: rest, rest: [] } : { items, rest };
}

function mergeItems(
  items: readonly JsonValue[],
  patch: readonly JsonValue[],
  { mergeKey, mergeItem }: ListMerge,
): JsonValue[] {
  const merged = [...items];
  const indexByValue = new Map<JsonValue | undefined, number>();
  for (const [i, item] of items.entries()) {
    if (!isJsonObject(item)) throw internal(`value for key ${i} is not a map.`);
    const value = getOwn(item, mergeKey);
    if (value !== undefined && !indexByValue.has(value)) indexByValue.set(value, i);
  }
  for (const item of patch) {
    const object = asObject(item);
    const value = mergeValue(object, mergeKey);
    const index = indexByValue.get(value);
    if (index === undefined) {
      indexByValue.set(value, merged.length);
      merged.push(item);
    } else merged[index] = mergeItem(asObject(merged[index]), object);
  }
  return merged;
}

export interface ListOrder {
  readonly patchOrder: readonly JsonValue[];
  readonly serverOrder: readonly JsonValue[];
  readonly mergeKey: string;
}

/** Items that `patchOrder` names in its order, the others woven in as they stood. */
export function arrange(merged: readonly JsonValue[], order: ListOrder): JsonValue[] {
  const { mergeKey } = order;
  const identity = (item: JsonValue): JsonValue =>
    mergeKey === '' ? item : mergeValue(asObject(item), mergeKey);
  const patchRank = ranks(order.patchOrder, identity);
  const serverRank = ranks(order.serverOrder, identity);
  const rankIn = (rank: Map<JsonValue, number>, item: JsonValue) => rank.get(identity(item)) ?? -1;
  const sortBy = (rank: Map<JsonValue, number>, items: JsonValue[]) =>
    items.sort((a, b) => rankIn(rank, a) - rankIn(rank, b));

  const fromPatch: JsonValue[] = [];
  const others: JsonValue[] = [];
  for (const item of merged) (patchRank.has(identity(item)) ? fromPatch : others).push(item);
  sortBy(patchRank, fromPatch);
  sortBy(serverRank, others);

  const arranged: JsonValue[] = [];
  let next = 0;
  for (const item of fromPatch) {
    const place = rankIn(serverRank, item);
    while (place >= 0 && next < others.length && standsBefore(others[next] ?? null, place)) {
      arranged.push(others[next++] ?? null);
    }
    arranged.push(item);
  }
  return [...arranged, ...others.slice(next)];

  function standsBefore(other: JsonValue, place: number): boolean {
    const rank = rankIn(serverRank, other);
    return rank >= 0 && rank < place;
  }
}

function ranks(
  order: readonly JsonValue[],
  identity: (item: JsonValue) => JsonValue,
): Map<JsonValue, number> {
  const rank = new Map<JsonValue, number>();
  for (const [i, item] of order.entries()) {
    const value = identity(item);
    if (!rank.has(value)) rank.set(value, i);
  }
  return rank;
}

/** The items of the patch must stand in `setOrder`, in the same order; deletions are ignored. */
export function checkElementOrder(
  patch: readonly JsonValue[],
  setOrder: readonly JsonValue[],
  mergeKey: string,
): void {
  if (patch.length === 0 || setOrder.length === 0) return;
  const identity = (item: JsonValue): JsonValue =>
    mergeKey === '' ? item : mergeValue(asObject(item), mergeKey);
  const items = mergeKey === '' ? patch : patch.filter((item) => !hasDirective(asObject(item)));
  let found = 0;
  for (const wanted of setOrder) {
    const item = items[found];
    if (item === undefined) break;
    if (identity(item) === identity(wanted)) found++;
  }
  if (found === items.length) return;
  throw internal(
    `The order in patch list:\n${formatGoValue([...patch])}\n doesn't match $setElementOrder list:\n${formatGoValue([...setOrder])}\n`,
  );
}

export function unknownDirective(directive: JsonValue, object: JsonObject): PatchError {
  const text =
    typeof directive === 'string'
      ? directive
      : `%!s(${goTypeName(directive)}=${formatGoValue(directive)})`;
  return internal(`unknown patch type: ${text} in map: ${formatGoValue(object)}`);
}

/** Kubernetes' text for a value of another kind than is needed. */
export function wrongKind(wanted: JsonValue, actual: JsonValue): PatchError {
  const received = actual === null ? '%!s(<nil>)' : goTypeName(actual);
  return internal(`expected a ${goTypeName(wanted)}, but received a ${received}`);
}

export function internal(message: string): PatchError {
  return new PatchError('internal', message);
}

function hasDirective(item: JsonObject): boolean {
  return Object.hasOwn(item, directiveMarker);
}
function asObject(item: JsonValue | undefined): JsonObject {
  if (isJsonObject(item)) return item;
  throw wrongKind({}, item ?? null);
}
function mergeValue(item: JsonObject, mergeKey: string): JsonValue {
  const value = getOwn(item, mergeKey);
  if (value !== undefined) return value;
  throw internal(`map: ${formatGoValue(item)} does not contain declared merge key: ${mergeKey}`);
}
