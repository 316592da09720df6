// The composition root: storage, identity, authorization, admission and the API server become one
// control plane. `keelson up` and `createCluster()` both start here.

import { hostname } from 'node:os';
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
  createBuiltinVersions,
  createServiceResolver,
  createTokenUseCounters,
  createWebhookClient,
  createImpersonationFilter,
  createImpersonationMetrics,
  createMetrics,
  defaultLimits,
  flowControlSources,
  identityHeadersOf,
  openObjectSources,
  startDefinitionServer,
  startFlowSchemaStatus,
  silentLogger,
  type ApiServer,
  type Authorizer,
  type Features,
  type Filter,
  type Logger,
  type Metrics,
  type ObjectSources,
  type ServeRequest,
  type ServerLimits,
  type ServiceResolver,
  type WebhookClient,
} from '@keelson/apiserver';
import type { Client } from '@keelson/client';
import type { Scheduler } from '@keelson/controllers';
import { startClusterControllers, type ClusterControllerParts } from './cluster-controllers.ts';
import { createClusterAuthorization } from './authorization.ts';
import {
  bootstrapCluster,
  grantRoles,
  keepFlowControlObjects,
  keepTrustPublished,
} from './bootstrap/bootstrap.ts';
import { createClusterAdmission } from './cluster-admission.ts';
import { createClusterBuiltins } from './cluster-builtins.ts';
import { reachOf, serviceRangesOf, type ControlPlaneOptions } from './control-plane-options.ts';
import { controllerRoles } from './controller-roles.ts';
import { createIdentity, type Identity, type IdentityParts } from './identity.ts';
import { createInProcessClient } from './in-process-client.ts';
import { createTokenUseNotes, keepTokenTracking } from './legacy-token-tracking.ts';
import { openServiceAccountTokens } from './service-account-tokens.ts';
import { createNodeRoute, type NodeRoute } from './node-route.ts';
import { allNodes, cleanUpAfterNodes, startNodes, type RunningNodes } from './start-nodes.ts';
import { versionInfo } from './version.ts';

export interface ControlPlane {
  readonly server: ApiServer;
  readonly sources: ObjectSources;
  /** Ends watches, controllers and views, then closes the storage. */
  close(): Promise<void>;
}

export async function startControlPlane(given: ControlPlaneOptions): Promise<ControlPlane> {
  const options = withLateParts(given);
  const {
    storage,
    features,
    clock = systemClock,
    random = systemRandom,
    limits = defaultLimits,
    logger = silentLogger,
  } = options;
  const stop = new AbortController();
  const { signal } = stop;
  const sources = await openObjectSources(storage, signal);
  const metrics = createMetrics();
  const authorization = createClusterAuthorization(options, { sources, metrics, signal });
  const own = createOwnClient(() => server.serve, { clock, random });
  const tokens = await openTokens(options, metrics, signal);
  const services = { sources, clock, random, metrics, logger, tokens };
  const noteTokenUse = createTokenUseNotes(own, logger);
  const identity = createClusterIdentity(options, { ...services, noteTokenUse });
  const resolver = createClusterResolver(options, sources);
  const webhooks = createClusterWebhooks(resolver, clock, limits);
  const shared = { sources, storage, features, clock, metrics, logger, signal };
  const aggregator = createAggregator({
    ...reachOf(options),
    ...shared,
    resolver,
    scope: () => server.scopeOf('apiregistration.k8s.io', 'apiservices'),
    frontProxy: () => options.pki.frontProxy.client,
  });
  const server: ApiServer = createApiServer({
    storage,
    aggregator,
    features,
    metrics,
    ...authenticationOf(identity),
    authorizer: authorization.authorizer,
    impersonation: createImpersonation(authorization.authorizer, features, { metrics, clock }),
    audit: passThrough('audit'),
    admissionPlugins: createClusterAdmission({
      ...shared,
      flags: options,
      authorization,
      webhooks,
      random,
      serverId: hostname(),
      server: () => server,
    }),
    builtin: createClusterBuiltins(
      { options, identity, authorization, sources, tokens, metrics },
      () => server,
    ),
    servedVersions: servedVersionsOf(options),
    issuer: identity.documents,
    version: versionInfo(features.emulated.minor),
    flowControl: options.priorityAndFairness === false ? undefined : flowControlSources(sources),
    serverAddress: options.serverAddress,
    scheduling: options.schedulerSeat.scheduling,
    clock,
    random,
    limits,
    logger,
  });
  followObjects({ server, sources, webhooks, logger, signal });
  await bootstrap(options, server, identity);
  aggregator.start();
  server.markStarted();
  keepFlowControlObjects(server, { clock, logger, signal });
  await keepTokenTracking({ ...shared, client: own(), configMaps: sources.configMaps });
  const controllers = await startClients(options, { server, sources, tokens });
  return {
    server,
    sources,
    async close() {
      await controllers.stop();
      server.shutDown();
      authorization.close();
      identity.close();
      stop.abort();
      own().close();
      webhooks.close();
      await storage.close();
    },
  };
}

