// Puts one API server together from its parts: sources, authenticators, authorizers, admission,
// endpoints, pipeline. Opens no socket; the caller hands `serve` to a listener or calls it in
// process.

import { systemClock, systemRandom, type Clock, type Random } from '@keelson/apimachinery';
import { createTimedAdmission } from './admission/admission-metrics.ts';
import type { AdmissionPlugin } from './admission/admission.ts';
import type { Aggregator } from './aggregation/create-aggregator.ts';
import { createAuthenticationMetrics } from './authentication/authentication-metrics.ts';
import type { Authenticator } from './authentication/authenticator.ts';
import type { IdentityHeaders } from './authentication/headers.ts';
import type { Authorizer } from './authorization/authorizer.ts';
import { defaultLimits, type ServerLimits } from './config.ts';
import { createDiscoveryDocuments } from './endpoints/discovery/documents.ts';
import { createHealthChecks } from './endpoints/health-checks.ts';
import { createOpenApiDocuments } from './endpoints/openapi/documents.ts';
import { createOpenApiPaths } from './endpoints/openapi/endpoint.ts';
import { createRootPaths, type IssuerDocuments, type VersionInfo } from './endpoints/root-paths.ts';
import { createRouter } from './endpoints/router.ts';
import type { EndpointServices } from './endpoints/resource-request.ts';
import { createRevisionWaits } from './endpoints/revision-waits.ts';
import type { Features } from './features/features.ts';
import { createAuthenticationFilter } from './filters/authentication.ts';
import { createAuthorizationFilter } from './filters/authorization.ts';
import { createDeadlineFilter } from './filters/deadline.ts';
import {
  startFlowControl,
  type FlowControl,
  type FlowControlServices,
  type FlowControlSources,
} from './filters/flow-control/start-flow-control.ts';
import { createExplainFilters } from './filters/explain/explain.ts';
import {
  createSchedulingEndpoint,
  type ExplainScheduling,
} from './filters/explain/scheduling-endpoint.ts';
import { createTraceEndpoint } from './filters/explain/trace-endpoint.ts';
import { createTraceStore } from './filters/explain/trace-store.ts';
import { createMaxInFlightFilter } from './filters/max-in-flight.ts';
import { createRequestMetricsFilter } from './filters/request-metrics.ts';
import { createRespondErrorsFilter } from './filters/respond-errors.ts';
import { silentLogger, type Logger } from './logger.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { createBuiltinEndpoints, type BuiltinParts } from './registry/builtin-endpoints.ts';
import {
  createResourceIndex,
  type ResourceEndpoint,
  type ResourceIndex,
} from './registry/resource-endpoint.ts';
import {
  createBuiltinVersions,
  type ServedVersions,
} from './registry/api-versions/runtime-config.ts';
import type { StoreDependencies, StoreScope } from './registry/store-types.ts';
import { composePipeline, type Filter } from './request-pipeline.ts';
import { createServe } from './serve.ts';
import type { Storage } from './storage/storage.ts';
import type { ServeRequest } from './transport/in-process.ts';

export interface ApiServerParts {
  readonly storage: Storage;
  readonly features: Features;
  readonly authenticator: Authenticator;
  /** Of the authenticating proxy, besides the standard ones; nobody else gets to see them. */
  readonly identityHeaders?: IdentityHeaders;
  readonly authorizer: Authorizer;
  readonly impersonation: Filter;
  readonly audit: Filter;
  readonly admissionPlugins: readonly AdmissionPlugin[];
  readonly builtin: BuiltinParts;
  /** Which built-in versions are served; absent: those of `--runtime-config` without settings. */
  readonly servedVersions?: ServedVersions;
  readonly issuer: IssuerDocuments;
  readonly version: VersionInfo;
  /** Group versions that other servers serve, and the order of all of them. */
  readonly aggregator?: Pick<Aggregator, 'handler' | 'registrations' | 'openApi'>;
  /**
   * The objects of API Priority and Fairness. Absent: it is off, and the numbers of concurrent requests
   * are bounded instead.
   */
  readonly flowControl?: FlowControlSources | undefined;
  /** `host:port` under which clients reach the server, for discovery. */
  readonly serverAddress: () => string;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly limits?: ServerLimits;
  readonly logger?: Logger;
  readonly metrics?: Metrics;
  /** The scheduler, once and as long as it runs beside this server. */
  readonly scheduling?: () => ExplainScheduling | undefined;
}

export interface ApiServer {
  readonly serve: ServeRequest;
  readonly index: ResourceIndex;
  readonly metrics: Metrics;
  readonly dependencies: StoreDependencies;
  /** The store of a built-in resource, also of one that is not served. */
  scopeOf(group: string, resource: string): StoreScope;
  /** `/readyz` fails before this was called. */
  markStarted(): void;
  /** `/readyz` fails, watches end; requests under way may finish. */
  shutDown(): void;
}

