// The answer to a request for which there is no place.

import type { DecisionStep } from '@keelson/apimachinery';
import { respondText } from '../../endpoints/respond.ts';
import type { RequestContext } from '../../request-context.ts';

/** COMPAT: plain text, not a Status; clients go by the code and Retry-After. */
export function refuseTooMany(
  context: RequestContext,
  retryAfterSeconds: number,
  step: DecisionStep,
): void {
  context.trace.record(step);
  context.response.setHeader('retry-after', String(retryAfterSeconds));
  respondText(context, 'Too many requests, please try again later.\n', 429);
}
