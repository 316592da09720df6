// Numbers that may be given as a percentage: `maxSurge`, `maxUnavailable`, `minAvailable`.

import { fieldError } from '@keelson/apimachinery';
import { conforms, nonNegative, type Errors } from './checks.ts';
import { percent } from './names.ts';

export type IntOrString = number | bigint | string;

/** A number that is not negative, or a percentage. */
export function nonNegativeIntOrPercent(errors: Errors, path: string, value: IntOrString): boolean {
  return typeof value === 'string'
    ? conforms(errors, path, value, percent)
    : nonNegative(errors, path, value);
}

/** The number before the `%`; undefined for a plain number and for text that is no percentage. */
function percentOf(value: IntOrString | undefined): number | undefined {
  if (typeof value !== 'string' || percent(value).length > 0) return undefined;
  return Number(value.slice(0, -1));
}

export function atMost100Percent(errors: Errors, path: string, value: IntOrString): boolean {
  const share = percentOf(value);
  if (share === undefined || share <= 100) return true;
  errors.push(fieldError.invalid(path, value, 'must not be greater than 100%'));
  return false;
}

/** True for `0` and `0%`, but not for absent. */
export function isZeroOrZeroPercent(value: IntOrString | undefined): boolean {
  if (value === undefined) return false;
  return typeof value === 'string' ? percentOf(value) === 0 : Number(value) === 0;
}
