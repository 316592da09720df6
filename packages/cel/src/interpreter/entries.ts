/**
 * Entries of literals: which keys a map can have, and what `?` before an entry asks for.
 */

import { celError } from '../values/error.ts';
import { toMapKey } from '../values/map.ts';
import { isOptional } from '../values/value.ts';
import type { CelError, CelValue } from '../values/value.ts';
import { formatValue } from '../values/value-text.ts';

/** An entry as it was written. */
export interface NewEntry {
  readonly key: CelValue;
  readonly value: CelValue;
  readonly isOptional: boolean;
}

/** Adds an entry to those of a new map; an error if it cannot be. `seen` holds the keys so far. */
export function addEntry(
  entries: (readonly [CelValue, CelValue])[],
  seen: Set<unknown>,
  { key, value, isOptional: mayBeAbsent }: NewEntry,
): CelError | undefined {
  const normal = typeof key === 'number' ? undefined : toMapKey(key);
  if (normal === undefined) return celError('unsupported key type');
  let present = value;
  if (mayBeAbsent) {
    if (!isOptional(value)) return nonOptionalEntry(formatValue(key), value);
    if (value.value === undefined) return undefined;
    present = value.value;
  }
  if (seen.has(normal)) return celError('Failed with repeated key');
  seen.add(normal);
  entries.push([key, present]);
  return undefined;
}

/** What is behind `?` is no optional. */
export function nonOptionalEntry(key: string, value: CelValue): CelError {
  const text = formatValue(value);
  return celError(`cannot initialize optional entry '${key}' from non-optional value ${text}`);
}
