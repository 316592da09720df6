// All JWT authenticators of one configuration: asked in the order of the file. The one whose
// issuer a token names decides, and its refusal is final, so that no later one can be more
// lenient.

import type { TokenAuthenticator } from '../authenticator.ts';
import type { CompiledJwtAuthenticator } from '../configuration/validate-configuration.ts';
import { createJwtAuthenticator, type JwtDependencies } from './jwt-authenticator.ts';

export interface JwtAuthenticators extends TokenAuthenticator {
  readonly issuers: readonly string[];
  /** Of the first that cannot decide yet. */
  healthProblem(): string | undefined;
  /** Ends discovery and the fetching of keys. */
  close(): void;
}

/** Throws AuthenticationConfigurationError. */
export function createJwtAuthenticators(
  compiled: readonly CompiledJwtAuthenticator[],
  dependencies: JwtDependencies,
): JwtAuthenticators {
  const life = new AbortController();
  const start = () => compiled.map((one) => createJwtAuthenticator(one, dependencies, life.signal));
  const authenticators = closingOnFailure(start, life);
  return {
    name: 'jwt',
    issuers: compiled.map(({ configuration }) => configuration.issuer.url),
    async authenticateToken(token, audiences, trace) {
      for (const authenticator of authenticators) {
        const result = await authenticator.authenticateToken(token, audiences, trace);
        if (result.outcome !== 'no-credential') return result;
      }
      return { outcome: 'no-credential' };
    },
    healthProblem() {
      for (const authenticator of authenticators) {
        const problem = authenticator.healthProblem();
        if (problem !== undefined) return problem;
      }
      return undefined;
    },
    close: () => life.abort(),
  };
}

function closingOnFailure<T>(start: () => T, life: AbortController): T {
  try {
    return start();
  } catch (error) {
    life.abort();
    throw error;
  }
}
