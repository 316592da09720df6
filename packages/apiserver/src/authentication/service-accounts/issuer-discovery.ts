// What lets others verify our tokens: the OpenID configuration and the public keys (RFC 7517), each
// made once. Served at `/.well-known/openid-configuration` and `/openid/v1/jwks`.

import type { JsonObject } from '@keelson/apimachinery';
import type { VerificationKey } from './signing-keys.ts';

export const openidConfigurationPath = '/.well-known/openid-configuration';
export const jwksPath = '/openid/v1/jwks';

export interface DiscoveryDocument {
  readonly contentType: string;
  readonly body: string;
}

export interface IssuerDiscovery {
  readonly configuration: DiscoveryDocument;
  readonly keySet: DiscoveryDocument;
  /** For both documents. */
  readonly cacheControl: string;
}

/**
 * Undefined when the issuer cannot have discovery documents: it must be an https URL without query
 * and fragment, and there must be a key. The endpoints are then not installed.
 */
export function createIssuerDiscovery(options: {
  readonly issuer: string;
  /** `https://host:port/openid/v1/jwks` unless `--service-account-jwks-uri` says otherwise. */
  readonly jwksUri: string;
  readonly keys: readonly VerificationKey[];
}): IssuerDiscovery | undefined {
  const { issuer, jwksUri, keys } = options;
  if (!isHttps(issuer) || /[?#]/.test(issuer) || !isHttps(jwksUri) || keys.length === 0)
    return undefined;
  const algorithms = [...new Set(keys.map((key) => key.algorithm))].sort();
  return {
    cacheControl: 'public, max-age=3600',
    configuration: {
      contentType: 'application/json',
      body: JSON.stringify({
        issuer,
        jwks_uri: jwksUri,
        response_types_supported: ['id_token'],
        subject_types_supported: ['public'],
        id_token_signing_alg_values_supported: algorithms,
      }),
    },
    keySet: {
      contentType: 'application/jwk-set+json',
      body: JSON.stringify({ keys: keys.map(toJsonWebKey) }),
    },
  };
}

function toJsonWebKey({ id, algorithm, publicKey }: VerificationKey): JsonObject {
  const { kty, n, e, crv, x, y } = publicKey.export({ format: 'jwk' });
  const common = { use: 'sig', kty, kid: id };
  return kty === 'RSA'
    ? { ...common, alg: algorithm, n, e }
    : { ...common, crv, alg: algorithm, x, y };
}

function isHttps(url: string): boolean {
  return URL.canParse(url) && new URL(url).protocol === 'https:';
}
