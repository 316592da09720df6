// The composition root: storage, identity, authorization, admission and the API server become one
// control plane. `keelson up` and `createCluster()` both start here.

import {
  formatTime,
  systemClock,
  systemRandom,
  type Clock,
  type Random,
} from '@keelson/apimachinery';
import {
  createAggregator,
  createApiServer,
  createAccessReviewHandlers,
  createAdmissionPlugins,
  createAuthentication,
  createAuthorization,
  createBuiltinParts,
  createSelfSubjectReviewHandler,
  createServiceAccountTokenIssuer,
  createServiceResolver,
  createTokenRequestHandler,
  createTokenReviewHandler,
  createWebhookClient,
  createExtensionPlugins,
  createImpersonationFilter,
  createIssuerDiscovery,
  createLegacyToken,
  createMetrics,
  createNamespaceCreator,
  createNodeRestriction,
  createPodSecurityMetrics,
  createQuotaStatusWriter,
  createRbacEscalation,
  createResourcesOfKind,
  defaultLimits,
  flowControlSources,
  openObjectSources,
  reviewValidators,
  scopeIn,
  startDefinitionServer,
  startFlowSchemaStatus,
  silentLogger,
  type AdmissionConfiguration,
  type ApiServer,
  type Features,
  type Filter,
  type Logger,
  type ObjectSources,
  type Route,
  type ServerLimits,
  type ServiceResolver,
  type StaticToken,
  type Storage,
  type WebhookClient,
} from '@keelson/apiserver';
import { bootstrapCluster, keepFlowControlObjects } from './bootstrap/bootstrap.ts';
import type { ControllerName } from './controller-list.ts';
import { frontProxyName, type Pki } from './pki.ts';
import { startControllers } from './start-controllers.ts';
import { versionInfo } from './version.ts';

export interface ControlPlaneOptions {
  readonly storage: Storage;
  readonly features: Features;
  readonly pki: Pki;
  /** PEM bundle of further authorities of client certificates. */
  readonly clientCaPem?: string;
  readonly staticTokens?: readonly StaticToken[];
  readonly controllers?: ReadonlySet<ControllerName>;
  readonly serviceClusterIpRange?: string;
  readonly enableAdmissionPlugins?: readonly string[];
  readonly disableAdmissionPlugins?: readonly string[];
  /** From `parseAdmissionConfiguration`. */
  readonly admissionConfiguration?: AdmissionConfiguration;
  /**
   * Extension API servers are reached at their endpoints (the default), not over the address of
   * their Service.
   */
  readonly enableAggregatorRouting?: boolean;
  /** Where addresses of pods and services are reached, if not there. */
  readonly route?: Route;
  readonly serverAddress: () => string;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly limits?: ServerLimits;
  /** False bounds the numbers of concurrent requests instead. */
  readonly priorityAndFairness?: boolean;
  readonly logger?: Logger;
}

export interface ControlPlane {
  readonly server: ApiServer;
  readonly sources: ObjectSources;
  /** Ends watches, controllers and views, then closes the storage. */
  close(): Promise<void>;
}

export const serviceAccountIssuer = 'https://kubernetes.default.svc.cluster.local';

