// Writes JSON as Go's encoding/json does: `<`, `>`, `&` and the line separators of JavaScript are
// escaped, keys stand in the order in which the object has them, 64 bit integers are exact.

import type { JsonValue } from '../json.ts';

const htmlUnsafe = /[<>&\u2028\u2029]/;
const htmlUnsafeAll = /[<>&\u2028\u2029]/g;
const escapes: Readonly<Record<string, string>> = {
  '<': '\\u003c',
  '>': '\\u003e',
  '&': '\\u0026',
  '\u2028': '\\u2028',
  '\u2029': '\\u2029',
};

/** The bytes of a JSON value (an API object, a list, a status); no line break at the end. */
export function encodeJson(value: unknown): Uint8Array {
  return Buffer.from(encodeJsonText(value));
}

/** The same as text. Fields that are undefined are left out. */
export function encodeJsonText(value: unknown): string {
  const text = plainJsonText(value);
  return htmlUnsafe.test(text) ? text.replace(htmlUnsafeAll, (c) => escapes[c] ?? c) : text;
}

/** The same without the escapes that only HTML needs. */
export function plainJsonText(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch (error) {
    // Integers beyond 2^53 are rare, and only they make it throw.
    if (error instanceof TypeError) return JSON.stringify(value, exactIntegers);
    throw error;
  }
}

function exactIntegers(_key: string, value: JsonValue): unknown {
  return typeof value === 'bigint' ? JSON.rawJSON(value.toString()) : value;
}
