// The client: resources by group, version and name, discovery, and any other path.

import {
  systemClock,
  systemRandom,
  type Clock,
  type GroupVersionResource,
  type KubeObject,
  type Random,
} from '@keelson/apimachinery';
import { createDiscovery, type Discovery } from './discovery.ts';
import { defaultClientLimits, type ClientLimits } from './limits.ts';
import {
  createRequester,
  type ApiCall,
  type Impersonation,
  type RequesterOptions,
} from './requester.ts';
import { createResourceClient, type ResourceClient } from './resource-client.ts';
import type { Transport, TransportResponse } from './transport.ts';

export interface ClientOptions {
  /** Belongs to the client from now on, and is closed with it. */
  readonly transport: Transport;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly limits?: Partial<ClientLimits>;
  /** Its first word names the field manager of writes that name none. */
  readonly userAgent?: string;
  readonly impersonate?: Impersonation;
  /** Called with each text of a `Warning` header. */
  readonly onWarning?: (text: string) => void;
}

export interface Client {
  resource<T extends KubeObject = KubeObject>(resource: GroupVersionResource): ResourceClient<T>;
  /**
   * The same verbs with answers cut down to apiVersion, kind and metadata (PartialObjectMetadata).
   */
  metadata(resource: GroupVersionResource): ResourceClient;
  readonly discovery: Discovery;
  /** Any other path: the whole body, or the answer as a stream. */
  send(call: ApiCall): Promise<Uint8Array>;
  open(call: ApiCall): Promise<TransportResponse>;
  close(): void;
  [Symbol.dispose](): void;
}

export function createClient(options: ClientOptions): Client {
  const { transport, clock = systemClock, random = systemRandom } = options;
  const limits: ClientLimits = { ...defaultClientLimits, ...options.limits };
  const requester = createRequester(requesterOptions(options, clock, limits));
  const dependencies = { requester, clock, random, limits };
  return {
    resource: (resource) => createResourceClient(dependencies, { resource }),
    metadata: (resource) => createResourceClient(dependencies, { resource, metadataOnly: true }),
    discovery: createDiscovery(requester),
    send: (call) => requester.send(call),
    open: (call) => requester.open(call),
    close: () => transport.close(),
    [Symbol.dispose]: () => transport.close(),
  };
}

function requesterOptions(
  { transport, userAgent = 'keelson-client', impersonate, onWarning }: ClientOptions,
  clock: Clock,
  limits: ClientLimits,
): RequesterOptions {
  return {
    transport,
    clock,
    limits,
    userAgent,
    ...(impersonate === undefined ? {} : { impersonate }),
    ...(onWarning === undefined ? {} : { onWarning }),
  };
}
