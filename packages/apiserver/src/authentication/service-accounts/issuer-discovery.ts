// What lets others verify our tokens: the OpenID configuration and the public keys (RFC 7517),
// made anew when the keys have changed. Served at `/.well-known/openid-configuration` and
// `/openid/v1/jwks`. Keys that are not to be published are in neither.

import type { JsonObject } from '@keelson/apimachinery';
import type { VerificationKey } from './signing-keys.ts';
import type { TokenKeys } from './token-keys.ts';

export interface IssuerDocuments {
  /** JSON of the OpenID configuration. */
  readonly configuration: string;
  /** JSON of the key set. */
  readonly keySet: string;
  /** For both. */
  readonly cacheControl: string;
}

export interface IssuerDiscovery {
  /**
   * Undefined when the issuer cannot have documents: it must be an https URL without query and
   * fragment, the keys must be at one, and there must be a key. There are no endpoints then. When
   * the last published key goes, the documents stay as they were.
   */
  documents(): IssuerDocuments | undefined;
}

export interface IssuerDiscoveryOptions {
  readonly issuer: string;
  /** `https://host:port/openid/v1/jwks` unless `--service-account-jwks-uri` says otherwise. */
  readonly jwksUri: () => string;
  readonly keys: TokenKeys;
}

export function createIssuerDiscovery(options: IssuerDiscoveryOptions): IssuerDiscovery {
  const { issuer, jwksUri, keys } = options;
  type Made = Omit<IssuerDocuments, 'cacheControl'>;
  let made: Made | undefined;
  let madeFrom: { readonly keys: readonly VerificationKey[]; readonly uri: string } | undefined;
  return {
    documents() {
      const all = keys.all();
      const uri = jwksUri();
      if (madeFrom?.keys !== all || madeFrom.uri !== uri) {
        made = makeDocuments(issuer, uri, all) ?? made;
        madeFrom = { keys: all, uri };
      }
      return made && { ...made, cacheControl: `public, max-age=${keys.maxAgeSeconds()}` };
    },
  };
}

function makeDocuments(
  issuer: string,
  uri: string,
  all: readonly VerificationKey[],
): Omit<IssuerDocuments, 'cacheControl'> | undefined {
  const published = all.filter((key) => key.isUnpublished !== true);
  if (!isHttps(issuer) || /[?#]/.test(issuer) || !isHttps(uri) || published.length === 0)
    return undefined;
  return {
    configuration: JSON.stringify({
      issuer,
      jwks_uri: uri,
      response_types_supported: ['id_token'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: [
        ...new Set(published.map((key) => key.algorithm)),
      ].sort(),
    }),
    keySet: JSON.stringify({ keys: published.map(toJsonWebKey) }),
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
