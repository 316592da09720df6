/**
 * `+ - * / %` and the unary minus. Integers do not wrap: what does not fit is an error.
 */

import { operators } from '../../operators.ts';
import { celTypes, listType, typeParameter } from '../../types/type.ts';
import {
  celError,
  durationOverflow,
  integerOverflow,
  timestampOverflow,
  unsignedIntegerOverflow,
} from '../../values/error.ts';
import { concatLists } from '../../values/list.ts';
import {
  celDuration,
  celTimestamp,
  celUint,
  int64Max,
  int64Min,
  uint64Max,
} from '../../values/scalars.ts';
import { timestampMax, timestampMin } from '../../values/timestamp-text.ts';
import type { CelDuration, CelList, CelResult, CelTimestamp, CelUint } from '../../values/value.ts';
import { declareFunction, globalOverload } from '../library.ts';
import type { FunctionDeclaration, Overload } from '../library.ts';

const { bytes, double, duration, int, string, timestamp, uint } = celTypes;
const divisionByZero = celError('division by zero');
const modulusByZero = celError('modulus by zero');

/** The arithmetic operators. */
export const arithmeticFunctions: readonly FunctionDeclaration[] = [
  declareFunction(
    operators.add,
    ints('add_int64', (a, b) => a + b),
    uints('add_uint64', (a, b) => a + b),
    doubles('add_double', (a, b) => a + b),
    globalOverload('add_string', [[string, string], string], (a: string, b: string) => a + b),
    globalOverload('add_bytes', [[bytes, bytes], bytes], concatBytes),
    globalOverload(
      'add_list',
      [[listType(typeParameter('A')), listType(typeParameter('A'))], listType(typeParameter('A'))],
      (a: CelList, b: CelList) => concatLists(a, b),
    ),
    durations('add_duration_duration', (a, b) => a + b),
    globalOverload(
      'add_duration_timestamp',
      [[duration, timestamp], timestamp],
      (a: CelDuration, b: CelTimestamp) => toTimestamp(a.nanoseconds + b.nanoseconds),
    ),
    globalOverload(
      'add_timestamp_duration',
      [[timestamp, duration], timestamp],
      (a: CelTimestamp, b: CelDuration) => toTimestamp(a.nanoseconds + b.nanoseconds),
    ),
  ),
  declareFunction(
    operators.subtract,
    ints('subtract_int64', (a, b) => a - b),
    uints('subtract_uint64', (a, b) => a - b),
    doubles('subtract_double', (a, b) => a - b),
    durations('subtract_duration_duration', (a, b) => a - b),
    globalOverload(
      'subtract_timestamp_duration',
      [[timestamp, duration], timestamp],
      (a: CelTimestamp, b: CelDuration) => toTimestamp(a.nanoseconds - b.nanoseconds),
    ),
    globalOverload(
      'subtract_timestamp_timestamp',
      [[timestamp, timestamp], duration],
      (a: CelTimestamp, b: CelTimestamp) => toDuration(a.nanoseconds - b.nanoseconds),
    ),
  ),
  declareFunction(
    operators.multiply,
    ints('multiply_int64', (a, b) => a * b),
    uints('multiply_uint64', (a, b) => a * b),
    doubles('multiply_double', (a, b) => a * b),
  ),
  declareFunction(
    operators.divide,
    intsByNonZero('divide_int64', divisionByZero, (a, b) => a / b),
    uintsByNonZero('divide_uint64', divisionByZero, (a, b) => a / b),
    doubles('divide_double', (a, b) => a / b),
  ),
  declareFunction(
    operators.modulo,
    intsByNonZero('modulo_int64', modulusByZero, (a, b) => a % b),
    uintsByNonZero('modulo_uint64', modulusByZero, (a, b) => a % b),
  ),
  declareFunction(
    operators.negate,
    globalOverload('negate_int64', [[int], int], (a: bigint) => toInt(-a)),
    globalOverload('negate_double', [[double], double], (a: number) => -a),
  ),
];

function ints(id: string, compute: (a: bigint, b: bigint) => bigint): Overload {
  return globalOverload(id, [[int, int], int], (a: bigint, b: bigint) => toInt(compute(a, b)));
}

function intsByNonZero(
  id: string,
  byZero: CelResult,
  compute: (a: bigint, b: bigint) => bigint,
): Overload {
  return globalOverload(id, [[int, int], int], (a: bigint, b: bigint) => {
    if (b === 0n) return byZero;
    // Also of the remainder, which would be 0.
    return a === int64Min && b === -1n ? integerOverflow : compute(a, b);
  });
}

function uints(id: string, compute: (a: bigint, b: bigint) => bigint): Overload {
  return globalOverload(id, [[uint, uint], uint], (a: CelUint, b: CelUint) => {
    const value = compute(a.value, b.value);
    return value < 0n || value > uint64Max ? unsignedIntegerOverflow : celUint(value);
  });
}

function uintsByNonZero(
  id: string,
  byZero: CelResult,
  compute: (a: bigint, b: bigint) => bigint,
): Overload {
  return globalOverload(id, [[uint, uint], uint], (a: CelUint, b: CelUint) =>
    b.value === 0n ? byZero : celUint(compute(a.value, b.value)),
  );
}

function doubles(id: string, compute: (a: number, b: number) => number): Overload {
  return globalOverload(id, [[double, double], double], compute);
}

function durations(id: string, compute: (a: bigint, b: bigint) => bigint): Overload {
  return globalOverload(id, [[duration, duration], duration], (a: CelDuration, b: CelDuration) =>
    toDuration(compute(a.nanoseconds, b.nanoseconds)),
  );
}

function toInt(value: bigint): CelResult {
  return value < int64Min || value > int64Max ? integerOverflow : value;
}

function toDuration(nanoseconds: bigint): CelResult {
  return nanoseconds < int64Min || nanoseconds > int64Max
    ? durationOverflow
    : celDuration(nanoseconds);
}

function toTimestamp(nanoseconds: bigint): CelResult {
  return nanoseconds < timestampMin || nanoseconds > timestampMax
    ? timestampOverflow
    : celTimestamp(nanoseconds);
}

function concatBytes(a: Uint8Array, b: Uint8Array): Uint8Array {
  const joined = new Uint8Array(a.length + b.length);
  joined.set(a);
  joined.set(b, a.length);
  return joined;
}
