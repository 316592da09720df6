/**
 * Regular expressions in RE2 syntax, matched in linear time.
 *
 * SECURITY: patterns come from users, so no backtracking engine may see them. Compiled patterns are
 * kept, the most recent ones only, since the same few are used over and over.
 */

import { RE2JS, RE2JSException } from 're2js';

/** A compiled pattern. */
export type Regex = ReturnType<typeof RE2JS.compile>;

const cacheMax = 256;
const cache = new Map<string, Regex>();

/** The compiled pattern, or the text of what is wrong with it (in Go's words). */
export function compileRegex(pattern: string): Regex | string {
  const known = cache.get(pattern);
  if (known !== undefined) {
    cache.delete(pattern);
    cache.set(pattern, known);
    return known;
  }
  try {
    const regex = RE2JS.compile(pattern);
    if (cache.size >= cacheMax) {
      for (const oldest of cache.keys()) {
        cache.delete(oldest);
        break;
      }
    }
    cache.set(pattern, regex);
    return regex;
  } catch (error) {
    if (error instanceof RE2JSException) return error.message;
    throw error;
  }
}
