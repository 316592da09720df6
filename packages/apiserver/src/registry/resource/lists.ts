// Bounded lists and maps of resource.k8s.io: too many entries are reported once, and each entry is
// still checked.

import { fieldError } from '@keelson/apimachinery';
import { notLongerThan, type Errors } from '../validation/checks.ts';
import type { TextRule } from '../validation/names.ts';

export interface ListRules<T> {
  readonly path: string;
  /** No bound when absent. */
  readonly itemsMax?: number;
  check(item: T, path: string): void;
  /** What must differ between items; nothing when absent. */
  key?(item: T): string;
}

export function checkList<T>(
  errors: Errors,
  list: readonly T[] | null | undefined,
  { path, itemsMax, check, key }: ListRules<T>,
): void {
  const items = list ?? [];
  if (itemsMax !== undefined && items.length > itemsMax) {
    errors.push(fieldError.tooMany(path, items.length, itemsMax));
  }
  items.forEach((item, i) => check(item, `${path}[${i}]`));
  if (!key) return;
  const seen = new Set<string>();
  items.forEach((item, i) => {
    const id = key(item);
    if (seen.has(id)) errors.push(fieldError.duplicate(`${path}[${i}]`, id));
    seen.add(id);
  });
}

export interface MapRules<T> {
  readonly path: string;
  readonly entriesMax?: number;
  readonly keyBytesMax: number;
  checkKey(key: string, path: string): void;
  check(value: T, path: string): void;
}

/** Keys and values of a map, by sorted key; both at the path of the key. */
export function checkMap<T>(
  errors: Errors,
  map: Readonly<Record<string, T>> | undefined,
  { path, entriesMax, keyBytesMax, checkKey, check }: MapRules<T>,
): void {
  const keys = Object.keys(map ?? {}).sort();
  if (entriesMax !== undefined && keys.length > entriesMax) {
    errors.push(fieldError.tooMany(path, keys.length, entriesMax));
  }
  for (const key of keys) {
    const at = `${path}[${key}]`;
    checkKey(key, at);
    notLongerThan(errors, at, key, keyBytesMax);
    const value = map?.[key];
    if (value !== undefined) check(value, at);
  }
}

/** `Invalid value` with every sentence of a rule. */
export function checkName(errors: Errors, path: string, name: string, rule: TextRule): void {
  for (const why of rule(name)) errors.push(fieldError.invalid(path, name, why));
}
