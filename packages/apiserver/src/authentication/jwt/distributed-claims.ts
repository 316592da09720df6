// Distributed claims (OpenID Connect Core §5.6.2): a provider whose users have too many groups
// writes into the token where they can be asked for. Only the groups claim is resolved, only when
// it is not in the token itself, and what comes back is a token again, verified by its own
// issuer's keys.
//
// SECURITY: the endpoint stands in a token whose signature has been verified; it is asked by https
// only, by the client that bounds answers and refuses redirects.

import { getOwn, isJsonObject, quoteGo, type JsonObject } from '@keelson/apimachinery';
import { issuerOf } from './compact-token.ts';
import {
  startDiscovery,
  type DiscoveredVerifier,
  type DiscoveryOptions,
} from './discovered-verifier.ts';

export interface DistributedClaims {
  /** The claims with the resolved one added. Rejects with the reason when it cannot be. */
  expand(claims: JsonObject): Promise<JsonObject>;
}

// A provider uses one or two.
const issuersMax = 16;

/** `claim` is the one that may be resolved. */
export function createDistributedClaims(
  claim: string,
  options: Omit<DiscoveryOptions, 'address' | 'onKeysFetched'>,
): DistributedClaims {
  const verifiers = new Map<string, DiscoveredVerifier>();
  const verifierOf = (issuer: string) => {
    let known = verifiers.get(issuer);
    if (known === undefined) {
      if (verifiers.size >= issuersMax) throw new Error('there are too many issuers of claims');
      known = startDiscovery({ ...options, address: { issuer, discoveryUrl: '' } });
      verifiers.set(issuer, known);
    }
    if (known.verifier === undefined)
      throw new Error(`verifier not initialized for issuer: ${quoteGo(issuer)}`);
    return known.verifier;
  };
  const resolve = async ({ endpoint, accessToken }: ClaimSource) => {
    const { client, signal } = options;
    const token = await fetchToken({ client, signal }, { endpoint, accessToken }, claim);
    const issuer = issuerOf(token);
    if (issuer === undefined)
      throw new Error(
        `getting untrusted issuer from endpoint ${endpoint} failed for claim ${quoteGo(claim)}: malformed token`,
      );
    const verified = await verifierFor(issuer, verifierOf).verify(token);
    if ('problem' in verified)
      throw new Error(`verify distributed claim token: ${verified.problem}`);
    const value = getOwn(verified.claims, claim);
    if (value === undefined)
      throw new Error(
        `jwt returned by distributed claim endpoint ${quoteGo(endpoint)} did not contain claim: ${claim}`,
      );
    return value;
  };
  return {
    async expand(claims) {
      const source = sourceOf(claims, claim);
      return source === undefined ? claims : { ...claims, [claim]: await resolve(source) };
    },
  };
}

function verifierFor<T>(issuer: string, find: (issuer: string) => T): T {
  try {
    return find(issuer);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`verifying untrusted issuer ${issuer} failed: ${why}`, { cause });
  }
}

interface ClaimSource {
  readonly endpoint: string;
  readonly accessToken: string;
}

function sourceOf(claims: JsonObject, claim: string): ClaimSource | undefined {
  if (Object.hasOwn(claims, claim)) return undefined;
  const names = getOwn(claims, '_claim_names');
  if (names === undefined) return undefined;
  if (!isJsonObject(names)) throw new Error('oidc: error parsing distributed claim names');
  const sources = getOwn(claims, '_claim_sources');
  if (sources === undefined) throw new Error('oidc: no claim sources');
  if (!isJsonObject(sources)) throw new Error('oidc: could not parse claim sources');
  const name = getOwn(names, claim);
  if (name === undefined) return undefined;
  const source = typeof name === 'string' ? getOwn(sources, name) : undefined;
  if (!isJsonObject(source))
    throw new Error(
      `id token _claim_names contained a source ${String(name)} missing in _claims_sources`,
    );
  const endpoint = getOwn(source, 'endpoint') ?? '';
  const accessToken = getOwn(source, 'access_token') ?? '';
  if (typeof endpoint !== 'string' || typeof accessToken !== 'string')
    throw new Error('oidc: could not parse claim sources');
  // An aggregated claim, which stands in the token.
  return endpoint === '' ? undefined : { endpoint, accessToken };
}

async function fetchToken(
  { client, signal }: Pick<DiscoveryOptions, 'client' | 'signal'>,
  { endpoint, accessToken }: ClaimSource,
  claim: string,
): Promise<string> {
  try {
    const bearer = accessToken === '' ? {} : { bearerToken: accessToken };
    const { status, body } = await client.get({ url: endpoint, signal, ...bearer });
    if (status < 200 || status > 226)
      throw new Error(`error while getting distributed claim JWT: status ${status}`);
    return Buffer.from(body).toString('utf8');
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`while getting distributed claim ${quoteGo(claim)}: ${why}`, { cause });
  }
}
