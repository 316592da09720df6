// The token of `Authorization: Bearer <token>`. A header of another scheme is no credential; a
// token that nobody recognises is a bad one.

import type { AuthenticationResult, Authenticator, TokenAuthenticator } from './authenticator.ts';
import { everyHeaderValue } from './headers.ts';
import { recordAuthentication, rejected } from './union.ts';

const invalidBearerToken = 'invalid bearer token';
const extraSpaceWarning =
  'the provided Authorization header contains extra space before the bearer token, and is ignored';

/** Asks `tokens` about the bearer token of a request, for the server's own `audiences`. */
export function createBearerTokenAuthenticator(
  tokens: TokenAuthenticator,
  audiences: readonly string[],
): Authenticator {
  const name = 'bearer-token';
  return {
    name,
    async authenticate(request, trace) {
      const headers = everyHeaderValue(request, 'authorization');
      if (headers.length > 1) {
        // SECURITY: a proxy in front may have looked at another one of them.
        const result = { ...rejected('several Authorization headers'), check: 'form' };
        if (trace.enabled) recordAuthentication(trace, name, result);
        return result;
      }
      const parsed = parseAuthorization(headers[0]);
      if (parsed.token === undefined) {
        const result: AuthenticationResult = parsed.extraSpace
          ? {
              outcome: 'no-credential',
              warnings: [extraSpaceWarning],
              reason: 'there is more than one space before the token',
            }
          : { outcome: 'no-credential', reason: 'there is no bearer token' };
        if (trace.enabled) recordAuthentication(trace, name, result);
        return result;
      }
      return recognised(await tokens.authenticateToken(parsed.token, audiences, trace));
    },
  };
}

/** A token that no authenticator has an opinion on is invalid. */
export function recognised(result: AuthenticationResult): AuthenticationResult {
  return result.outcome === 'no-credential' ? rejected(invalidBearerToken) : result;
}

// `Bearer`, one space, the token; anything after another space is ignored.
function parseAuthorization(header: string | undefined): {
  token: string | undefined;
  extraSpace: boolean;
} {
  const text = header?.trim() ?? '';
  const parts = text.split(' ');
  if (parts.length < 2 || parts[0]?.toLowerCase() !== 'bearer')
    return { token: undefined, extraSpace: false };
  const token = parts[1];
  return token === ''
    ? { token: undefined, extraSpace: parts.length > 2 }
    : { token, extraSpace: false };
}
