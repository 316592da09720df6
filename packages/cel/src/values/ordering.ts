/**
 * The order of values that have one: numbers of any type among each other, strings by code point,
 * bytes, bools, timestamps and durations.
 */

import type { CelUint, CelValue } from './value.ts';

/** A number of any of the three types. */
export type CelNumber = bigint | number | CelUint;

/** Whether a value is an int, uint or double. */
export function isNumber(value: CelValue): value is CelNumber {
  if (typeof value === 'bigint' || typeof value === 'number') return true;
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'uint';
}

/**
 * Negative, zero or positive, as for sorting; undefined when one is NaN. COMPAT: an integer is
 * compared with a double as a double, so that large ones may lose their last digits.
 */
export function compareNumbers(left: CelNumber, right: CelNumber): number | undefined {
  const a = typeof left === 'object' ? left.value : left;
  const b = typeof right === 'object' ? right.value : right;
  if (typeof a !== typeof b) return compareNumbers(Number(a), Number(b));
  if (a < b) return -1;
  if (a > b) return 1;
  return Number.isNaN(a) || Number.isNaN(b) ? undefined : 0;
}

/** The order of two values of one ordered type, or of two numbers; undefined when there is none. */
export function compareValues(left: CelValue, right: CelValue): number | undefined {
  if (isNumber(left)) return isNumber(right) ? compareNumbers(left, right) : undefined;
  if (typeof left === 'string') {
    return typeof right === 'string' ? compareStrings(left, right) : undefined;
  }
  if (typeof left === 'boolean') {
    return typeof right === 'boolean' ? Number(left) - Number(right) : undefined;
  }
  if (left instanceof Uint8Array) {
    return right instanceof Uint8Array ? compareBytes(left, right) : undefined;
  }
  return compareTimes(left, right);
}

function compareTimes(left: CelValue, right: CelValue): number | undefined {
  if (typeof left !== 'object' || typeof right !== 'object') return undefined;
  if (left === null || right === null || !('kind' in left) || !('kind' in right)) return undefined;
  if (left.kind === 'timestamp' && right.kind === 'timestamp') {
    return compareNumbers(left.nanoseconds, right.nanoseconds);
  }
  if (left.kind === 'duration' && right.kind === 'duration') {
    return compareNumbers(left.nanoseconds, right.nanoseconds);
  }
  return undefined;
}

/** By code point, which for surrogates differs from JavaScript's own order. */
export function compareStrings(left: string, right: string): number {
  if (left === right) return 0;
  const length = Math.min(left.length, right.length);
  for (let index = 0; index < length; index++) {
    const a = left.charCodeAt(index);
    const b = right.charCodeAt(index);
    if (a !== b) return codeUnitRank(a) - codeUnitRank(b);
  }
  return left.length - right.length;
}

// Surrogates stand for characters above all others.
function codeUnitRank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}

function compareBytes(left: Uint8Array, right: Uint8Array): number {
  const length = Math.min(left.length, right.length);
  for (let index = 0; index < length; index++) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}
