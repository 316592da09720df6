/**
 * Which values count as zero: what a field has when nothing was set.
 */

import type { CelValue } from './value.ts';

/** Null, false, 0, the empty string, list, map or bytes, and objects without set fields. */
export function isZeroValue(value: CelValue): boolean {
  switch (typeof value) {
    case 'boolean':
      return !value;
    case 'string':
      return value === '';
    case 'bigint':
      return value === 0n;
    case 'number':
      return value === 0;
    default:
      if (value === null) return true;
      return value instanceof Uint8Array ? value.length === 0 : isZeroObject(value);
  }
}

function isZeroObject(
  value: Exclude<CelValue, null | boolean | string | number | bigint | Uint8Array>,
): boolean {
  switch (value.kind) {
    case 'uint':
      return value.value === 0n;
    case 'duration':
    case 'timestamp':
      return value.nanoseconds === 0n;
    case 'list':
    case 'map':
      return value.size === 0;
    case 'object':
      for (const _field of value.fields()) return false;
      return true;
    case 'optional':
      return value.value === undefined;
    case 'opaque':
    case 'type':
      return false;
  }
}
