// Who sends no credential is `system:anonymous` in `system:unauthenticated`, and authorization
// decides what that may do. With conditions (KEP-4633) only requests for these exact paths may be
// anonymous; all others are refused with 401, whatever a careless role binding grants.

import { parseRequestPath } from './request-path.ts';
import { anonymousUser, type AuthenticationResult, type Authenticator } from './authenticator.ts';
import { recordAuthentication } from './union.ts';

export interface AnonymousOptions {
  readonly enabled: boolean;
  /** Exact, decoded paths without query. Absent or empty: every path. */
  readonly paths?: readonly string[];
}

/** Authenticates everybody whom the options let be anonymous. */
export function createAnonymousAuthenticator(options: AnonymousOptions): Authenticator {
  const name = 'anonymous';
  const paths = options.paths?.length ? new Set(options.paths) : undefined;
  return {
    name,
    authenticate(request, trace) {
      const reason = options.enabled
        ? pathProblem(parseRequestPath(request.url), paths)
        : 'anonymous requests are not allowed';
      const result: AuthenticationResult =
        reason === undefined
          ? { outcome: 'authenticated', user: anonymousUser }
          : { outcome: 'no-credential', reason };
      if (trace.enabled) recordAuthentication(trace, name, result);
      return result;
    },
  };
}

function pathProblem(path: string, paths: ReadonlySet<string> | undefined): string | undefined {
  return paths === undefined || paths.has(path)
    ? undefined
    : 'the path is not among those that may be asked for anonymously';
}
