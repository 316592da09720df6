// How the values of flags are read, whichever file declares them.

import { parseGoDurationMs } from '@keelson/apiserver';
import { InvalidArgumentError } from 'commander';

export function parseBoolean(text: string): boolean {
  if (text === 'true' || text === 'false') return text === 'true';
  throw new InvalidArgumentError('true or false.');
}

/** Milliseconds of a Go duration. */
export function parseDuration(text: string): number {
  const ms = parseGoDurationMs(text);
  if (ms === undefined) throw new InvalidArgumentError('a duration is needed, such as 1m0s.');
  return ms;
}

/** Milliseconds of a Go duration above zero. */
export function parsePositiveDuration(text: string): number {
  const ms = parseGoDurationMs(text);
  if (ms === undefined || ms <= 0)
    throw new InvalidArgumentError('a duration is needed, such as 8760h0m0s.');
  return ms;
}