async function bootstrap(options: ControlPlaneOptions, server: ApiServer, identity: Identity) {
  const { features, clock = systemClock, logger = silentLogger } = options;
  await bootstrapCluster({
    server,
    features,
    ...identity.trust(),
    now: formatTime(clock.now()),
    serviceRanges: serviceRangesOf(options),
    snapshots: options.snapshots === true,
    securePort: () => Number(options.serverAddress().split(':').at(-1) ?? 6443),
  });
  keepTrustPublished(server, identity, logger);
}

function openTokens(options: ControlPlaneOptions, metrics: Metrics, signal: AbortSignal) {
  const { pki, features, clock = systemClock, logger = silentLogger } = options;
  const ownKey = () => pki.serviceAccountKey;
  return openServiceAccountTokens(options, { ownKey, features, clock, metrics, logger, signal });
}

/** Acts as the server itself, once it is there. */
function createOwnClient(
  serve: () => ServeRequest,
  machine: { readonly clock: Clock; readonly random: Random },
): () => Client {
  let client: Client | undefined;
  const user = { name: 'system:apiserver', groups: ['system:masters'] };
  return () =>
    (client ??= createInProcessClient({
      serve: serve(),
      user,
      userAgent: 'kube-apiserver',
      ...machine,
    }));
}

interface RoutedOptions extends ControlPlaneOptions {
  readonly nodeRoute: NodeRoute;
  readonly schedulerSeat: ReturnType<typeof createSchedulerSeat>;
}

/** The server is there before the scheduler that explains itself through it. */
function createSchedulerSeat() {
  let scheduler: Scheduler | undefined;
  return {
    scheduling: () => scheduler?.explain,
    onScheduler: (running: Scheduler | undefined) => void (scheduler = running),
  };
}

/** Nodes that are simulated say later where they are reached; the scheduler comes later, too. */
function withLateParts(options: ControlPlaneOptions): RoutedOptions {
  const nodeRoute = createNodeRoute(options.route);
  const schedulerSeat = createSchedulerSeat();
  return { ...options, route: nodeRoute.route, nodeRoute, schedulerSeat };
}

/** Controllers and nodes: what is a client of the server like any other. */
async function startClients(
  options: RoutedOptions,
  parts: Omit<ClusterControllerParts, 'onScheduler'>,
) {
  await grantRoles(parts.server, controllerRoles(options.controllers ?? new Set()));
  const { onScheduler } = options.schedulerSeat;
  const controllers = startClusterControllers(options, { ...parts, onScheduler });
  const nodes = await startClusterNodes(options, parts.server);
  return {
    async stop() {
      nodes?.stop();
      await controllers.stop();
    },
  };
}

async function startClusterNodes(
  options: RoutedOptions,
  { serve }: ApiServer,
): Promise<RunningNodes | undefined> {
  const { nodes, features, pki, nodeRoute: route, logger = silentLogger } = options;
  const { clock = systemClock, random = systemRandom } = options;
  if (nodes === undefined) return undefined;
  if (allNodes(nodes).length === 0) {
    await cleanUpAfterNodes({ serve, clock, random });
    return undefined;
  }
  return startNodes({ ...nodes, serve, features, pki, route, clock, random, logger });
}

function passThrough(name: string): Filter {
  return { name, handle: (_context, next) => next() };
}

type IdentityServices = Pick<
  IdentityParts,
  'sources' | 'clock' | 'random' | 'metrics' | 'logger' | 'tokens' | 'noteTokenUse'
>;

function createClusterIdentity(options: ControlPlaneOptions, services: IdentityServices): Identity {
  const { pki, features, serverAddress, authorization } = options;
  const { authorizers = [] } = authorization?.configuration ?? {};
  const allowsEverything = authorizers.some(({ type }) => type === 'AlwaysAllow');
  const tokenUse = createTokenUseCounters(services.metrics);
  const own = { pki, features, serverAddress, allowsEverything, tokenUse };
  return createIdentity(options, { ...services, ...own });
}

function authenticationOf({ authentication: { authenticator }, requestHeader }: Identity) {
  return requestHeader === undefined
    ? { authenticator }
    : { authenticator, identityHeaders: identityHeadersOf(requestHeader) };
}

function servedVersionsOf({ runtimeConfig = new Map(), features }: ControlPlaneOptions) {
  return createBuiltinVersions(runtimeConfig, features);
}

function createImpersonation(
  authorizer: Authorizer,
  features: Features,
  { metrics, clock }: Pick<IdentityParts, 'metrics' | 'clock'>,
): Filter {
  return createImpersonationFilter(
    authorizer,
    features,
    createImpersonationMetrics(metrics, clock),
  );
}

function createClusterResolver(options: ControlPlaneOptions, sources: ObjectSources) {
  const { services, endpointSlices } = sources;
  const routing = options.enableAggregatorRouting === false ? 'cluster-ip' : 'endpoints';
  return createServiceResolver({ services, endpointSlices, routing });
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
