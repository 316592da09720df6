// Who the callers of one control plane are found to be: its authenticators, and the keys with which
// it issues tokens of its own. The defaults are those of `keelson up`; `kube-apiserver`'s flags
// change them one by one.

import {
  AuthenticationConfigurationError,
  createAuthentication,
  createExpirationObserver,
  createIssuerDiscovery,
  createServiceAccountTokenIssuer,
  readPem,
  type AnonymousConfiguration,
  type AnonymousOptions,
  type Authentication,
  type CaBundle,
  type Features,
  type Logger,
  type Metrics,
  type ObjectSources,
  type OidcFlags,
  type RequestHeaderOptions,
  type ServiceAccountTokenIssuer,
  type IssuerDiscovery,
  type StaticToken,
  type TokenReviewVersion,
  type TokenUseCounters,
} from '@keelson/apiserver';
import type { Clock, Random } from '@keelson/apimachinery';
import type { PublishedTrust } from './bootstrap/bootstrap.ts';
import type { NoteTokenUse } from './legacy-token-tracking.ts';
import { frontProxyName, type Pki } from './pki.ts';
import type { ServiceAccountTokenOptions, ServiceAccountTokens } from './service-account-tokens.ts';
import { createTokenSources } from './token-sources.ts';
import type { WebhookEndpoint } from './token-webhook-endpoint.ts';
import { followAuthorities } from './watched-file.ts';

const serviceAccountIssuer = 'https://kubernetes.default.svc.cluster.local';

export interface TrustedProxy extends Omit<RequestHeaderOptions, 'clock' | 'clientCa'> {
  /** PEM. */
  readonly clientCa: string;
  /** The file that it came from, to be followed. */
  readonly clientCaFile?: string;
}

/** Whose tokens are issued and taken, with which keys, for how long. */
export interface ServiceAccountChoices extends ServiceAccountTokenOptions {
  /** The first one issues; tokens of the others are taken too. */
  readonly issuers?: readonly string[];
  readonly jwksUri?: string;
  /** The issuers unless said otherwise. */
  readonly apiAudiences?: readonly string[];
}

export interface IdentityOptions extends ServiceAccountChoices {
  /** PEM bundle of further authorities of client certificates. */
  readonly clientCaPem?: string;
  /** The file that they came from, to be followed. */
  readonly clientCaFile?: string;
  /** Only `clientCaPem` counts, not the control plane's own authority. */
  readonly foreignAuthorityOnly?: boolean;
  readonly staticTokens?: readonly StaticToken[];
  /** `--anonymous-auth` where it was given. On unless said otherwise. */
  readonly anonymous?: boolean;
  /** `--authentication-config`, and what it holds at the start. */
  readonly authenticationConfig?: { readonly path: string; readonly initial: Uint8Array };
  /** `--oidc-*`; not together with the file. */
  readonly oidc?: { readonly settings: OidcFlags; readonly algorithms: readonly string[] };
  /** `--authentication-token-webhook-*`. */
  readonly tokenWebhook?: TokenWebhookOptions;
  /** The control plane's own front proxy unless said otherwise. */
  readonly requestHeader?: TrustedProxy;
  /** `--enable-bootstrap-token-auth`. */
  readonly bootstrapTokens?: boolean;
}

export interface TokenWebhookOptions {
  readonly endpoint: WebhookEndpoint;
  readonly version: TokenReviewVersion;
  readonly cacheTtlMs: number;
}

export interface Identity {
  readonly authentication: Authentication;
  readonly apiAudiences: readonly string[];
  /** Whom the control plane believes, to be published. */
  trust(): PublishedTrust;
  /** Calls back whenever authorities have changed with their files. */
  onTrustChange(changed: (trust: PublishedTrust) => void): void;
  /** Which proxies may name users. */
  readonly requestHeader: TrustedProxy | undefined;
  readonly tokenIssuer: ServiceAccountTokenIssuer;
  readonly documents: IssuerDiscovery;
  /** Ends what follows files and asks others. */
  close(): void;
}

export interface IdentityParts {
  readonly pki: Pki;
  readonly sources: ObjectSources;
  readonly features: Features;
  readonly clock: Clock;
  readonly random: Random;
  readonly serverAddress: () => string;
  readonly metrics: Metrics;
  readonly logger: Logger;
  /** AlwaysAllow lets everybody do everything; then nobody may be anonymous. */
  readonly allowsEverything: boolean;
  readonly tokens: ServiceAccountTokens;
  readonly tokenUse: TokenUseCounters;
  readonly noteTokenUse: NoteTokenUse;
}

/**
 * Throws when a certificate bundle is unreadable, and AuthenticationConfigurationError for a
 * configuration that cannot be used.
 */
