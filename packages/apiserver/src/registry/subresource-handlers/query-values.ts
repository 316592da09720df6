// Values of connect options in a query, as Kubernetes' conversions read them.

import { canonicalTime, statusErrors } from '@keelson/apimachinery';

/** A boolean: everything but `false` and `0` is true once it is there. */
export function isGiven(query: URLSearchParams, name: string): boolean {
  const value = query.get(name);
  return value !== null && !['false', '0'].includes(value.toLowerCase());
}

/** The canonical text of an RFC 3339 time; undefined when there is none. Throws Go's message as 400. */
export function queryTime(text: string | null): string | undefined {
  if (text === null || text === '' || text === 'null') return undefined;
  try {
    return canonicalTime(text);
  } catch (error) {
    throw statusErrors.badRequest(error instanceof Error ? error.message : String(error));
  }
}
