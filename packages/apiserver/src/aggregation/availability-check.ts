// Is the server behind an APIService there? The steps and texts of kube-aggregator:
//
//   Local                  this server serves it
//   ServiceNotFound        no such Service
//   ServicePortError       the Service does not listen on the port
//   EndpointsNotFound      no EndpointSlice belongs to the Service
//   MissingEndpoints       none of its endpoints is ready at that port
//   FailedDiscoveryCheck   five tries to read its discovery document failed
//   Passed                 one of them did not

import type { Clock } from '@keelson/apimachinery';
import type {
  APIService,
  APIServiceCondition,
} from '@keelson/apimachinery/types/apiregistration.k8s.io.v1';
import type { Service } from '@keelson/apimachinery/types/core.v1';
import type { Features } from '../features/features.ts';
import type { ObjectSource } from '../object-source.ts';
import { readyAddresses, slicesOf } from '../transport/service-endpoints.ts';
import { formatAddress } from '../transport/outbound.ts';
import { backingService } from './api-service-table.ts';
import type { Backends } from './backends.ts';
import { aggregatorUser, frontProxyHeaders } from './front-proxy-headers.ts';

export type Availability = Required<Pick<APIServiceCondition, 'status' | 'reason' | 'message'>>;

export interface AvailabilityOptions {
  readonly services: ObjectSource;
  readonly endpointSlices: ObjectSource;
  readonly backends: Backends;
  readonly features: Features;
  readonly clock: Clock;
}

/** Never rejects: whatever goes wrong is an answer. */
export async function checkAvailability(
  apiService: APIService,
  options: AvailabilityOptions,
): Promise<Availability> {
  const service = backingService(apiService);
  if (service === undefined) return locallyAvailable;
  const problem = serviceProblem(service, options);
  if (problem !== undefined) return { status: 'False', ...problem };
  const failure = await probe(apiService, options);
  return failure === undefined
    ? { status: 'True', reason: 'Passed', message: 'all checks passed' }
    : { status: 'False', reason: 'FailedDiscoveryCheck', message: failure };
}

const locallyAvailable: Availability = {
  status: 'True',
  reason: 'Local',
  message: 'Local APIServices are always available',
};

type Problem = Omit<Availability, 'status'>;

function serviceProblem(
  wanted: { readonly namespace: string; readonly name: string; readonly port: number },
  { services, endpointSlices }: AvailabilityOptions,
): Problem | undefined {
  const { namespace, name, port } = wanted;
  const about = `service/${name} in ${JSON.stringify(namespace)}`;
  const service = services.get(namespace, name) as unknown as Service | undefined;
  if (service === undefined)
    return { reason: 'ServiceNotFound', message: `${about} is not present` };
  if ((service.spec?.type ?? 'ClusterIP') !== 'ClusterIP') return undefined;
  const servicePort = service.spec?.ports?.find((p) => p.port === port);
  if (servicePort === undefined)
    return { reason: 'ServicePortError', message: `${about} is not listening on port ${port}` };
  const slices = slicesOf(endpointSlices, namespace, name);
  if (slices.length === 0)
    return { reason: 'EndpointsNotFound', message: `cannot find endpointslices for ${about}` };
  const portName = servicePort.name ?? '';
  if (readyAddresses(slices, portName).length === 0)
    return {
      reason: 'MissingEndpoints',
      message: `endpointslices for ${about} have no addresses with port name ${JSON.stringify(portName)}`,
    };
  return undefined;
}

/** Several, because each may meet another endpoint. */
const attempts = 5;
const attemptTimeoutMs = 5_000;

/** Undefined as soon as one attempt succeeds; else what the last one met. */
async function probe(
  apiService: APIService,
  options: AvailabilityOptions,
): Promise<string | undefined> {
  const over = new AbortController();
  let last = '';
  const results = Array.from({ length: attempts }, () =>
    attempt(apiService, options, over.signal).catch((error: unknown) => {
      last = error instanceof Error ? error.message : String(error);
      throw error;
    }),
  );
  try {
    await Promise.any(results);
    return undefined;
  } catch {
    return last;
  } finally {
    over.abort();
  }
}

async function attempt(
  apiService: APIService,
  { backends, features, clock }: AvailabilityOptions,
  over: AbortSignal,
): Promise<void> {
  const { client, address } = backends.unverified(apiService);
  const path = discoveryPath(apiService);
  const url = `https://${formatAddress(address)}${path}`;
  const timeout = new AbortController();
  const cancel = clock.after(attemptTimeoutMs, () => timeout.abort());
  try {
    const { message } = await client.call({
      protocol: 'https',
      address,
      method: 'GET',
      path,
      headers: { host: formatAddress(address), ...frontProxyHeaders(aggregatorUser, features) },
      signal: AbortSignal.any([over, timeout.signal]),
    });
    message.destroy();
    const { statusCode = 0 } = message;
    if (statusCode < 200 || statusCode >= 300)
      throw new Error(`bad status from ${url}: ${statusCode}`);
  } catch (error) {
    const why = timeout.signal.aborted
      ? `Get "${url}": context deadline exceeded (Client.Timeout exceeded while awaiting headers)`
      : causeText(error, url);
    throw new Error(`failing or missing response from ${url}: ${why}`, { cause: error });
  } finally {
    cancel();
  }
}

/** As Go's http.Client: what happened to the connection says for which request. */
function causeText(error: unknown, url: string): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.startsWith('bad status') ? text : `Get "${url}": ${text}`;
}

export function discoveryPath({ metadata, spec }: APIService): string {
  return metadata.name === 'v1.'
    ? `/api/${spec.version}`
    : `/apis/${spec.group ?? ''}/${spec.version}`;
}
