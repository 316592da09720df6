// The API server: what the composition root puts together.

export { createApiServer } from './create-api-server.ts';
export type { ApiServer, ApiServerParts } from './create-api-server.ts';
export { defaultLimits } from './config.ts';
export { parseGoDurationMs } from './endpoints/query-options.ts';
export type { ServerLimits } from './config.ts';
export { openListener } from './transport/listener.ts';
export type { Listener, ListenerOptions } from './transport/listener.ts';
export { callInProcess } from './transport/in-process.ts';
export { peerCertificates } from './transport/node-http.ts';
export {
  kubeletAttributes,
  kubeletErrorText,
  kubeletForbiddenText,
} from './authorization/node/kubelet-attributes.ts';
export type { InProcessRequest, InProcessResponse, ServeRequest } from './transport/in-process.ts';
export { parseServiceRanges, ServiceRangeError } from './registry/core/services/service-ranges.ts';
export type { ServiceRanges } from './registry/core/services/service-ranges.ts';
export { createServiceResolver } from './transport/service-resolver.ts';
export type { ServiceResolverOptions } from './transport/service-resolver.ts';
export { createPostClient } from './transport/post-client.ts';
export { createWebhookClient, WebhookError } from './transport/webhook-client.ts';
export type {
  ServiceResolver,
  WebhookAddress,
  WebhookCall,
  WebhookClient,
  WebhookClientOptions,
} from './transport/webhook-client.ts';
export { createMetrics } from './metrics.ts';
export type { Metrics } from './metrics.ts';
export { silentLogger } from './logger.ts';
export type { Logger } from './logger.ts';
export { pipelineOrder } from './request-pipeline.ts';
export type { Filter } from './request-pipeline.ts';
export type { VersionInfo } from './endpoints/root-paths.ts';

export {
  createMemoryStorage,
  isStorageError,
  openEmbeddedStorage,
  StorageError,
} from './storage/index.ts';
export type { MemoryStorage } from './storage/index.ts';
export type { Storage } from './storage/storage.ts';
export { flowControlSources, openObjectSources } from './object-sources.ts';
export type { ObjectSources } from './object-sources.ts';
export type { ObjectSource } from './object-source.ts';
export { createObject } from './registry/store-create.ts';
export type { WriteRequest } from './registry/store-types.ts';

export { createFeatures, FeatureGateError, parseFeatureGates } from './features/create-features.ts';
export type { Features } from './features/features.ts';