export function createApiServer(parts: ApiServerParts): ApiServer {
  const {
    storage,
    features,
    clock = systemClock,
    random = systemRandom,
    limits = defaultLimits,
    logger = silentLogger,
    metrics = createMetrics(),
    aggregator,
  } = parts;
  const dependencies: StoreDependencies = { storage, clock, random, features, limits };
  const shutdown = new AbortController();
  let started = false;
  let storageProblem: string | undefined;
  const endpoints = createBuiltinEndpoints(parts.builtin, dependencies);
  const index = createServedIndex(endpoints, parts);
  const environment = { clock, limits, shutdown: shutdown.signal };
  const services: EndpointServices = {
    admission: createTimedAdmission(parts.admissionPlugins, metrics, clock),
    features,
    ...environment,
    revisionWaits: createRevisionWaits({ storage, ...environment }),
    jitter: () => random.float(),
  };
  const health = createHealthChecks({
    isStarted: () => started,
    isShuttingDown: () => shutdown.signal.aborted,
    storageProblem: () => storageProblem,
  });
  watchStorageHealth(storage, shutdown.signal, (problem) => (storageProblem = problem));
  const discovery = createDiscoveryDocuments(index, parts.serverAddress, aggregator?.registrations);
  const rootPaths = createRootPaths({
    discovery,
    health,
    metrics,
    version: parts.version,
    issuer: parts.issuer,
    onHealthFailure: (check, reason) => logger.warn('health check failed', { check, reason }),
  });
  const openApi = createOpenApiPaths(
    createOpenApiDocuments(index, parts.version.gitVersion, aggregator?.openApi),
    aggregator?.openApi,
  );
  const flowControl = createFlowControl(parts, { ...dependencies, index, metrics }, shutdown);
  const explanation = createExplanation(parts, { index, limits, random });
  const paths = [...openApi, ...flowControl.paths, ...explanation.paths, ...rootPaths];
  const pipeline = composePipeline({
    'request-metrics': createRequestMetricsFilter(metrics, clock, index),
    'respond-errors': createRespondErrorsFilter(logger),
    deadline: createDeadlineFilter(clock, limits),
    ...explanation.filters,
    authentication: createIdentification(parts, { metrics, clock, logger }),
    audit: parts.audit,
    impersonation: parts.impersonation,
    'flow-control': flowControl.filter,
    authorization: createAuthorizationFilter(parts.authorizer, { features, metrics, clock }),
    endpoints: createRouter({
      index,
      services,
      paths,
      ...(aggregator === undefined ? {} : { delegate: aggregator.handler }),
    }),
  });
  return {
    serve: createServe({ pipeline, clock, random, limits, logger, cbor: speaksCbor(features) }),
    index,
    metrics,
    dependencies,
    scopeOf: (group, resource) => scopeAmong(endpoints, group, resource),
    markStarted: () => void (started = true),
    shutDown: () => shutdown.abort(),
  };
}

function createIdentification(
  { authenticator, identityHeaders, features }: ApiServerParts,
  { metrics, clock, logger }: Required<Pick<ApiServerParts, 'metrics' | 'clock' | 'logger'>>,
): Filter {
  return createAuthenticationFilter({
    authenticator,
    logger,
    metrics: createAuthenticationMetrics(metrics, clock),
    ...(identityHeaders === undefined ? {} : { identityHeaders }),
    endsAnonymousConnections: features.enabled('UnauthenticatedHTTP2DOSMitigation'),
  });
}

const speaksCbor = (features: Features) => features.enabled('CBORServingAndStorage');

interface ExplanationServices {
  readonly index: ResourceIndex;
  readonly limits: ServerLimits;
  readonly random: Random;
}

/** How requests were decided, for those who may know. */
function createExplanation(
  { authorizer, scheduling }: ApiServerParts,
  { index, limits, random }: ExplanationServices,
) {
  const store = createTraceStore(limits, random);
  return {
    filters: createExplainFilters(store, authorizer),
    paths: [
      createSchedulingEndpoint({ authorizer, scheduling: scheduling ?? (() => undefined) }),
      createTraceEndpoint({ store, index, authorizer }),
    ],
  };
}

function createFlowControl(
  { flowControl }: ApiServerParts,
  services: Omit<FlowControlServices, 'signal'>,
  { signal }: AbortController,
): FlowControl {
  return flowControl === undefined
    ? { filter: createMaxInFlightFilter(services.limits), paths: [] }
    : startFlowControl(flowControl, { ...services, signal });
}

function createServedIndex(
  endpoints: readonly ResourceEndpoint[],
  { servedVersions, features }: ApiServerParts,
): ResourceIndex {
  const served = servedVersions ?? createBuiltinVersions(new Map(), features);
  const index = createResourceIndex();
  for (const endpoint of endpoints) if (served.isServed(endpoint.definition)) index.put(endpoint);
  return index;
}

function scopeAmong(
  endpoints: readonly ResourceEndpoint[],
  group: string,
  resource: string,
): StoreScope {
  const found = endpoints.find(
    ({ definition, scope }) =>
      scope !== undefined && definition.group === group && definition.resource === resource,
  );
  if (found?.scope === undefined) throw new Error(`no store for ${resource}.${group}`);
  return found.scope;
}

/** A watch on everything ends only when the storage has failed or was closed. */
function watchStorageHealth(
  storage: Storage,
  signal: AbortSignal,
  report: (problem: string) => void,
): void {
  storage.watch('/', { signal, onEvents: () => {}, onEnd: (error) => report(error.message) });
}
