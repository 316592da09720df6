// The extension servers behind APIServices: how to connect to each, and as whom. A client is kept
// while the APIService asks for the same TLS policy, so connections are used again.

import type { Clock } from '@keelson/apimachinery';
import type { APIService } from '@keelson/apimachinery/types/apiregistration.k8s.io.v1';
import type { KeyPairPem } from '../authentication/certificates/certificate-authority.ts';
import {
  createOutboundClient,
  type Address,
  type OutboundClient,
  type Route,
} from '../transport/outbound.ts';
import type { ServiceResolver } from '../transport/webhook-client.ts';
import { backingService } from './api-service-table.ts';

export interface Backend {
  readonly client: OutboundClient;
  readonly address: Address;
}

export interface BackendOptions {
  readonly resolver: ServiceResolver;
  /** Our front-proxy certificate; extension servers believe our headers because of it. */
  readonly frontProxy: () => KeyPairPem;
  readonly route?: Route;
  readonly clock: Clock;
}

export interface Backends {
  /** For requests of clients: the server must prove that it is the service. Throws the resolver's. */
  trusted(apiService: APIService): Backend;
  /** For probes, which reveal nothing: whoever answers at the address. */
  unverified(apiService: APIService): Backend;
  /** Closes what is kept for an APIService that is gone. */
  forget(name: string): void;
  close(): void;
}

interface KeptClient {
  readonly policy: string;
  readonly client: OutboundClient;
}

export function createBackends(options: BackendOptions): Backends {
  const clients = new Map<string, KeptClient>();
  let probing: OutboundClient | undefined;
  const { clock } = options;
  const route = { clock, ...(options.route === undefined ? {} : { route: options.route }) };
  const identity = () => {
    const { certificatePem, privateKeyPem } = options.frontProxy();
    return { certificate: certificatePem, key: privateKeyPem };
  };
  const clientOf = (apiService: APIService): OutboundClient => {
    const name = apiService.metadata.name ?? '';
    const tls = tlsOf(apiService);
    const policy = JSON.stringify(tls);
    const kept = clients.get(name);
    if (kept?.policy === policy) return kept.client;
    kept?.client.close();
    const client = createOutboundClient({ tls: { ...tls, ...identity() }, ...route });
    clients.set(name, { policy, client });
    return client;
  };
  return {
    trusted: (apiService) => ({
      client: clientOf(apiService),
      address: addressOf(apiService, options),
    }),
    unverified(apiService) {
      probing ??= createOutboundClient({
        tls: { insecureSkipVerify: true, ...identity() },
        ...route,
      });
      return { client: probing, address: addressOf(apiService, options) };
    },
    forget(name) {
      clients.get(name)?.client.close();
      clients.delete(name);
    },
    close() {
      probing?.close();
      for (const { client } of clients.values()) client.close();
      clients.clear();
    },
  };
}

function addressOf(apiService: APIService, { resolver }: BackendOptions): Address {
  const service = backingService(apiService);
  if (service === undefined) throw new Error('an APIService of this server has no address');
  return resolver.resolve(service);
}

function tlsOf({ spec }: APIService) {
  const { namespace = '', name = '' } = spec.service ?? {};
  const serverName = `${name}.${namespace}.svc`;
  if (spec.insecureSkipTLSVerify === true) return { serverName, insecureSkipVerify: true };
  if (!spec.caBundle) return { serverName };
  return { serverName, ca: Buffer.from(spec.caBundle, 'base64').toString('utf8') };
}
