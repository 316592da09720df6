// Checks that every kind is put together from. A check adds its finding to the list it is given and
// says whether the value passed, so that a caller may stop there. Paths are plain strings made with
// template literals: V8 concatenates lazily, so a path that is never printed costs next to nothing.

import { fieldError, type FieldError } from '@keelson/apimachinery';
import { isSemanticallyEqual } from './equality.ts';
import { isLongerThan, rangeSentence, type TextRule } from './names.ts';

export type Errors = FieldError[];
/** A field of a typed object: an int64 may be a bigint. */
export type Integer = number | bigint;

/** Absent, null, the empty string and the empty list are missing. */
export function required(errors: Errors, path: string, value: unknown, detail = ''): boolean {
  if (!isMissing(value)) return true;
  errors.push(fieldError.required(path, detail));
  return false;
}

export function isMissing(value: unknown): boolean {
  if (value === undefined || value === null || value === '') return true;
  return Array.isArray(value) && value.length === 0;
}

/** The text obeys a rule of `names.ts`; one error per sentence. */
export function conforms(errors: Errors, path: string, value: string, rule: TextRule): boolean {
  const sentences = rule(value);
  for (const sentence of sentences) errors.push(fieldError.invalid(path, value, sentence));
  return sentences.length === 0;
}

/**
 * The value is one of `supported`; the error lists them in the order given, so give them in the
 * order in which Kubernetes prints them (mostly sorted). An absent value counts as the empty
 * string.
 */
export function oneOf(
  errors: Errors,
  path: string,
  value: string | undefined,
  supported: readonly string[],
): boolean {
  const actual = value ?? '';
  if (supported.includes(actual)) return true;
  errors.push(fieldError.notSupported(path, actual, supported));
  return false;
}

/** As `oneOf`, but a missing value is `Required value`. */
export function requiredOneOf(
  errors: Errors,
  path: string,
  value: string | undefined,
  supported: readonly string[],
): boolean {
  return required(errors, path, value) && oneOf(errors, path, value, supported);
}

/** `must be between <min> and <max>, inclusive`. An absent value passes. */
export function inRange(
  errors: Errors,
  path: string,
  value: Integer | undefined,
  [min, max]: readonly [number, number],
): boolean {
  if (value === undefined || (value >= min && value <= max)) return true;
  errors.push(fieldError.invalid(path, value, rangeSentence(min, max)));
  return false;
}

export const portRange = [1, 65535] as const;
export const idRange = [0, 2147483647] as const;

/** `must be greater than or equal to 0`. An absent value passes. */
export function nonNegative(errors: Errors, path: string, value: Integer | undefined): boolean {
  if (value === undefined || value >= 0) return true;
  errors.push(fieldError.invalid(path, value, 'must be greater than or equal to 0'));
  return false;
}

/** `must be greater than 0`. An absent value counts as zero. */
export function positive(errors: Errors, path: string, value: Integer | undefined): boolean {
  if (value !== undefined && value > 0) return true;
  errors.push(fieldError.invalid(path, value ?? 0, 'must be greater than 0'));
  return false;
}

/** `Too long: may not be more than <max> bytes`. */
export function notLongerThan(
  errors: Errors,
  path: string,
  value: string | undefined,
  bytesMax: number,
): boolean {
  if (value === undefined || !isLongerThan(value, bytesMax)) return true;
  errors.push(fieldError.tooLong(path, bytesMax));
  return false;
}

/** `Too many: <n>: must have at most <max> items`. */
export function atMost(
  errors: Errors,
  path: string,
  list: readonly unknown[] | undefined,
  itemsMax: number,
): boolean {
  if (list === undefined || list.length <= itemsMax) return true;
  errors.push(fieldError.tooMany(path, list.length, itemsMax));
  return false;
}

export const immutableDetail = 'field is immutable';

/** The field is what it was; absent, null and empty lists are the same. */
export function immutable(
  errors: Errors,
  path: string,
  [value, old]: readonly [unknown, unknown],
  detail = immutableDetail,
): boolean {
  if (isSemanticallyEqual(value, old)) return true;
  errors.push(fieldError.invalid(path, value, detail));
  return false;
}

/** Nothing in the list twice; `pathOf` names the path of the repeated item. */
export function unique(
  errors: Errors,
  values: readonly (string | number)[] | undefined,
  pathOf: (index: number) => string,
): boolean {
  const seen = new Set<string | number>();
  let passed = true;
  values?.forEach((value, index) => {
    if (seen.has(value)) {
      errors.push(fieldError.duplicate(pathOf(index), value));
      passed = false;
    }
    seen.add(value);
  });
  return passed;
}

/** The names of the given fields that the object has, in the order given: members of a union. */
export function presentFields(object: object, fields: readonly string[]): string[] {
  const record = object as Readonly<Record<string, unknown>>;
  return fields.filter((name) => record[name] !== undefined && record[name] !== null);
}
