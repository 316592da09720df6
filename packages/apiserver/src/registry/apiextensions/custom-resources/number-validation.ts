// Bounds of numbers. COMPAT: with integers, a bound or factor counts as the integer it truncates
// to, as the real validator converts it.

import { fieldError, type FieldError } from '@keelson/apimachinery';
import { childPath, shownPath } from '../schema/field-path.ts';
import type { JsonSchema } from '../schema/json-schema.ts';
import type { Result } from './validation-result.ts';

export interface NumberPlace {
  readonly schema: JsonSchema;
  /** The first type of the schema, or empty. */
  readonly type: string;
  readonly format: string;
  readonly path: string;
}

type Numeric = number | bigint;

const int32Range = [-(2n ** 31n), 2n ** 31n - 1n] as const;
const int64Range = [-(2n ** 63n), 2n ** 63n - 1n] as const;

export function checkNumber(result: Result, value: Numeric, place: NumberPlace): void {
  const { schema, path } = place;
  checkRange(result, value, 'Checked', place);
  const add = (why: string) => {
    const text = `${path} in body ${why}`;
    const build = (at: string): FieldError => fieldError.invalid(at, value, text);
    result.add({
      text,
      toError: (prefix) => build(path === '' ? shownPath(prefix) : childPath(prefix, path)),
    });
  };
  const { multipleOf, minimum, maximum } = schema;
  if (multipleOf !== undefined) {
    checkRange(result, multipleOf, 'MultipleOf', place);
    if (!isMultiple(value, multipleOf))
      add(`should be a multiple of ${asBound(value, multipleOf)}`);
  }
  if (minimum !== undefined) {
    checkRange(result, minimum, 'Minimum boundary', place);
    const bound = asBound(value, minimum);
    const low = schema.exclusiveMinimum ? value <= bound : value < bound;
    if (low) add(`should be greater than ${schema.exclusiveMinimum ? '' : 'or equal to '}${bound}`);
  }
  if (maximum !== undefined) {
    checkRange(result, maximum, 'Maximum boundary', place);
    const bound = asBound(value, maximum);
    const high = schema.exclusiveMaximum ? value >= bound : value > bound;
    if (high) add(`should be less than ${schema.exclusiveMaximum ? '' : 'or equal to '}${bound}`);
  }
}

/** A number that its declared type cannot hold; the finding names no field. */
function checkRange(result: Result, value: Numeric, what: string, place: NumberPlace): void {
  const { type, format, path } = place;
  if (type === 'integer') {
    const [min, max] = format === 'int32' ? int32Range : int64Range;
    if (isInteger(value) && value >= min && value <= max) return;
  } else if (format !== 'float' || Math.abs(Number(value)) <= 3.4028234663852886e38) {
    return;
  }
  const shown = format === '' ? ' (default format)' : ` with format ${format}`;
  const text = `${what} value must be of type ${type}${shown} in ${path}`;
  result.add({ text, toError: (prefix) => fieldError.invalid(shownPath(prefix), '', text) });
}

function isInteger(value: Numeric): boolean {
  return typeof value === 'bigint' || Number.isInteger(value);
}

function asBound(value: Numeric, bound: Numeric): Numeric {
  return isInteger(value) && typeof bound === 'number' ? Math.trunc(bound) : bound;
}

function isMultiple(value: Numeric, factor: Numeric): boolean {
  const bound = asBound(value, factor);
  // A factor below one truncates to zero; then the quotient decides, as for fractions.
  if (!isInteger(value) || bound === 0 || bound === 0n) {
    const quotient = Number(value) / Number(factor);
    return Math.abs(quotient - Math.round(quotient)) < 1e-9;
  }
  return BigInt(value) % BigInt(bound) === 0n;
}
