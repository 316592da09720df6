// Paths of files that end up inside a container or on a node. `..` would let a pod reach out of the
// folder that it was given, so it is refused wherever a path is joined to another one.

import { fieldError } from '@keelson/apimachinery';
import type { Errors } from './checks.ts';

/** No element of the path is `..`. */
export function noBacksteps(errors: Errors, path: string, value: string): boolean {
  if (!value.split('/').includes('..')) return true;
  errors.push(fieldError.invalid(path, value, "must not contain '..'"));
  return false;
}

/** Relative, without `..`. */
export function localDescendingPath(errors: Errors, path: string, value: string): boolean {
  const before = errors.length;
  if (value.startsWith('/'))
    errors.push(fieldError.invalid(path, value, 'must be a relative path'));
  noBacksteps(errors, path, value);
  return errors.length === before;
}

/**
 * As `localDescendingPath`, and no name starts with `..`: kubelet's atomic writer uses such names.
 */
export function localNonReservedPath(errors: Errors, path: string, value: string): boolean {
  const before = errors.length;
  localDescendingPath(errors, path, value);
  if (value.startsWith('..') && !value.startsWith('../')) {
    errors.push(fieldError.invalid(path, value, "must not start with '..'"));
  }
  return errors.length === before;
}

const fileModeDetail = 'must be a number between 0 and 0777 (octal), both inclusive';

/** Permission bits of a file; an absent mode passes. */
export function fileMode(errors: Errors, path: string, mode: number | undefined): boolean {
  if (mode === undefined || (mode >= 0 && mode <= 0o777)) return true;
  errors.push(fieldError.invalid(path, mode, fileModeDetail));
  return false;
}