export function createIdentity(options: IdentityOptions, parts: IdentityParts): Identity {
  const { pki, sources, features, clock, random, metrics, tokens } = parts;
  const own = options.foreignAuthorityOnly === true ? '' : pki.authority.certificatePem;
  const clientCaPem = own + (options.clientCaPem ?? '');
  const issuers = options.issuers ?? [serviceAccountIssuer];
  const issuer = issuers[0] ?? serviceAccountIssuer;
  const apiAudiences = options.apiAudiences ?? issuers;
  const requestHeader =
    options.requestHeader ??
    (options.foreignAuthorityOnly === true ? undefined : ownProxy(pki, features));
  assertSeparateAuthorities(clientCaPem, requestHeader);
  const others = createTokenSources(options, { ...parts, issuers, apiAudiences });
  const followed = followFiles(options, { ...parts, own, requestHeader });
  const authentication = createAuthentication({
    clock,
    random,
    features,
    apiAudiences,
    anonymous: closingOnFailure(others, () => anonymousOptions(options, parts, others.anonymous)),
    observeExpiration: createExpirationObserver(metrics),
    ...(clientCaPem === '' ? {} : { clientCa: followed.clientCa ?? clientCaPem }),
    ...(requestHeader === undefined
      ? {}
      : {
          requestHeader: { ...requestHeader, clientCa: followed.proxyCa ?? requestHeader.clientCa },
        }),
    ...others.authenticators,
    ...(options.bootstrapTokens === true ? { bootstrapTokenSecrets: sources.secrets } : {}),
    staticTokens: options.staticTokens ?? [],
    serviceAccounts: {
      issuers,
      keys: tokens.keys,
      objects: sources,
      counters: parts.tokenUse,
      onLegacyTokenUse: parts.noteTokenUse,
    },
  });
  return {
    authentication,
    apiAudiences,
    trust: () => followed.trust(),
    onTrustChange: (changed) => followed.onChange(() => changed(followed.trust())),
    requestHeader,
    tokenIssuer: createServiceAccountTokenIssuer({
      issuer,
      signer: tokens.signer,
      clock,
      random,
      features,
    }),
    documents: createIssuerDiscovery({
      issuer,
      jwksUri: () => options.jwksUri ?? `https://${parts.serverAddress()}/openid/v1/jwks`,
      keys: tokens.keys,
    }),
    close() {
      others.close();
      followed.close();
    },
  };
}

function closingOnFailure<T>(open: { close(): void }, step: () => T): T {
  try {
    return step();
  } catch (error) {
    open.close();
    throw error;
  }
}

/** COMPAT: the file's block and the flag exclude each other; AlwaysAllow turns both off. */
function anonymousOptions(
  options: IdentityOptions,
  { allowsEverything, logger }: IdentityParts,
  configured: AnonymousConfiguration | undefined,
): AnonymousOptions {
  if (configured !== undefined && options.anonymous !== undefined)
    throw new AuthenticationConfigurationError(
      'anonymous: Forbidden: --anonymous-auth flag cannot be set when anonymous field is configured in authentication configuration file',
    );
  const wanted = configured ?? { enabled: options.anonymous ?? true, conditions: [] };
  if (wanted.enabled && allowsEverything) {
    logger.warn(
      'AnonymousAuth is not allowed with the AlwaysAllow authorizer. Resetting AnonymousAuth to false. You should use a different authorizer',
    );
    return { enabled: false };
  }
  return { enabled: wanted.enabled, paths: wanted.conditions.map(({ path }) => path) };
}

/**
 * SECURITY: a certificate of an ordinary client must not be able to name other users. Where both
 * authorities are the same, only the proxy's name tells it apart.
 */
function assertSeparateAuthorities(clientCaPem: string, proxy: TrustedProxy | undefined): void {
  if (proxy === undefined || proxy.allowedNames.length > 0) return;
  const clients = new Set(certificatesIn(clientCaPem));
  if (!certificatesIn(proxy.clientCa).some((der) => clients.has(der))) return;
  throw new AuthenticationConfigurationError(
    '--requestheader-client-ca-file and --client-ca-file contain overlapping certificates; --requestheader-allowed-names must be specified to ensure regular client certificates cannot set authenticating proxy headers for arbitrary users',
  );
}

function certificatesIn(pem: string): string[] {
  return readPem(pem)
    .filter(({ label }) => label === 'CERTIFICATE')
    .map(({ bytes }) => Buffer.from(bytes).toString('base64'));
}

/** Authorities that came from files are read again when the files change. */
function followFiles(
  options: IdentityOptions,
  parts: IdentityParts & { readonly own: string; readonly requestHeader: TrustedProxy | undefined },
) {
  const { own, requestHeader } = parts;
  const { clientCaFile, clientCaPem = '' } = options;
  const clients =
    clientCaFile === undefined ? undefined : followAuthorities(clientCaFile, clientCaPem, parts);
  const proxyFile = requestHeader?.clientCaFile;
  const proxies =
    proxyFile === undefined
      ? undefined
      : followAuthorities(proxyFile, requestHeader?.clientCa ?? '', parts);
  const clientCa = clients === undefined ? undefined : withOwn(own, clients);
  return {
    clientCa,
    proxyCa: proxies,
    trust: (): PublishedTrust => ({
      clientCaPem: clientCa?.current() ?? own + clientCaPem,
      requestHeader: requestHeader && {
        ...requestHeader,
        clientCa: proxies?.current() ?? requestHeader.clientCa,
      },
    }),
    onChange(changed: () => void) {
      clients?.onChange(changed);
      proxies?.onChange(changed);
    },
    close() {
      clients?.close();
      proxies?.close();
    },
  };
}

/** The control plane's own authority counts besides those of the file. */
function withOwn(own: string, file: CaBundle): CaBundle {
  let known = { text: '', whole: '' };
  return {
    current() {
      const text = file.current();
      if (text !== known.text) known = { text, whole: own + text };
      return known.whole;
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
