/**
 * `int()`, `uint()`, `double()`, `string()`, `bytes()`, `bool()`, `duration()`, `timestamp()`,
 * `dyn()` and `type()`. COMPAT: what texts are accepted, and how numbers print, is as in Go, for
 * cel-go's results are what users see.
 */

import { celTypes, typeParameter, typeType } from '../../types/type.ts';
import type { CelType } from '../../types/type.ts';
import { formatDuration, parseDuration } from '../../values/duration-text.ts';
import {
  celError,
  integerOverflow,
  timestampOverflow,
  unsignedIntegerOverflow,
} from '../../values/error.ts';
import { formatShortest, parseFloatText } from '../../values/number-text.ts';
import {
  celDuration,
  celTimestamp,
  celTypeValue,
  celUint,
  int64Max,
  int64Min,
  uint64Max,
} from '../../values/scalars.ts';
import {
  formatTimestamp,
  parseTimestamp,
  timestampMax,
  timestampMin,
} from '../../values/timestamp-text.ts';
import { typeOf } from '../../values/type-of.ts';
import type {
  CelDuration,
  CelResult,
  CelTimestamp,
  CelUint,
  CelValue,
} from '../../values/value.ts';
import { declareFunction, globalOverload } from '../library.ts';
import type { FunctionDeclaration, Overload } from '../library.ts';

const { bool, bytes, double, duration, dyn, int, string, timestamp, uint } = celTypes;
const billion = 1_000_000_000n;

/** The conversions. */
export const conversionFunctions: readonly FunctionDeclaration[] = [
  declareFunction(
    'int',
    identity('int64_to_int64', int),
    convert('uint64_to_int64', uint, int, (value: CelUint) =>
      value.value > int64Max ? integerOverflow : value.value,
    ),
    convert('double_to_int64', double, int, doubleToInt),
    convert('string_to_int64', string, int, stringToInt),
    convert(
      'timestamp_to_int64',
      timestamp,
      int,
      (value: CelTimestamp) =>
        (value.nanoseconds - (((value.nanoseconds % billion) + billion) % billion)) / billion,
    ),
    convert('duration_to_int64', duration, int, (value: CelDuration) => value.nanoseconds),
  ),
  declareFunction(
    'uint',
    identity('uint64_to_uint64', uint),
    convert('int64_to_uint64', int, uint, (value: bigint) =>
      value < 0n ? unsignedIntegerOverflow : celUint(value),
    ),
    convert('double_to_uint64', double, uint, doubleToUint),
    convert('string_to_uint64', string, uint, stringToUint),
  ),
  declareFunction(
    'double',
    identity('double_to_double', double),
    convert('int64_to_double', int, double, Number),
    convert('uint64_to_double', uint, double, (value: CelUint) => Number(value.value)),
    convert(
      'string_to_double',
      string,
      double,
      (value: string) => parseFloatText(value) ?? cannotConvert(string, double),
    ),
  ),
  declareFunction(
    'bool',
    identity('bool_to_bool', bool),
    convert('string_to_bool', string, bool, stringToBool),
  ),
  declareFunction(
    'bytes',
    identity('bytes_to_bytes', bytes),
    convert('string_to_bytes', string, bytes, (value: string) => new TextEncoder().encode(value)),
  ),
  declareFunction(
    'string',
    identity('string_to_string', string),
    convert('bool_to_string', bool, string, String),
    convert('bytes_to_string', bytes, string, bytesToString),
    convert('double_to_string', double, string, formatShortest),
    convert('duration_to_string', duration, string, (value: CelDuration) =>
      formatDuration(value.nanoseconds),
    ),
    convert('int64_to_string', int, string, String),
    convert('timestamp_to_string', timestamp, string, (value: CelTimestamp) =>
      formatTimestamp(value.nanoseconds),
    ),
    convert('uint64_to_string', uint, string, (value: CelUint) => String(value.value)),
  ),
  declareFunction(
    'duration',
    identity('duration_to_duration', duration),
    convert('int64_to_duration', int, duration, celDuration),
    convert('string_to_duration', string, duration, stringToDuration),
  ),
  declareFunction(
    'timestamp',
    identity('timestamp_to_timestamp', timestamp),
    convert('int64_to_timestamp', int, timestamp, intToTimestamp),
    convert('string_to_timestamp', string, timestamp, stringToTimestamp),
  ),
  declareFunction(
    'dyn',
    globalOverload('to_dyn', [[typeParameter('A')], dyn], (value: CelValue) => value),
  ),
  declareFunction(
    'type',
    globalOverload(
      'type',
      [[typeParameter('A')], typeType(typeParameter('A'))],
      (value: CelValue) => celTypeValue(typeOf(value)),
    ),
  ),
];

function identity(id: string, type: CelType): Overload {
  return globalOverload(id, [[type], type], (value: CelValue) => value);
}

function convert(id: string, from: CelType, to: CelType, invoke: Overload['invoke']): Overload {
  return globalOverload(id, [[from], to], invoke);
}

function cannotConvert(from: CelType, to: CelType): CelResult {
  return celError(`type conversion error from '${from.name}' to '${to.name}'`);
}

function doubleToInt(value: number): CelResult {
  // COMPAT: -2^63 would fit, and is refused with the rest.
  if (Number.isNaN(value) || value <= Number(int64Min) || value >= 2 ** 63) return integerOverflow;
  return BigInt(Math.trunc(value));
}

function doubleToUint(value: number): CelResult {
  if (Number.isNaN(value) || value < 0 || value >= 2 ** 64) return unsignedIntegerOverflow;
  return celUint(BigInt(Math.trunc(value)));
}

// Longer texts cannot be in range, and need no arithmetic to know it. Zeros may lead.
const digitsMax = 100;

function stringToInt(text: string): CelResult {
  if (!/^[+-]?\d+$/.test(text) || text.replace(/^[+-]?0*/, '').length > digitsMax) {
    return cannotConvert(string, int);
  }
  const magnitude = BigInt(text.replace(/^[+-]/, ''));
  const value = text.startsWith('-') ? -magnitude : magnitude;
  return value < int64Min || value > int64Max ? cannotConvert(string, int) : value;
}

function stringToUint(text: string): CelResult {
  if (!/^\d+$/.test(text) || text.replace(/^0*/, '').length > digitsMax) {
    return cannotConvert(string, uint);
  }
  const value = BigInt(text);
  return value > uint64Max ? cannotConvert(string, uint) : celUint(value);
}

function stringToBool(text: string): CelResult {
  if (/^(1|t|T|TRUE|true|True)$/.test(text)) return true;
  return /^(0|f|F|FALSE|false|False)$/.test(text) ? false : cannotConvert(string, bool);
}

function bytesToString(value: Uint8Array): CelResult {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(value);
  } catch (error) {
    // The decoder's way to say that these bytes are no text.
    if (error instanceof TypeError) {
      return celError('invalid UTF-8 in bytes, cannot convert to string');
    }
    throw error;
  }
}

function stringToDuration(text: string): CelResult {
  const nanoseconds = parseDuration(text);
  return nanoseconds === undefined ? cannotConvert(string, duration) : celDuration(nanoseconds);
}

function stringToTimestamp(text: string): CelResult {
  const nanoseconds = parseTimestamp(text);
  return nanoseconds === undefined ? cannotConvert(string, timestamp) : celTimestamp(nanoseconds);
}

function intToTimestamp(seconds: bigint): CelResult {
  const nanoseconds = seconds * billion;
  return nanoseconds < timestampMin || nanoseconds > timestampMax
    ? timestampOverflow
    : celTimestamp(nanoseconds);
}
