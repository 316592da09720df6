// One entry of an AuthenticationConfiguration: tokens of one issuer (KEP-3331). A token that
// names another issuer is somebody else's; one that names this issuer is decided here, and
// refused for the first thing that is wrong with it.

import type { Clock } from '@keelson/apimachinery';
import type { Features } from '../../features/features.ts';
import type { Logger } from '../../logger.ts';
import type { AuthenticationResult, TokenAuthenticator } from '../authenticator.ts';
import { AuthenticationConfigurationError } from '../configuration/authentication-configuration.ts';
import { reservedNamesFrom } from '../configuration/reserved-names.ts';
import type { CompiledJwtAuthenticator } from '../configuration/validate-configuration.ts';
import { recordAuthentication, rejected } from '../union.ts';
import { issuerOf } from './compact-token.ts';
import { startDiscovery } from './discovered-verifier.ts';
import { createDistributedClaims, type DistributedClaims } from './distributed-claims.ts';
import type { OpenDocumentClient } from './document-client.ts';
import type { JwtMetrics } from './jwt-metrics.ts';
import { mapClaims } from './map-claims.ts';
import type { TokenProblem, TokenVerifier } from './verify-token.ts';

export interface JwtAuthenticator extends TokenAuthenticator {
  /** Why it cannot decide yet; undefined when its issuer has been found. */
  healthProblem(): string | undefined;
}

export interface JwtDependencies {
  readonly openClient: OpenDocumentClient;
  /** Accepted algorithms, see `signingAlgorithms`. */
  readonly algorithms: readonly string[];
  readonly features: Features;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: JwtMetrics;
}

/** Runs until `signal` is aborted. Throws AuthenticationConfigurationError. */
export function createJwtAuthenticator(
  compiled: CompiledJwtAuthenticator,
  dependencies: JwtDependencies,
  signal: AbortSignal,
): JwtAuthenticator {
  const { issuer, claimMappings } = compiled.configuration;
  const { clock, features, metrics, openClient } = dependencies;
  assertReachable(issuer.egressSelectorType);
  const names = reservedNamesFrom(compiled.configuration);
  if (names.length > 0)
    dependencies.logger.warn(
      'tokens of this issuer can name users or groups that begin with system:; a prefix or a userValidationRule would keep them from it',
      { issuer: issuer.url, mappings: names },
    );
  const client = openClient(issuer.certificateAuthority || undefined);
  signal.addEventListener('abort', () => client.close(), { once: true });
  const common = { ...dependencies, audiences: issuer.audiences, client, signal };
  const discovered = startDiscovery({
    ...common,
    address: { issuer: issuer.url, discoveryUrl: issuer.discoveryURL },
    onKeysFetched: (hash) => metrics.keysFetched(issuer.url, hash),
  });
  const distributed =
    claimMappings.groups.claim === ''
      ? undefined
      : createDistributedClaims(claimMappings.groups.claim, common);
  const credentialId = features.emulated.minor >= 32;
  const decide = async (token: string): Promise<AuthenticationResult> => {
    const { verifier } = discovered;
    if (verifier === undefined)
      return refused({ check: 'initialization', problem: 'oidc: authenticator not initialized' });
    const verified = await verifiedClaims(token, verifier, distributed);
    if ('problem' in verified) return refused(verified);
    const mapped = mapClaims(verified.claims, compiled, { credentialId });
    if ('problem' in mapped) return refused(mapped);
    return { outcome: 'authenticated', user: mapped.user };
  };
  const name = `jwt ${issuer.url}`;
  return {
    name,
    async authenticateToken(token, _audiences, trace) {
      const named = issuerOf(token);
      let result: AuthenticationResult;
      if (named === issuer.url) {
        const startMs = clock.monotonic();
        result = await decide(token);
        const outcome = result.outcome === 'authenticated' ? 'success' : 'failure';
        metrics.decided(issuer.url, outcome, (clock.monotonic() - startMs) / 1000);
      } else {
        const reason =
          named === undefined ? 'the token is no JSON web token' : 'the token names another issuer';
        result = { outcome: 'no-credential', reason };
      }
      if (trace.enabled) recordAuthentication(trace, name, result);
      return result;
    },
    healthProblem: () =>
      discovered.problem === undefined
        ? undefined
        : `oidc: authenticator for issuer ${JSON.stringify(issuer.url)} is not healthy: ${discovered.problem}`,
  };
}

/** There are no other ways out than the machine's own. */
function assertReachable(egressSelectorType: string): void {
  if (egressSelectorType !== '')
    throw new AuthenticationConfigurationError(
      `oidc: egress lookup for ${JSON.stringify(egressSelectorType)} is not configured`,
    );
}

async function verifiedClaims(
  token: string,
  verifier: TokenVerifier,
  distributed: DistributedClaims | undefined,
): ReturnType<TokenVerifier['verify']> {
  const verified = await verifier.verify(token);
  if ('problem' in verified)
    return { ...verified, problem: `oidc: verify token: ${verified.problem}` };
  if (distributed === undefined) return verified;
  try {
    return { claims: await distributed.expand(verified.claims) };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const problem = `oidc: could not expand distributed claims: ${why}`;
    return { check: 'distributed-claims', problem };
  }
}

function refused({ check, problem }: TokenProblem): AuthenticationResult {
  return { ...rejected(problem), check };
}
