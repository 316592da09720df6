// Who the callers of one control plane are found to be: its authenticators, and the keys with which
// it issues tokens of its own. The defaults are those of `keelson up`; `kube-apiserver`'s flags
// change them one by one.

import {
  createAuthentication,
  createIssuerDiscovery,
  createServiceAccountTokenIssuer,
  type Authentication,
  type Features,
  type ObjectSources,
  type RequestHeaderOptions,
  type ServiceAccountTokenIssuer,
  type StaticToken,
  type VerificationKey,
} from '@keelson/apiserver';
import type { Clock, Random } from '@keelson/apimachinery';
import { frontProxyName, type Pki } from './pki.ts';

export const serviceAccountIssuer = 'https://kubernetes.default.svc.cluster.local';

export type TrustedProxy = Omit<RequestHeaderOptions, 'clock'>;

export interface IdentityOptions {
  /** PEM bundle of further authorities of client certificates. */
  readonly clientCaPem?: string;
  /** Only `clientCaPem` counts, not the control plane's own authority. */
  readonly foreignAuthorityOnly?: boolean;
  readonly staticTokens?: readonly StaticToken[];
  /** On unless said otherwise. */
  readonly anonymous?: boolean;
  /** The issuers unless said otherwise. */
  readonly apiAudiences?: readonly string[];
  /** The control plane's own front proxy unless said otherwise. */
  readonly requestHeader?: TrustedProxy;
  /** `--enable-bootstrap-token-auth`. */
  readonly bootstrapTokens?: boolean;
  /** The first one issues; tokens of the others are taken too. */
  readonly issuers?: readonly string[];
  /** Keys that verify tokens, besides the one that signs. */
  readonly verificationKeys?: readonly VerificationKey[];
  readonly jwksUri?: string;
}

export interface Identity {
  readonly authentication: Authentication;
  readonly apiAudiences: readonly string[];
  /** PEM of the authorities whose certificates are taken; may be empty. */
  readonly clientCaPem: string;
  /** Which proxies may name users. */
  readonly requestHeader: TrustedProxy | undefined;
  readonly tokenIssuer: ServiceAccountTokenIssuer;
  readonly documents: { openidConfiguration(): string; jwks(): string };
}

export interface IdentityParts {
  readonly pki: Pki;
  readonly sources: ObjectSources;
  readonly features: Features;
  readonly clock: Clock;
  readonly random: Random;
  readonly serverAddress: () => string;
}

/** Throws when a certificate bundle is unreadable. */
export function createIdentity(options: IdentityOptions, parts: IdentityParts): Identity {
  const { pki, sources, features, clock, random } = parts;
  const own = options.foreignAuthorityOnly === true ? '' : pki.authority.certificatePem;
  const clientCaPem = own + (options.clientCaPem ?? '');
  const issuers = options.issuers ?? [serviceAccountIssuer];
  const issuer = issuers[0] ?? serviceAccountIssuer;
  const apiAudiences = options.apiAudiences ?? issuers;
  const keys = withSigner(pki.serviceAccountKey, options.verificationKeys ?? []);
  const requestHeader =
    options.requestHeader ??
    (options.foreignAuthorityOnly === true ? undefined : ownProxy(pki, features));
  const authentication = createAuthentication({
    clock,
    random,
    features,
    apiAudiences,
    anonymous: { enabled: options.anonymous ?? true },
    ...(clientCaPem === '' ? {} : { clientCa: clientCaPem }),
    ...(requestHeader === undefined ? {} : { requestHeader }),
    ...(options.bootstrapTokens === true ? { bootstrapTokenSecrets: sources.secrets } : {}),
    staticTokens: options.staticTokens ?? [],
    serviceAccounts: { issuers, keys, objects: sources },
  });
  const discovery = createIssuerDiscovery({
    issuer,
    jwksUri: options.jwksUri ?? `https://${parts.serverAddress()}/openid/v1/jwks`,
    keys,
  });
  return {
    authentication,
    apiAudiences,
    clientCaPem,
    requestHeader,
    tokenIssuer: createServiceAccountTokenIssuer({
      issuer,
      key: pki.serviceAccountKey,
      clock,
      random,
      features,
    }),
    documents: {
      openidConfiguration: () => discovery?.configuration.body ?? '{}',
      jwks: () => discovery?.keySet.body ?? '{"keys":[]}',
    },
  };
}

/** Whoever has a certificate of the front-proxy authority, under its one name, speaks for others. */
function ownProxy(pki: Pki, features: Features): TrustedProxy {
  return {
    clientCa: pki.frontProxy.authorityPem,
    allowedNames: [frontProxyName],
    usernameHeaders: ['X-Remote-User'],
    uidHeaders: features.enabled('RemoteRequestHeaderUID') ? ['X-Remote-Uid'] : [],
    groupHeaders: ['X-Remote-Group'],
    extraHeaderPrefixes: ['X-Remote-Extra-'],
  };
}

function withSigner(
  signer: VerificationKey,
  others: readonly VerificationKey[],
): readonly VerificationKey[] {
  return [signer, ...others.filter(({ id }) => id !== signer.id)];
}
