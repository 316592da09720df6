// JSON values as the API server holds them. Numbers are `number`, except integers outside the
// safe range, which decoders keep as `bigint` so that int64 fields survive exactly.

export type JsonScalar = string | number | bigint | boolean | null;
export type JsonValue = JsonScalar | JsonArray | JsonObject;
export type JsonArray = JsonValue[];
export interface JsonObject {
  [key: string]: JsonValue | undefined;
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

declare global {
  interface JSON {
    /**
     * Wraps number text so that `JSON.stringify` writes it as it stands (ECMAScript
     * proposal-json-parse-with-source).
     */
    rawJSON(text: string): unknown;
  }
}

/**
 * The own property, never an inherited one.
 * SECURITY: keys come from clients, so `__proto__` and `constructor` are keys like any other.
 */
export function getOwn(object: JsonObject, key: string): JsonValue | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

/** Sets an own property; `__proto__` becomes one too instead of changing the prototype. */
export function setOwn(object: JsonObject, key: string, value: JsonValue | undefined): void {
  if (key !== '__proto__') object[key] = value;
  else {
    const property = { value, writable: true, enumerable: true, configurable: true };
    Object.defineProperty(object, key, property);
  }
}

/**
 * A deep copy of a JSON-shaped value, which may be typed as an object of the API. Several times
 * faster than `structuredClone`, which leaves JavaScript for it.
 */
export function copyJson<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(copyJson) as T;
  const copy: JsonObject = {};
  for (const key in value) setOwn(copy, key, copyJson(value[key]) as JsonValue | undefined);
  return copy as T;
}

/** Deep equality of two values; the order of keys does not count, an undefined member is absent. */
export function jsonEqual(a: JsonValue | undefined, b: JsonValue | undefined): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a)) {
    if (!Array.isArray(b) || a.length !== b.length) return false;
    for (let i = 0; i < a.length; i++) if (!jsonEqual(a[i], b[i])) return false;
    return true;
  }
  if (Array.isArray(b)) return false;
  const keys = Object.keys(a);
  let members = 0;
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i] ?? '';
    const value = a[key];
    if (value === undefined) continue;
    members++;
    if (!Object.hasOwn(b, key) || !jsonEqual(value, b[key])) return false;
  }
  for (const key in b) if (b[key] !== undefined) members--;
  return members === 0;
}