export { createAuthentication } from './authentication/create-authentication.ts';
export type {
  Authentication,
  AuthenticationOptions,
} from './authentication/create-authentication.ts';
export type { AnonymousOptions } from './authentication/anonymous.ts';
export { createExpirationObserver } from './authentication/authentication-metrics.ts';
export { identityHeadersOf } from './authentication/headers.ts';
export { createTokenCacheMetrics, withTokenCache } from './authentication/token-cache.ts';
export { createClientCertificateAuthenticator } from './authentication/x509.ts';
export { withAuthenticatedGroup } from './authentication/union.ts';
export type { CaBundle } from './authentication/x509.ts';
export { AuthenticationConfigurationError } from './authentication/configuration/authentication-configuration.ts';
export type { AnonymousConfiguration } from './authentication/configuration/authentication-configuration.ts';
export { createExpressionCompiler } from './authentication/configuration/expressions.ts';
export { compileConfiguration } from './authentication/configuration/validate-configuration.ts';
export type { WatchedFile } from './authentication/configuration/watched-file.ts';
export { createConfiguredJwtAuthenticators } from './authentication/jwt/configured-jwt-authenticators.ts';
export { configurationOfFlags } from './authentication/jwt/flags-configuration.ts';
export type { OidcFlags } from './authentication/jwt/flags-configuration.ts';
export { createJwtAuthenticators } from './authentication/jwt/jwt-authenticators.ts';
export { createJwtMetrics } from './authentication/jwt/jwt-metrics.ts';
export { serverIdHash } from './authentication/server-id.ts';
export { createReloadMetrics } from './authentication/jwt/reload-metrics.ts';
export { signingAlgorithms } from './authentication/jwt/verify-token.ts';
export {
  BrokenConnection,
  createTokenReviewWebhook,
  tokenReviewVersionProblem,
} from './authentication/webhook/token-review-webhook.ts';
export type {
  PostToWebhook,
  TokenReviewVersion,
} from './authentication/webhook/token-review-webhook.ts';
export { documentClients } from './transport/document-client.ts';
export type { RequestHeaderOptions } from './authentication/request-header.ts';
export type { Authenticator, UserInfo } from './authentication/authenticator.ts';
export { parseTokenFile, TokenFileError } from './authentication/static-tokens.ts';
export type { StaticToken } from './authentication/static-tokens.ts';
export {
  createCertificateAuthority,
  loadCertificateAuthority,
} from './authentication/certificates/certificate-authority.ts';
export type {
  CertificateAuthority,
  KeyPairPem,
} from './authentication/certificates/certificate-authority.ts';
export {
  bundleDigest,
  createCertificateIssuer,
} from './authentication/certificates/certificate-issuer.ts';
export { createCertificateRequest } from './authentication/certificates/certificate-request.ts';
export { signForBootstrap } from './authentication/bootstrap-signature.ts';
export { parseCertificate } from './authentication/certificates/parse-certificate.ts';
export { readPem } from './authentication/certificates/pem.ts';
export {
  createSigningKey,
  formatSigningKey,
  parseSigningKey,
  parseVerificationKeys,
} from './authentication/service-accounts/signing-keys.ts';
export type {
  SigningKey,
  VerificationKey,
} from './authentication/service-accounts/signing-keys.ts';
export { createKeySigner } from './authentication/service-accounts/token-signer.ts';
export type { TokenSigner } from './authentication/service-accounts/token-signer.ts';
export { createTokenKeys } from './authentication/service-accounts/token-keys.ts';
export type { TokenKeys } from './authentication/service-accounts/token-keys.ts';
export { createTokenUseCounters } from './authentication/service-accounts/token-use-metrics.ts';
export type { TokenUseCounters } from './authentication/service-accounts/token-use-metrics.ts';
export {
  ExternalSignerError,
  openExternalSigner,
} from './authentication/service-accounts/external-signer/open-external-signer.ts';
export type { IssuerDiscovery } from './authentication/service-accounts/issuer-discovery.ts';
export { createIssuerDiscovery } from './authentication/service-accounts/issuer-discovery.ts';
export { createLegacyToken } from './authentication/service-accounts/legacy-token.ts';
export { createServiceAccountTokenIssuer } from './authentication/service-accounts/token-issuer.ts';
export type { ServiceAccountTokenIssuer } from './authentication/service-accounts/token-issuer.ts';
export type { Authorizer } from './authorization/authorizer.ts';
export { createAuthorization } from './authorization/create-authorization.ts';
export { AuthorizationConfigurationError } from './authorization/configuration/authorization-configuration.ts';
export type { AuthorizationConfiguration } from './authorization/configuration/authorization-configuration.ts';
export {
  configurationOfModes,
  modeFlagDefaults,
  modeProblems,
} from './authorization/configuration/authorization-modes.ts';
export type { ModeFlags } from './authorization/configuration/authorization-modes.ts';
export { parseAuthorizationConfiguration } from './authorization/configuration/parse-configuration.ts';
export { startReload } from './authorization/configuration/reload.ts';
export { createReviewClient } from './transport/review-client.ts';
export type { ReviewServer } from './transport/review-client.ts';
export type { AdmissionPlugin } from './admission/admission.ts';
export { createExtensionPlugins } from './admission/create-extension-plugins.ts';
export { createPodSecurityMetrics } from './admission/admission-metrics.ts';
export { AdmissionPluginError, createAdmissionPlugins } from './admission/create-plugins.ts';
export { parseAdmissionConfiguration } from './admission/admission-configuration.ts';
export type { AdmissionConfiguration } from './admission/admission-configuration.ts';
export type { ConfigurationFiles } from './admission/configuration-files.ts';
export { AdmissionConfigurationError } from './admission/configuration-reader.ts';
export { createNamespaceCreator } from './admission/namespace-creator.ts';
export { createQuotaMeter } from './admission/plugins/resource-quota/quota-meter.ts';
export type { QuotaMeter } from './admission/plugins/resource-quota/quota-meter.ts';
export { createQuotaStatusWriter } from './admission/quota-status-writer.ts';
export { createResourcesOfKind } from './admission/resources-of-kind.ts';
export { createNodeRestriction } from './admission/plugins/node-restriction.ts';
export { createParamAccess } from './admission/plugins/param-access.ts';
export { createRbacEscalation } from './admission/plugins/rbac-escalation.ts';
export { bootstrapPolicy } from './authorization/bootstrap-policy.ts';
export type { BootstrapObject } from './authorization/bootstrap-policy.ts';
export { reconcileBootstrapPolicy } from './authorization/reconcile-bootstrap-policy.ts';
export type { RbacObjectStore } from './authorization/reconcile-bootstrap-policy.ts';
export { createImpersonationFilter } from './filters/impersonation.ts';
export { createImpersonationMetrics } from './authorization/impersonation/impersonation-metrics.ts';
export { createAccessReviewHandlers } from './registry/authorization-handlers/access-reviews.ts';
export { createSelfSubjectReviewHandler } from './registry/authentication-handlers/self-subject-review.ts';
export { createTokenRequestHandler } from './registry/authentication-handlers/token-request.ts';
export { createTokenReviewHandler } from './registry/authentication-handlers/token-review.ts';
export { reviewValidators } from './registry/review-validators.ts';
export { systemUser } from './authentication/system-user.ts';
export { createAggregator } from './aggregation/create-aggregator.ts';
export type { Aggregator, AggregatorOptions } from './aggregation/create-aggregator.ts';
export type { Route, RoutedAddress } from './transport/outbound.ts';
export { startDefinitionServer } from './registry/apiextensions/definition-server.ts';
export { startFlowSchemaStatus } from './registry/flowcontrol/flow-schema-status.ts';
export { createPolicyTypeChecker } from './registry/expressions/policy-type-checker.ts';
export { createBuiltinParts } from './registry/builtin-parts.ts';
export { scopeIn } from './registry/resource-endpoint.ts';
export {
  createBuiltinVersions,
  parseRuntimeConfig,
  RuntimeConfigError,
} from './registry/api-versions/runtime-config.ts';
export type { RuntimeConfig, ServedVersions } from './registry/api-versions/runtime-config.ts';
export { updateObject } from './registry/store-update.ts';
export { storageKey, storagePrefix } from './registry/store-types.ts';
export type { StoreScope } from './registry/store-types.ts';
