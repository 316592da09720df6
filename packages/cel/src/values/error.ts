/**
 * Errors as values, and the texts that many functions share. COMPAT: clients match on these texts,
 * so they are cel-go's, word for word.
 */

import type { CelError } from './value.ts';

/** A failed evaluation with this text. */
export function celError(message: string): CelError {
  return { kind: 'error', message };
}

/** An error that ends the program and that `||` and `&&` do not absorb: a limit was reached. */
export function fatalError(message: string): CelError {
  return { kind: 'error', message, fatal: true };
}

/** No overload of a function takes these arguments. */
export const noSuchOverload: CelError = celError('no such overload');

/** A result does not fit in int64. */
export const integerOverflow: CelError = celError('integer overflow');

/** A result does not fit in uint64. */
export const unsignedIntegerOverflow: CelError = celError('unsigned integer overflow');

/** A duration does not fit. */
export const durationOverflow: CelError = celError('duration overflow');

/** A timestamp lies outside years 1 to 9999. */
export const timestampOverflow: CelError = celError('timestamp overflow');

/** A map has no such key, or an object no value for a field. */
export function noSuchKey(key: string): CelError {
  return celError(`no such key: ${key}`);
}

/** A variable has no value. */
export function noSuchAttribute(name: string): CelError {
  return celError(`no such attribute(s): ${name}`);
}
