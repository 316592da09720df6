// The aggregation layer as one part: what it answers, what it adds to discovery and OpenAPI, and its
// controllers. Kubernetes has a server of its own for this in front of the others; here it is asked
// before them.

import type { Clock } from '@keelson/apimachinery';
import type { KeyPairPem } from '../authentication/certificates/certificate-authority.ts';
import type { Registrations } from '../endpoints/discovery/registrations.ts';
import type { RemoteOpenApi } from '../endpoints/openapi/remote-openapi.ts';
import type { PathHandler } from '../endpoints/router.ts';
import type { Features } from '../features/features.ts';
import type { Logger } from '../logger.ts';
import type { Metrics } from '../metrics.ts';
import type { ObjectSources } from '../object-sources.ts';
import type { StoreScope } from '../registry/store-types.ts';
import type { Route } from '../transport/outbound.ts';
import type { ServiceResolver } from '../transport/webhook-client.ts';
import type { Storage } from '../storage/storage.ts';
import { createApiServiceTable } from './api-service-table.ts';
import { startAutoRegistration } from './auto-registration.ts';
import { startAvailabilityController } from './availability-controller.ts';
import { createBackends } from './backends.ts';
import { createProxiedOpenApi } from './proxied-openapi.ts';
import { createAggregatorProxy } from './proxy-handler.ts';
import { createRegistrations } from './registered-groups.ts';
import { createRemoteDocuments } from './remote-documents.ts';

export interface AggregatorOptions {
  readonly sources: Pick<
    ObjectSources,
    'apiServices' | 'services' | 'endpointSlices' | 'customResourceDefinitions'
  >;
  readonly storage: Storage;
  /** The store of APIServices; asked for after the server was put together. */
  readonly scope: () => StoreScope;
  readonly resolver: ServiceResolver;
  /** Where resolved addresses are reached, if not there. */
  readonly route?: Route;
  /** Client certificate that extension servers believe, made when it is first needed. */
  readonly frontProxy: () => KeyPairPem;
  readonly features: Features;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly logger: Logger;
  /** Aborted when the server ends. */
  readonly signal: AbortSignal;
}

export interface Aggregator {
  readonly handler: PathHandler;
  readonly registrations: Registrations;
  readonly openApi: RemoteOpenApi;
  /** Starts the controllers, once the store can be written. */
  start(): void;
}

export function createAggregator(options: AggregatorOptions): Aggregator {
  const { sources, features, clock, logger, signal } = options;
  const apiServices = createApiServiceTable(sources.apiServices, signal);
  const backends = createBackends(options);
  signal.addEventListener('abort', () => backends.close(), { once: true });
  const proxy = createAggregatorProxy({ apiServices, backends, features, logger });
  const documents = createRemoteDocuments({
    apiServices,
    backends,
    features,
    clock,
    logger,
    signal,
  });
  return {
    handler: proxy.handler,
    registrations: createRegistrations(apiServices, documents),
    openApi: createProxiedOpenApi({ apiServices, documents, proxy }),
    start() {
      startAutoRegistration({
        definitions: sources.customResourceDefinitions,
        apiServices: sources.apiServices,
        scope: options.scope,
        logger,
        signal,
      });
      startAvailabilityController({
        ...options,
        ...sources,
        table: apiServices,
        backends,
        onAvailable: documents.refresh,
      });
    },
  };
}
