/**
 * The scalars that JavaScript lacks, and the bounds of the integers.
 */

import type { CelType } from '../types/type.ts';
import type {
  CelDuration,
  CelOptional,
  CelTimestamp,
  CelTypeValue,
  CelUint,
  CelValue,
} from './value.ts';

export const int64Min: bigint = -(2n ** 63n);
export const int64Max: bigint = 2n ** 63n - 1n;
export const uint64Max: bigint = 2n ** 64n - 1n;

/** A uint. The caller has checked that it is within 0 to 2^64-1. */
export function celUint(value: bigint): CelUint {
  return { kind: 'uint', value };
}

/** A duration. The caller has checked that it is within int64. */
export function celDuration(nanoseconds: bigint): CelDuration {
  return { kind: 'duration', nanoseconds };
}

/** An instant. The caller has checked that it is within years 1 to 9999. */
export function celTimestamp(nanoseconds: bigint): CelTimestamp {
  return { kind: 'timestamp', nanoseconds };
}

/** A type as a value. */
export function celTypeValue(type: CelType): CelTypeValue {
  return { kind: 'type', type };
}

/** `optional.of(value)`. */
export function optionalOf(value: CelValue): CelOptional {
  return { kind: 'optional', value };
}

/** `optional.none()`. */
export const optionalNone: CelOptional = { kind: 'optional', value: undefined };
