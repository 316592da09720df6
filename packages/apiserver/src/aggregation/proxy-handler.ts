// Requests for group versions that another server serves, as kube-aggregator handles them. They
// arrive here authenticated and authorized; the server behind is told who asks and decides again.
//
//   503 service unavailable   it is not known to be available, or has no address
//   502                       it wants to redirect the request elsewhere
//   503 error trying to …     it cannot be reached, or is not who it should be

import { isStatusError } from '@keelson/apimachinery';
import type { APIService } from '@keelson/apimachinery/types/apiregistration.k8s.io.v1';
import { respondText } from '../endpoints/respond.ts';
import type { PathHandler } from '../endpoints/router.ts';
import type { Features } from '../features/features.ts';
import type { Logger } from '../logger.ts';
import type { RequestContext } from '../request-context.ts';
import { formatAddress } from '../transport/outbound.ts';
import { escapePath, proxyRequest, queryOf } from '../transport/reverse-proxy.ts';
import { isAvailable, type ApiServiceTable } from './api-service-table.ts';
import type { Backend, Backends } from './backends.ts';
import { frontProxyHeaders } from './front-proxy-headers.ts';

export interface AggregatorProxyOptions {
  readonly apiServices: ApiServiceTable;
  readonly backends: Backends;
  readonly features: Features;
  readonly logger: Logger;
}

export interface AggregatorProxy {
  /** Answers what belongs to another server; resolves false when this one serves it itself. */
  readonly handler: PathHandler;
  /** Sends any request on to the server behind an APIService. */
  forward(context: RequestContext, apiService: APIService): Promise<void>;
}

export function createAggregatorProxy(options: AggregatorProxyOptions): AggregatorProxy {
  const forward = (context: RequestContext, apiService: APIService) =>
    forwardTo(context, apiService, options);
  return {
    forward,
    async handler(context) {
      const apiService = remoteServiceOf(context.info.path, options.apiServices);
      if (apiService === undefined) return false;
      await forward(context, apiService);
      return true;
    },
  };
}

/** `/apis/GROUP/VERSION` and all below it, when it is served elsewhere; so could be `/api/v1`. */
function remoteServiceOf(path: string, apiServices: ApiServiceTable): APIService | undefined {
  if (apiServices.remote().length === 0) return undefined;
  const [, prefix, first, second] = path.split('/', 4);
  const [group, version] = prefix === 'api' ? ['', first] : [first, second];
  if ((prefix !== 'api' && prefix !== 'apis') || !version || group === undefined) return undefined;
  if (prefix === 'apis' && group === '') return undefined;
  const found = apiServices.find(group, version);
  return found?.spec.service === undefined ? undefined : found;
}

async function forwardTo(
  context: RequestContext,
  apiService: APIService,
  { backends, features, logger }: AggregatorProxyOptions,
): Promise<void> {
  if (!isAvailable(apiService)) return unavailable(context);
  let backend: Backend;
  try {
    backend = backends.trusted(apiService);
  } catch (error) {
    logger.warn('an APIService has no address', {
      name: apiService.metadata.name,
      error: String(error),
    });
    return unavailable(context);
  }
  const { client, address } = backend;
  const target = {
    client,
    address,
    protocol: 'https' as const,
    prefix: '',
    // SECURITY: the path that was authorized, not another reading of the one that was sent.
    path: escapePath(context.info.path),
    query: queryOf(context.request.url),
  };
  const headers = {
    'x-forwarded-host': formatAddress(address),
    'x-forwarded-proto': 'https',
    'audit-id': context.auditId,
    ...frontProxyHeaders(context.user, features),
  };
  try {
    await proxyRequest(context, target, { headers, refuseRedirects: true });
  } catch (error) {
    if (!isStatusError(error) || context.response.headersSent) throw error;
    logger.warn('an extension API server cannot be reached', {
      name: apiService.metadata.name,
      error: error.message,
    });
    respondText(context, `${error.message}\n`, 503);
  }
}

const unavailable = (context: RequestContext): void =>
  respondText(context, 'service unavailable\n', 503);
