// Whether a status says what is stored already. The API leaves zero numbers, empty lists and empty
// texts out of what it stores, so they mean the same as nothing, but for the fields where nothing
// means that nobody has counted yet.

import { jsonEqual, type JsonValue } from '@keelson/apimachinery';

const keptWhenZero = new Set(['terminatingReplicas', 'terminating', 'ready']);

export function isSameStatus(stored: object | undefined, computed: object): boolean {
  return jsonEqual(withoutZeros(stored ?? {}), withoutZeros(computed));
}

function withoutZeros(value: unknown): JsonValue {
  if (Array.isArray(value)) return value.map(withoutZeros);
  if (typeof value !== 'object' || value === null) return value as JsonValue;
  const entries = Object.entries(value)
    .map(([key, member]) => [key, withoutZeros(member)] as const)
    .filter(([key, member]) => keptWhenZero.has(key) || !isZero(member));
  return Object.fromEntries(entries);
}

function isZero(value: JsonValue): boolean {
  return (
    value === undefined ||
    value === null ||
    value === 0 ||
    value === '' ||
    value === false ||
    (Array.isArray(value) && value.length === 0)
  );
}
