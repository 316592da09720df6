// A token is meant for somebody: its audiences. A token for a vault must not open the API server,
// and the other way round.

import type { TokenAuthenticator } from './authenticator.ts';
import { recordAuthentication } from './union.ts';

/** Members of `audiences` that stand in `wanted` too, in their order. */
export function intersectAudiences(
  audiences: readonly string[],
  wanted: readonly string[],
): string[] {
  return audiences.filter((audience) => wanted.includes(audience));
}

/**
 * `delegate`, whose tokens name no audience and are therefore meant for the API server: questions
 * on behalf of others are not answered.
 */
export function withAudiences(
  delegate: TokenAuthenticator,
  apiAudiences: readonly string[],
): TokenAuthenticator {
  return {
    name: delegate.name,
    async authenticateToken(token, audiences, trace) {
      const shared = intersectAudiences(apiAudiences, audiences);
      if (shared.length === 0 && apiAudiences.length > 0) {
        const reason = 'these tokens are meant for the API server, which was not asked for';
        const result = { outcome: 'no-credential', reason } as const;
        if (trace.enabled) recordAuthentication(trace, delegate.name, result);
        return result;
      }
      const result = await delegate.authenticateToken(token, audiences, trace);
      return result.outcome === 'authenticated' ? { ...result, audiences: shared } : result;
    },
  };
}
