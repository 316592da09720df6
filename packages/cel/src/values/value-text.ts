/**
 * Values as errors print them.
 */

import { formatDuration } from './duration-text.ts';
import { formatShortest } from './number-text.ts';
import { formatTimestamp } from './timestamp-text.ts';
import { kindOf } from './value.ts';
import type { CelValue } from './value.ts';

/** A scalar as it is, anything else by its kind. */
export function formatValue(value: CelValue): string {
  switch (typeof value) {
    case 'string':
      return value;
    case 'number':
      return formatShortest(value);
    case 'bigint':
    case 'boolean':
      return String(value);
    default:
      if (value === null) return 'null';
      return value instanceof Uint8Array ? 'bytes' : formatObject(value);
  }
}

function formatObject(
  value: Exclude<CelValue, null | boolean | string | number | bigint | Uint8Array>,
): string {
  switch (value.kind) {
    case 'uint':
      return String(value.value);
    case 'timestamp':
      return formatTimestamp(value.nanoseconds);
    case 'duration':
      return formatDuration(value.nanoseconds);
    case 'type':
      return value.type.name;
    default:
      return kindOf(value);
  }
}
