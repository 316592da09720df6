// Puts the authenticators together in Kubernetes' order:
//
//   the server's own token; front proxy; client certificate; bearer token; token of a WebSocket; anonymous
//
// and tokens among themselves: token file, Secret-based, bound, bootstrap, JSON web tokens of other
// issuers, webhook. A refusal anywhere refuses the request unless another credential of it is good;
// anonymous is for requests without any.

import { randomBytes } from 'node:crypto';
import { createUid, type Clock, type KubeObject, type Random } from '@keelson/apimachinery';
import type { Features } from '../features/features.ts';
import type { ObjectSource } from '../object-source.ts';
import { createAnonymousAuthenticator, type AnonymousOptions } from './anonymous.ts';
import { withAudiences } from './audiences.ts';
import type { AuthenticationResult, Authenticator, TokenAuthenticator } from './authenticator.ts';
import { createBearerTokenAuthenticator, recognised } from './bearer-token.ts';
import { createBootstrapTokenAuthenticator } from './bootstrap-token.ts';
import { createRequestHeaderAuthenticator, type RequestHeaderOptions } from './request-header.ts';
import {
  createBoundTokenAuthenticator,
  type ServiceAccountObjects,
} from './service-accounts/bound-token.ts';
import { createSignatureVerifier } from './service-accounts/json-web-token.ts';
import { createLegacyTokenAuthenticator } from './service-accounts/legacy-token.ts';
import type { TokenKeys } from './service-accounts/token-keys.ts';
import type { TokenUseCounters } from './service-accounts/token-use-metrics.ts';
import { createStaticTokenAuthenticator, type StaticToken } from './static-tokens.ts';
import {
  createAnonymousFallback,
  createUnionAuthenticator,
  createUnionTokenAuthenticator,
  withAuthenticatedGroup,
} from './union.ts';
import { createWebsocketTokenAuthenticator } from './websocket-token.ts';
import { createClientCertificateAuthenticator, type CaBundle } from './x509.ts';

export interface AuthenticationOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly features: Features;
  /** `--api-audiences`, else all issuers. Tokens must be meant for one of these. */
  readonly apiAudiences: readonly string[];
  readonly anonymous: AnonymousOptions;
  /** PEM of `--client-ca-file`. */
  readonly clientCa?: CaBundle | string;
  readonly observeExpiration?: (seconds: number) => void;
  readonly requestHeader?: Omit<RequestHeaderOptions, 'clock'>;
  /** Of `--token-auth-file`, see `parseTokenFile`. */
  readonly staticTokens?: readonly StaticToken[];
  readonly serviceAccounts?: {
    readonly issuers: readonly string[];
    readonly keys: TokenKeys;
    readonly objects: ServiceAccountObjects;
    readonly counters?: TokenUseCounters;
    readonly onLegacyTokenUse?: (secret: KubeObject, today: string) => void;
  };
  /** Secrets, with `--enable-bootstrap-token-auth`. */
  readonly bootstrapTokenSecrets?: ObjectSource;
  /** Of `--authentication-config` or `--oidc-*`. */
  readonly jwtAuthenticators?: TokenAuthenticator;
  /** Of `--authentication-token-webhook-config-file`, with its cache. */
  readonly tokenWebhook?: TokenAuthenticator;
}

export interface Authentication {
  /** For requests. */
  readonly authenticator: Authenticator;
  /** For TokenReview, which asks about a token on behalf of others. */
  readonly tokens: TokenAuthenticator;
  /**
   * Bearer token of `system:apiserver` in `system:masters`, for clients that belong to the server.
   */
  readonly loopbackToken: string;
}

/** Throws when a certificate bundle is unreadable. */
export function createAuthentication(options: AuthenticationOptions): Authentication {
  const { apiAudiences } = options;
  const loopbackToken = randomBytes(32).toString('base64url');
  const loopback = withAudiences(
    createStaticTokenAuthenticator('loopback-token', [
      {
        token: loopbackToken,
        user: {
          name: 'system:apiserver',
          uid: createUid(options.random),
          groups: ['system:authenticated', 'system:masters'],
          extra: {},
        },
      },
    ]),
    apiAudiences,
  );
  const tokens = createUnionTokenAuthenticator(tokenAuthenticatorsOf(options));
  const credentials = createUnionAuthenticator([
    createBearerTokenAuthenticator(loopback, apiAudiences),
    ...certificateAuthenticatorsOf(options),
    createBearerTokenAuthenticator(tokens, apiAudiences),
    createWebsocketTokenAuthenticator(tokens, apiAudiences),
  ]);
  return {
    loopbackToken,
    authenticator: createAnonymousFallback(
      {
        name: credentials.name,
        authenticate: async (request, trace) =>
          withGroup(await credentials.authenticate(request, trace)),
      },
      createAnonymousAuthenticator(options.anonymous),
    ),
    tokens: {
      name: tokens.name,
      async authenticateToken(token, audiences, trace) {
        const asked = [loopback, tokens].map((part) => ({
          name: part.name,
          authenticateToken: async (...question: Parameters<typeof part.authenticateToken>) =>
            recognised(await part.authenticateToken(...question)),
        }));
        return withGroup(
          await createUnionTokenAuthenticator(asked).authenticateToken(token, audiences, trace),
        );
      },
    },
  };
}

function certificateAuthenticatorsOf(options: AuthenticationOptions): Authenticator[] {
  const { clock, features, clientCa, requestHeader, observeExpiration } = options;
  const authenticators: Authenticator[] = [];
  if (requestHeader !== undefined)
    authenticators.push(createRequestHeaderAuthenticator({ ...requestHeader, clock }));
  if (clientCa !== undefined)
    authenticators.push(
      createClientCertificateAuthenticator({
        clientCa,
        clock,
        features,
        ...(observeExpiration === undefined ? {} : { observeExpiration }),
      }),
    );
  return authenticators;
}

function tokenAuthenticatorsOf(options: AuthenticationOptions): TokenAuthenticator[] {
  const { clock, features, apiAudiences, staticTokens, serviceAccounts } = options;
  const authenticators: TokenAuthenticator[] = [];
  if (staticTokens !== undefined)
    authenticators.push(
      withAudiences(createStaticTokenAuthenticator('token-file', staticTokens), apiAudiences),
    );
  if (serviceAccounts !== undefined) {
    const { objects, onLegacyTokenUse } = serviceAccounts;
    const shared = { ...serviceAccounts, apiAudiences, clock, features };
    const verifier = createSignatureVerifier();
    const tracks = features.enabled('LegacyServiceAccountTokenTracking');
    authenticators.push(
      createLegacyTokenAuthenticator({
        ...shared,
        ...objects,
        verifier,
        ...(tracks ? { onUse: onLegacyTokenUse ?? (() => {}) } : {}),
      }),
      createBoundTokenAuthenticator({ ...shared, verifier }),
    );
  }
  if (options.bootstrapTokenSecrets !== undefined)
    authenticators.push(
      withAudiences(
        createBootstrapTokenAuthenticator({ secrets: options.bootstrapTokenSecrets, clock }),
        apiAudiences,
      ),
    );
  if (options.jwtAuthenticators !== undefined)
    authenticators.push(withAudiences(options.jwtAuthenticators, apiAudiences));
  if (options.tokenWebhook !== undefined) authenticators.push(options.tokenWebhook);
  return authenticators;
}

function withGroup(result: AuthenticationResult): AuthenticationResult {
  return result.outcome === 'authenticated'
    ? { ...result, user: withAuthenticatedGroup(result.user) }
    : result;
}
