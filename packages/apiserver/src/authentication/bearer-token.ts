// The token of `Authorization: Bearer <token>`. A header of another scheme is no credential; a
// token that nobody recognises is a bad one.

import type { AuthenticationResult, Authenticator, TokenAuthenticator } from './authenticator.ts';
import { recordAuthentication, rejected } from './union.ts';

export const invalidBearerToken = 'invalid bearer token';
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
      const parsed = parseAuthorization(request.headers['authorization']);
      if (parsed.token === undefined) {
        const result: AuthenticationResult = parsed.extraSpace
          ? { outcome: 'no-credential', warnings: [extraSpaceWarning] }
          : { outcome: 'no-credential' };
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
function parseAuthorization(header: string | string[] | undefined): {
  token: string | undefined;
  extraSpace: boolean;
} {
  const text = (Array.isArray(header) ? header[0] : header)?.trim() ?? '';
  const parts = text.split(' ');
  if (parts.length < 2 || parts[0]?.toLowerCase() !== 'bearer')
    return { token: undefined, extraSpace: false };
  const token = parts[1];
  return token === ''
    ? { token: undefined, extraSpace: parts.length > 2 }
    : { token, extraSpace: false };
}