export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const {
    storage,
    features,
    pki,
    clock = systemClock,
    random = systemRandom,
    limits = defaultLimits,
    logger = silentLogger,
  } = options;
  const stop = new AbortController();
  const sources = await openObjectSources(storage, stop.signal);
  const clientCaPem = pki.authority.certificatePem + (options.clientCaPem ?? '');
  const authentication = createClusterAuthentication(options, sources, clientCaPem);
  const authorization = createAuthorization({ objects: sources, features });
  const { authorizer, rbac } = authorization;
  const metrics = createMetrics();
  const resolver = createClusterResolver(options, sources);
  const webhooks = createClusterWebhooks(resolver, clock, limits);
  const aggregator = createAggregator({
    ...reachOf(options),
    sources,
    storage,
    resolver,
    features,
    clock,
    metrics,
    logger,
    scope: () => scopeIn(server.index, 'apiregistration.k8s.io', 'apiservices'),
    frontProxy: () => pki.frontProxy.client,
    signal: stop.signal,
  });
  const server: ApiServer = createApiServer({
    storage,
    aggregator,
    features,
    metrics,
    authenticator: authentication.authenticator,
    authorizer,
    impersonation: createImpersonationFilter(authorizer, features),
    audit: passThrough('audit'),
    admissionPlugins: [
      ...createAdmissionPlugins({
        features,
        sources,
        authorizer,
        clock,
        random,
        quotaWriter: createQuotaStatusWriter(storage),
        namespaceCreator: createNamespaceCreator(() => server.serve),
        kinds: createResourcesOfKind((group) => server.index.inGroup(group)),
        enable: ['NodeRestriction', ...(options.enableAdmissionPlugins ?? [])],
        disable: options.disableAdmissionPlugins ?? [],
        others: [
          createNodeRestriction({ ...sources, features, authorizer }),
          ...createExtensionPlugins({
            sources,
            authorizer,
            client: webhooks,
            index: () => server.index,
            features,
            metrics,
            clock,
            random,
          }),
        ],
        observePodSecurity: createPodSecurityMetrics(metrics, features.emulated.minor),
        ...(options.admissionConfiguration === undefined
          ? {}
          : { configuration: options.admissionConfiguration }),
      }),
      createRbacEscalation({ authorizer, rbac }),
    ],
    builtin: createClusterBuiltins(
      { options, authentication, authorization, sources },
      () => server,
    ),
    issuer: createIssuerDocuments(options),
    version: versionInfo(features.emulated.minor),
    flowControl: options.priorityAndFairness === false ? undefined : flowControlSources(sources),
    serverAddress: options.serverAddress,
    clock,
    random,
    limits,
    logger,
  });
  followObjects({ server, sources, webhooks, logger, signal: stop.signal });
  await bootstrapCluster({
    server,
    features,
    clientCaPem,
    frontProxy: { authorityPem: pki.frontProxy.authorityPem, allowedName: frontProxyName },
    now: formatTime(clock.now()),
    serviceCidrs: serviceCidrsOf(options),
    securePort: () => Number(options.serverAddress().split(':').at(-1) ?? 6443),
  });
  aggregator.start();
  server.markStarted();
  keepFlowControlObjects(server, { clock, logger, signal: stop.signal });
  const controllers = startControllers({
    names: options.controllers ?? new Set(),
    serve: server.serve,
    rootCaPem: pki.authority.certificatePem,
    issueToken: (account, secret) => createLegacyToken(account, secret, pki.serviceAccountKey),
    clock,
    random,
    logger,
  });
  return {
    server,
    sources,
    async close() {
      await controllers.stop();
      server.shutDown();
      authorization.close();
      stop.abort();
      webhooks.close();
      await storage.close();
    },
  };
}

function createClusterAuthentication(
  options: ControlPlaneOptions,
  sources: ObjectSources,
  clientCaPem: string,
) {
  const { features, pki, clock = systemClock, random = systemRandom } = options;
  return createAuthentication({
    clock,
    random,
    features,
    apiAudiences: [serviceAccountIssuer],
    anonymous: { enabled: true },
    clientCa: clientCaPem,
    staticTokens: options.staticTokens ?? [],
    requestHeader: requestHeaderOf(pki, features),
    serviceAccounts: {
      issuers: [serviceAccountIssuer],
      keys: [pki.serviceAccountKey],
      objects: sources,
    },
  });
}

function passThrough(name: string): Filter {
  return { name, handle: (_context, next) => next() };
}

function createIssuerDocuments({ pki, serverAddress }: ControlPlaneOptions) {
  const issuer = createIssuerDiscovery({
    issuer: serviceAccountIssuer,
    jwksUri: `https://${serverAddress()}/openid/v1/jwks`,
    keys: [pki.serviceAccountKey],
  });
  return {
    openidConfiguration: () => issuer?.configuration.body ?? '{}',
    jwks: () => issuer?.keySet.body ?? '{"keys":[]}',
  };
}

