// Amounts by resource name, as quota and limits calculate with them: `cpu: 500m, memory: 1Gi`. The
// operations are those of k8s.io/apiserver/pkg/quota/v1. A list is a Map, because names come from
// clients and may be anything.

import { setOwn, type JsonObject } from '../json.ts';
import {
  addQuantities,
  compareQuantities,
  createQuantity,
  formatQuantity,
  parseQuantity,
  signOf,
  subtractQuantities,
  type Quantity,
} from '../quantity.ts';

export type ResourceList = ReadonlyMap<string, Quantity>;

export const one = createQuantity(1);
export const zero = createQuantity(0);

/** The list of an object's field; absent is empty. */
export function readResourceList(
  record: Readonly<Record<string, string>> | undefined,
): Map<string, Quantity> {
  return new Map(Object.entries(record ?? {}).map(([name, text]) => [name, parseQuantity(text)]));
}

/** The list as an object's field, in order of names. */
export function writeResourceList(list: ResourceList): Record<string, string> {
  const record: JsonObject = {};
  for (const name of sortedNames(list))
    setOwn(record, name, formatQuantity(list.get(name) ?? zero));
  return record as Record<string, string>;
}

export function sortedNames(list: ResourceList): string[] {
  return [...list.keys()].sort();
}

/** The sum by name; a name that only one has keeps its amount. */
export function addLists(a: ResourceList, b: ResourceList): Map<string, Quantity> {
  const sum = new Map(a);
  for (const [name, amount] of b) {
    const own = sum.get(name);
    sum.set(name, own === undefined ? amount : addQuantities(own, amount));
  }
  return sum;
}

/** The larger amount by name. */
export function maxLists(...lists: ResourceList[]): Map<string, Quantity> {
  const max = new Map<string, Quantity>();
  for (const list of lists) {
    for (const [name, amount] of list) {
      const own = max.get(name);
      if (own === undefined || compareQuantities(amount, own) > 0) max.set(name, amount);
    }
  }
  return max;
}

/** `a` less `b` by name, never below zero. Names that only `b` has are zero. */
export function subtractListsToZero(a: ResourceList, b: ResourceList): Map<string, Quantity> {
  const rest = new Map<string, Quantity>();
  for (const [name, amount] of a) {
    const less = subtractQuantities(amount, b.get(name) ?? zero);
    rest.set(name, signOf(less) < 0 ? { ...zero, format: amount.format } : less);
  }
  for (const name of b.keys()) if (!rest.has(name)) rest.set(name, zero);
  return rest;
}

/** The entries whose names are wanted. */
export function maskList(list: ResourceList, names: Iterable<string>): Map<string, Quantity> {
  const wanted = new Set(names);
  return new Map([...list].filter(([name]) => wanted.has(name)));
}

export function withoutZeros(list: ResourceList): Map<string, Quantity> {
  return new Map([...list].filter(([, amount]) => signOf(amount) !== 0));
}

export function negativeNames(list: ResourceList): string[] {
  return [...list].flatMap(([name, amount]) => (signOf(amount) < 0 ? [name] : []));
}

/** The names of which `list` has more than `limits`; a name without a limit is not limited. */
export function exceededNames(list: ResourceList, limits: ResourceList): string[] {
  return [...list].flatMap(([name, amount]) => {
    const limit = limits.get(name);
    return limit !== undefined && compareQuantities(amount, limit) > 0 ? [name] : [];
  });
}

export function listsEqual(a: ResourceList, b: ResourceList): boolean {
  if (a.size !== b.size) return false;
  return [...a].every(([name, amount]) => {
    const other = b.get(name);
    return other !== undefined && compareQuantities(amount, other) === 0;
  });
}

/** `cpu=500m,pods=1`, in order of names. COMPAT: the form of quota messages. */
export function formatResourceList(list: ResourceList): string {
  return sortedNames(list)
    .map((name) => `${name}=${formatQuantity(list.get(name) ?? zero)}`)
    .join(',');
}
