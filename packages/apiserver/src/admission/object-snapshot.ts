// Whether an object is as it was, asked after each mutating plugin of a request that is traced. Copies and
// compares nothing deeply: each object and list in it is remembered with its members, and looked through
// once. What was put in the place of another is the same when it is equal.

import { jsonEqual, type JsonValue } from '@keelson/apimachinery';

export interface ObjectSnapshot {
  isUnchanged(object: unknown): boolean;
}

interface Remembered {
  readonly node: Readonly<Record<string, unknown>>;
  readonly keys: readonly string[];
  readonly values: readonly unknown[];
}

export function takeSnapshot(object: unknown): ObjectSnapshot {
  const all: Remembered[] = [];
  remember(object, all);
  return {
    isUnchanged: (now) => isSame(now, object) && all.every(isAsRemembered),
  };
}

/** The largest part of many objects, and none that plugins change; looked at as a whole. */
const ownedByServer = 'managedFields';

/** A list is an object whose keys are numbers. */
function remember(value: unknown, all: Remembered[]): void {
  if (typeof value !== 'object' || value === null) return;
  const node = value as Readonly<Record<string, unknown>>;
  const keys = Object.keys(node);
  const values = keys.map((key) => node[key]);
  all.push({ node, keys, values });
  for (let i = 0; i < keys.length; i++) if (keys[i] !== ownedByServer) remember(values[i], all);
}

function isAsRemembered({ node, keys, values }: Remembered): boolean {
  let count = 0;
  for (const _key in node) count++;
  if (count !== keys.length) return false;
  for (let i = 0; i < keys.length; i++) if (!isSame(node[keys[i] ?? ''], values[i])) return false;
  return true;
}

function isSame(now: unknown, then: unknown): boolean {
  if (now === then) return true;
  return typeof now === 'object' && jsonEqual(now as JsonValue, then as JsonValue);
}
