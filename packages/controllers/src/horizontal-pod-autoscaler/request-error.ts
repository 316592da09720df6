// What is said of a request that failed.

import { isStatusError } from '@keelson/apimachinery';
import { errorText } from '../machinery/controller.ts';

/**
 * COMPAT: a server says no more of a path that it does not serve than that there is none; client-go
 * adds what was `requested`: a resource, or a resource and a name.
 */
export function requestErrorText(error: unknown, requested: string): string {
  const isUnserved = isStatusError(error, 'NotFound') && error.status.details?.name === undefined;
  return errorText(error) + (isUnserved ? ` (get ${requested})` : '');
}
