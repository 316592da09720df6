// Asks authenticators in order. The first that authenticates decides, even when an earlier one
// refused its own kind of credential: a request may carry several. When none authenticates, one
// refusal is enough to refuse the request, so a bad credential never becomes an anonymous request.

import type { DecisionTrace } from '@keelson/apimachinery';
import type {
  AuthenticationResult,
  Authenticator,
  TokenAuthenticator,
  UserInfo,
} from './authenticator.ts';

type Answer = AuthenticationResult | Promise<AuthenticationResult>;

/** The first of `authenticators` that authenticates the request; else all their refusals. */
export function createUnionAuthenticator(authenticators: readonly Authenticator[]): Authenticator {
  return {
    name: 'union',
    authenticate: (request, trace) =>
      firstAuthenticated(authenticators, (a) => a.authenticate(request, trace)),
  };
}

/** The same for bearer tokens. */
export function createUnionTokenAuthenticator(
  authenticators: readonly TokenAuthenticator[],
): TokenAuthenticator {
  return {
    name: 'tokens',
    authenticateToken: (token, audiences, trace) =>
      firstAuthenticated(authenticators, (a) => a.authenticateToken(token, audiences, trace)),
  };
}

/** `first`, and `anonymous` only for requests in which `first` saw no credential at all. */
export function createAnonymousFallback(
  first: Authenticator,
  anonymous: Authenticator,
): Authenticator {
  return {
    name: 'union',
    async authenticate(request, trace) {
      const result = await first.authenticate(request, trace);
      if (result.outcome !== 'no-credential') return result;
      const fallback = await anonymous.authenticate(request, trace);
      if (fallback.outcome === 'rejected' || result.warnings === undefined) return fallback;
      return { ...fallback, warnings: [...result.warnings, ...(fallback.warnings ?? [])] };
    },
  };
}

async function firstAuthenticated<A>(
  authenticators: readonly A[],
  ask: (authenticator: A) => Answer,
): Promise<AuthenticationResult> {
  const refusals: AuthenticationResult[] = [];
  const warnings: string[] = [];
  for (const authenticator of authenticators) {
    const result = await ask(authenticator);
    if (result.outcome === 'authenticated') return result;
    if (result.outcome === 'rejected') refusals.push(result);
    else warnings.push(...(result.warnings ?? []));
  }
  const refusal = joinRefusals(refusals);
  if (refusal !== undefined) return refusal;
  return warnings.length > 0
    ? { outcome: 'no-credential', warnings }
    : { outcome: 'no-credential' };
}

function joinRefusals(results: readonly AuthenticationResult[]): AuthenticationResult | undefined {
  const refusals = results.filter((r) => r.outcome === 'rejected');
  if (refusals.length === 0) return undefined;
  const annotations = Object.assign({}, ...refusals.map((r) => r.annotations ?? {})) as Record<
    string,
    string
  >;
  return {
    ...rejected(...refusals.flatMap((r) => r.reasons ?? [r.reason])),
    ...(Object.keys(annotations).length > 0 ? { annotations } : {}),
  };
}

/** A refusal. Several reasons are written as Kubernetes writes a list of errors, each once. */
export function rejected(...reasons: readonly string[]) {
  const distinct = [...new Set(reasons)];
  const reason = distinct.length === 1 ? (distinct[0] ?? '') : `[${distinct.join(', ')}]`;
  return { outcome: 'rejected', reason, reasons: distinct } as const;
}

/** Writes the outcome of one authenticator into the trace; call it only when tracing is enabled. */
export function recordAuthentication(
  trace: DecisionTrace,
  by: string,
  result: AuthenticationResult,
): void {
  const stage = 'authentication';
  if (result.outcome === 'authenticated') {
    const { name, uid, groups } = result.user;
    const reason = `the caller is ${name}`;
    trace.record({ stage, by, outcome: 'allow', reason, detail: { name, uid, groups } });
  } else if (result.outcome === 'rejected') {
    const detail = result.check === undefined ? {} : { detail: { check: result.check } };
    trace.record({ stage, by, outcome: 'deny', reason: result.reason, ...detail });
  } else {
    const { reason = 'the request has no credential of this kind' } = result;
    trace.record({ stage, by, outcome: 'no-opinion', reason });
  }
}

const allAuthenticated = 'system:authenticated';
const allUnauthenticated = 'system:unauthenticated';

/** `user` in the group of all authenticated users, unless it is anonymous or placed already. */
export function withAuthenticatedGroup(user: UserInfo): UserInfo {
  const { name, groups } = user;
  if (name === 'system:anonymous') return user;
  if (groups.includes(allAuthenticated) || groups.includes(allUnauthenticated)) return user;
  return { ...user, groups: [...groups, allAuthenticated] };
}
