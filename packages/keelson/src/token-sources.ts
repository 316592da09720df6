// Where tokens come from that this control plane has not issued: identity providers that the
// configuration or the flags name, and a webhook. They ask others, so they have an end.

import { hostname } from 'node:os';
import type { Clock, Random } from '@keelson/apimachinery';
import {
  compileConfiguration,
  configurationOfFlags,
  createConfiguredJwtAuthenticators,
  createExpressionCompiler,
  createJwtAuthenticators,
  createJwtMetrics,
  createReloadMetrics,
  createTokenCacheMetrics,
  createTokenReviewWebhook,
  documentClients,
  serverIdHash,
  signingAlgorithms,
  withTokenCache,
  type AnonymousConfiguration,
  type AuthenticationOptions,
  type Features,
  type Logger,
  type Metrics,
} from '@keelson/apiserver';
import type { IdentityOptions, TokenWebhookOptions } from './identity.ts';
import { watchedFile } from './watched-file.ts';

export interface TokenSourceParts {
  readonly features: Features;
  readonly clock: Clock;
  readonly random: Random;
  readonly metrics: Metrics;
  readonly logger: Logger;
  /** Of service account tokens. */
  readonly issuers: readonly string[];
  readonly apiAudiences: readonly string[];
}

export interface TokenSources {
  readonly authenticators: Pick<AuthenticationOptions, 'jwtAuthenticators' | 'tokenWebhook'>;
  /** The block of the configuration file. */
  readonly anonymous: AnonymousConfiguration | undefined;
  close(): void;
}

/** Throws AuthenticationConfigurationError. */
export function createTokenSources(
  options: IdentityOptions,
  parts: TokenSourceParts,
): TokenSources {
  const jwt = createJwtSource(options, parts);
  const { tokenWebhook } = options;
  return {
    authenticators: {
      ...(jwt === undefined ? {} : { jwtAuthenticators: jwt }),
      ...(tokenWebhook === undefined ? {} : { tokenWebhook: createWebhook(tokenWebhook, parts) }),
    },
    anonymous: jwt !== undefined && 'anonymous' in jwt ? jwt.anonymous : undefined,
    close() {
      jwt?.close();
      tokenWebhook?.endpoint.close();
    },
  };
}

function createJwtSource(options: IdentityOptions, parts: TokenSourceParts) {
  const { authenticationConfig: file, oidc } = options;
  if (file === undefined && oidc === undefined) return undefined;
  const { features, clock, issuers } = parts;
  const measuring = { ...parts, serverIdHash: serverIdHash(hostname()) };
  const dependencies = {
    ...parts,
    openClient: documentClients(clock),
    algorithms: oidc?.algorithms ?? signingAlgorithms,
    metrics: createJwtMetrics(measuring),
  };
  if (file !== undefined)
    return createConfiguredJwtAuthenticators({
      ...dependencies,
      path: file.path,
      initial: file.initial,
      file: watchedFile(file.path, clock),
      disallowedIssuers: issuers,
      reloads: createReloadMetrics(measuring),
    });
  const jwt = oidc === undefined ? [] : [configurationOfFlags(oidc.settings)];
  const compiler = createExpressionCompiler(features);
  const context = { compiler, features, disallowedIssuers: issuers };
  return createJwtAuthenticators(compileConfiguration({ jwt }, context), dependencies);
}

// COMPAT: besides what the flag says kube-apiserver remembers every authenticated token so long.
const successTtlMinMs = 10_000;

function createWebhook(
  { endpoint, version, cacheTtlMs }: TokenWebhookOptions,
  parts: TokenSourceParts,
) {
  const webhook = createTokenReviewWebhook({ ...parts, post: endpoint.post, version });
  return withTokenCache(webhook, {
    clock: parts.clock,
    metrics: createTokenCacheMetrics(parts.metrics),
    successTtlMs: Math.max(cacheTtlMs, successTtlMinMs),
    failureTtlMs: cacheTtlMs,
  });
}
