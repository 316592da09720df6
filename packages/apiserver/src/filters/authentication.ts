// Finds out who the caller is, or answers 401. The in-process transport names its user itself. From
// here on the request carries no credential and no assertion of an identity any more, whoever reads
// its headers later.

import { statusErrors } from '@keelson/apimachinery';
import {
  anonymousUser,
  type AuthenticationResult,
  type Authenticator,
  type UserInfo,
} from '../authentication/authenticator.ts';
import type { AuthenticationMetrics } from '../authentication/authentication-metrics.ts';
import { withoutIdentityHeaders, type IdentityHeaders } from '../authentication/headers.ts';
import type { Logger } from '../logger.ts';
import type { Filter } from '../request-pipeline.ts';
import type { RequestContext } from '../request-context.ts';

export interface AuthenticationFilterOptions {
  readonly authenticator: Authenticator;
  readonly metrics: AuthenticationMetrics;
  /** Told why a credential was refused; the client is not. */
  readonly logger: Logger;
  /** Headers of the authenticating proxy besides the standard ones. */
  readonly identityHeaders?: IdentityHeaders;
  /**
   * UnauthenticatedHTTP2DOSMitigation: who is not authenticated opens a connection for each request
   * that it sends over HTTP/2, so that a flood of streams costs the flooder something.
   */
  readonly endsAnonymousConnections?: boolean;
}

export function createAuthenticationFilter(options: AuthenticationFilterOptions): Filter {
  return {
    name: 'authentication',
    async handle(context, next) {
      if (context.request.inProcessUser !== undefined) {
        acceptInProcess(context, context.request.inProcessUser);
        return next();
      }
      const { user, warnings = [] } = await authenticate(context, options);
      context.user = user;
      for (const text of warnings) context.warn(text);
      context.request = withoutIdentityHeaders(context.request, options.identityHeaders);
      return next();
    },
  };
}

function acceptInProcess(context: RequestContext, user: UserInfo): void {
  context.user = user;
  if (context.trace.enabled)
    context.trace.record({
      stage: 'authentication',
      by: 'in-process',
      outcome: 'allow',
      reason: 'the caller runs inside the server process',
    });
}

type Authenticated = Extract<AuthenticationResult, { readonly outcome: 'authenticated' }>;

async function authenticate(
  context: RequestContext,
  { authenticator, metrics, logger, endsAnonymousConnections }: AuthenticationFilterOptions,
): Promise<Authenticated> {
  const { request, response, trace } = context;
  const result = await metrics.measured(() => authenticator.authenticate(request, trace));
  if ('annotations' in result)
    for (const [key, value] of Object.entries(result.annotations ?? {}))
      context.annotate(key, value);
  const isKnown = result.outcome === 'authenticated' && !isUnauthenticated(result.user);
  if (!isKnown && endsAnonymousConnections === true) response.endConnection?.();
  if (result.outcome === 'rejected')
    logger.warn('unable to authenticate the request', { error: result.reason });
  if (result.outcome !== 'authenticated') throw statusErrors.unauthorized();
  return result;
}

function isUnauthenticated({ name, groups }: UserInfo): boolean {
  return (
    name === anonymousUser.name || anonymousUser.groups.some((group) => groups.includes(group))
  );
}
