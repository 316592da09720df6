// The built-in resources of a control plane, with what answers requests that store nothing: access
// reviews, token reviews and tokens.

import { systemClock, systemRandom } from '@keelson/apimachinery';
import {
  createAccessReviewHandlers,
  createBuiltinParts,
  createSelfSubjectReviewHandler,
  createTokenRequestHandler,
  createTokenReviewHandler,
  reviewValidators,
  type ApiServer,
  type Metrics,
  type ObjectSources,
} from '@keelson/apiserver';
import type { createClusterAuthorization } from './authorization.ts';
import { reachOf, serviceRangesOf, type ControlPlaneOptions } from './control-plane-options.ts';
import type { ControllerName } from './controller-list.ts';
import type { Identity } from './identity.ts';
import type { ServiceAccountTokens } from './service-account-tokens.ts';

export interface BuiltinSurroundings {
  readonly options: ControlPlaneOptions;
  readonly identity: Identity;
  readonly authorization: ReturnType<typeof createClusterAuthorization>;
  readonly sources: ObjectSources;
  readonly tokens: ServiceAccountTokens;
  readonly metrics: Metrics;
}

export function createClusterBuiltins(parts: BuiltinSurroundings, server: () => ApiServer) {
  const { options, sources, authorization, metrics } = parts;
  const { pki, features, clock = systemClock, random = systemRandom } = options;
  return createBuiltinParts({
    sources,
    random,
    clock,
    features,
    metrics,
    authorizer: authorization.authorizer,
    kubeletClient: () => pki.kubeletClient,
    ...reachOf(options),
    runsHere: (component) => runsIn(options.controllers ?? new Set(), component),
    serviceClusterIpRanges: serviceRangesOf(options).cidrs,
    scopeOf: (group, resource) => server().scopeOf(group, resource),
    creates: createReviews(parts),
  });
}

/** Of the scheduler, or of what a controller manager runs otherwise. */
function runsIn(controllers: ReadonlySet<ControllerName>, component: string): boolean {
  const scheduler: ControllerName = 'kube-scheduler';
  if (component === 'scheduler') return controllers.has(scheduler);
  return [...controllers].some((name) => name !== scheduler);
}

/** What is answered and never stored: access reviews, token reviews, tokens. */
function createReviews({ options, identity, authorization, sources, tokens }: BuiltinSurroundings) {
  const { features, clock = systemClock } = options;
  const { authorizer, rules } = authorization;
  const { authentication, apiAudiences } = identity;
  return [
    ...createAccessReviewHandlers({ authorizer, rules, features, validators: reviewValidators }),
    createTokenReviewHandler({ tokens: authentication.tokens, apiAudiences }),
    createSelfSubjectReviewHandler(clock),
    createTokenRequestHandler({
      issuer: identity.tokenIssuer,
      objects: sources,
      apiAudiences,
      clock,
      features,
      validate: reviewValidators.tokenRequest,
      expirationSecondsMax: tokens.expirationSecondsMax,
      signerExpirationSecondsMax: tokens.signerExpirationSecondsMax,
      extendExpiration: tokens.extendExpiration,
    }),
  ];
}
