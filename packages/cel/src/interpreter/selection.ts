/**
 * Reading fields, keys and elements: `a.b`, `a[b]`, `a.?b`, `a[?b]` and `has(a.b)`.
 *
 * Behind an optional everything is optional: a missing field is then `optional.none()`, not an
 * error.
 */

import { celError, noSuchKey } from '../values/error.ts';
import { indexOutOfBounds } from '../values/list.ts';
import { optionalNone, optionalOf } from '../values/scalars.ts';
import { typeOf } from '../values/type-of.ts';
import { isError, isOptional, kindOf } from '../values/value.ts';
import type { CelList, CelResult, CelValue } from '../values/value.ts';
import { formatValue } from '../values/value-text.ts';

/** A value, an error, or undefined where there is nothing at all. */
export type Selected = CelResult | undefined;

/** `operand[key]`; a missing one is an error, or none behind an optional. */
export function select(operand: CelResult, key: CelValue): CelResult {
  if (isError(operand)) return operand;
  if (isOptional(operand)) return selectOptionally(operand, key);
  const found = find(operand, key);
  if (found !== undefined) return found;
  return kindOf(operand) === 'list' ? indexOutOfBounds(toIndex(key)) : noSuchKey(formatValue(key));
}

/** `operand[?key]`: always an optional. */
export function selectOptionally(operand: CelResult, key: CelValue): CelResult {
  if (isError(operand)) return operand;
  const content = isOptional(operand) ? operand.value : operand;
  if (content === undefined) return optionalNone;
  const found = find(content, key);
  if (found === undefined) return optionalNone;
  return isError(found) ? found : optionalOf(found);
}

/** `has(operand.field)`. */
export function isPresent(operand: CelResult, field: string): CelResult {
  if (isError(operand)) return operand;
  const content = isOptional(operand) ? operand.value : operand;
  if (content === undefined || content === null || typeof content !== 'object') return false;
  if (content instanceof Uint8Array) return false;
  if (content.kind === 'map') return content.get(field) !== undefined;
  return content.kind === 'object' && content.has(field);
}

function find(operand: CelValue, key: CelValue): Selected {
  if (operand === null || typeof operand !== 'object' || operand instanceof Uint8Array) {
    return undefined;
  }
  switch (operand.kind) {
    case 'map':
      return operand.get(key);
    case 'list':
      return element(operand, key);
    case 'object':
      return typeof key === 'string' ? operand.get(key) : undefined;
    default:
      return undefined;
  }
}

function element(list: CelList, key: CelValue): Selected {
  const index = toIndex(key);
  if (typeof index !== 'bigint') {
    const problem =
      kindOf(key) === 'double' ? `value ${formatValue(key)}` : `type '${typeOf(key).name}'`;
    return celError(`unsupported index ${problem} in list`);
  }
  return index < 0n || index >= list.size ? undefined : list.get(Number(index));
}

function toIndex(key: CelValue): bigint | number {
  if (typeof key === 'bigint') return key;
  if (typeof key === 'number') return Number.isInteger(key) ? BigInt(key) : key;
  if (typeof key === 'object' && key !== null && 'kind' in key && key.kind === 'uint') {
    return key.value;
  }
  return Number.NaN;
}
