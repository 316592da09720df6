// The client of the Kubernetes API: transports, resources, watches, informers and kubeconfig files.

export { createClient } from './client.ts';
export type { Client, ClientOptions } from './client.ts';
export type { ListOf, ResourceClient } from './resource-client.ts';
export type {
  ApplyOptions,
  DeleteOptions,
  GetOptions,
  ListOptions,
  PatchType,
  SelectionOptions,
  WatchOptions,
  WriteOptions,
} from './resource-options.ts';
export { endsInitialEvents } from './watch.ts';
export type { WatchEvent } from './watch.ts';
export type { ApiCall, Impersonation } from './requester.ts';
export type { DiscoveredApi, DiscoveredResource, Discovery } from './discovery.ts';
export { defaultClientLimits } from './limits.ts';
export type { ClientLimits } from './limits.ts';

export { TransportError } from './transport.ts';
export type {
  RequestHeaders,
  Transport,
  TransportErrorCode,
  TransportRequest,
  TransportResponse,
} from './transport.ts';
export { createHttpsTransport } from './https-transport.ts';
export type { HttpsTransportOptions } from './https-transport.ts';
export { createInProcessTransport } from './in-process-transport.ts';
export type {
  InProcessCall,
  InProcessCallRequest,
  InProcessCallResponse,
  InProcessTransportOptions,
  InProcessUser,
} from './in-process-transport.ts';

export { startInformer } from './informer/informer.ts';
export type { Informer, InformerHandler, InformerOptions } from './informer/informer.ts';
export { createInformers } from './informer/informers.ts';
export type { Informers, InformersOptions, SharedInformerOptions } from './informer/informers.ts';
export type { IndexFunction, Indexers, ObjectStore } from './informer/object-store.ts';

export { KubeconfigError, loadKubeconfig, parseKubeconfig } from './kubeconfig.ts';
export type { KubeconfigContext, KubeconfigSource } from './kubeconfig.ts';

export { createBackoff } from './backoff.ts';
export type { Backoff, BackoffOptions } from './backoff.ts';
export { linkAbort, untilAborted } from './linked-abort.ts';
export type { LinkedAbort } from './linked-abort.ts';