/** Whoever has a certificate of the front-proxy authority, under its one name, speaks for others. */
function requestHeaderOf(pki: Pki, features: Features) {
  return {
    clientCa: pki.frontProxy.authorityPem,
    allowedNames: [frontProxyName],
    usernameHeaders: ['X-Remote-User'],
    uidHeaders: features.enabled('RemoteRequestHeaderUID') ? ['X-Remote-Uid'] : [],
    groupHeaders: ['X-Remote-Group'],
    extraHeaderPrefixes: ['X-Remote-Extra-'],
  };
}

interface ReviewParts {
  readonly options: ControlPlaneOptions;
  readonly authentication: ReturnType<typeof createAuthentication>;
  readonly authorization: ReturnType<typeof createAuthorization>;
  readonly sources: ObjectSources;
}

function createClusterBuiltins(parts: ReviewParts, server: () => ApiServer) {
  const { options, sources, authorization } = parts;
  const { pki, features, clock = systemClock, random = systemRandom } = options;
  return createBuiltinParts({
    sources,
    random,
    clock,
    features,
    authorizer: authorization.authorizer,
    kubeletClient: () => pki.kubeletClient,
    ...reachOf(options),
    serviceClusterIpRanges: serviceCidrsOf(options),
    scopeOf: (group, resource) => scopeIn(server().index, group, resource),
    creates: createReviews(parts),
  });
}

function createClusterResolver(options: ControlPlaneOptions, sources: ObjectSources) {
  const { services, endpointSlices } = sources;
  const routing = options.enableAggregatorRouting === false ? 'cluster-ip' : 'endpoints';
  return createServiceResolver({ services, endpointSlices, routing });
}

const reachOf = ({ route }: ControlPlaneOptions) => (route === undefined ? {} : { route });
const serviceCidrsOf = ({ serviceClusterIpRange = '10.96.0.0/16' }: ControlPlaneOptions) =>
  serviceClusterIpRange.split(',');

/** What is answered and never stored: access reviews, token reviews, tokens. */
function createReviews({ options, authentication, authorization, sources }: ReviewParts) {
  const { features, pki, clock = systemClock, random = systemRandom } = options;
  const { authorizer, rules } = authorization;
  const apiAudiences = [serviceAccountIssuer];
  return [
    ...createAccessReviewHandlers({ authorizer, rules, features, validators: reviewValidators }),
    createTokenReviewHandler({ tokens: authentication.tokens, apiAudiences }),
    createSelfSubjectReviewHandler(clock),
    createTokenRequestHandler({
      issuer: createServiceAccountTokenIssuer({
        issuer: serviceAccountIssuer,
        key: pki.serviceAccountKey,
        clock,
        random,
        features,
      }),
      objects: sources,
      apiAudiences,
      clock,
      features,
      validate: reviewValidators.tokenRequest,
    }),
  ];
}

/** Every call of a webhook goes through this client. */
function createClusterWebhooks(
  services: ServiceResolver,
  clock: Clock,
  limits: ServerLimits,
): WebhookClient {
  return createWebhookClient({
    clock,
    services,
    answerBytesMax: limits.webhookAnswerBytesMax,
  });
}

interface Followed {
  readonly server: ApiServer;
  readonly sources: ObjectSources;
  readonly webhooks: WebhookClient;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/** What the server itself does about objects, without a client. */
function followObjects({ server, sources, webhooks, logger, signal }: Followed): void {
  const { dependencies, index, metrics } = server;
  startDefinitionServer({
    definitions: sources.customResourceDefinitions,
    index,
    dependencies,
    logger,
    signal,
    webhooks,
    metrics,
  });
  startFlowSchemaStatus({
    schemas: sources.flowSchemas,
    levels: sources.priorityLevelConfigurations,
    storage: dependencies.storage,
    clock: dependencies.clock,
    logger,
    signal,
  });
}
