// Where a service of the cluster is reached from the control plane, for webhooks and for servers of
// other groups: at one of its ready endpoints, as kube-apiserver with `--enable-aggregator-routing`,
// or at its cluster address, as kube-apiserver without, which needs a kube-proxy on this machine.

import { statusErrors } from '@keelson/apimachinery';
import type { Service, ServicePort } from '@keelson/apimachinery/types/core.v1';
import type { ObjectSource } from '../object-source.ts';
import { readyAddresses, slicesOf } from './service-endpoints.ts';
import type { ServiceResolver } from './webhook-client.ts';

export interface ServiceResolverOptions {
  readonly services: ObjectSource;
  readonly endpointSlices: ObjectSource;
  readonly routing: 'endpoints' | 'cluster-ip';
}

export function createServiceResolver(options: ServiceResolverOptions): ServiceResolver {
  let turn = 0;
  return {
    resolve({ namespace, name, port }) {
      const service = options.services.get(namespace, name) as unknown as Service | undefined;
      if (service === undefined)
        throw statusErrors.notFound({ group: '', resource: 'services' }, name);
      const { type = 'ClusterIP', externalName = '', clusterIP = '' } = service.spec ?? {};
      if (type === 'ExternalName') return { host: externalName, port };
      const servicePort = portOf(service, port);
      if (options.routing === 'cluster-ip') {
        if (clusterIP === 'None') throw new Error('cannot route to service with ClusterIP "None"');
        return { host: clusterIP, port };
      }
      const slices = slicesOf(options.endpointSlices, namespace, name);
      const places = readyAddresses(slices, servicePort.name ?? '');
      const place = places[turn++ % Math.max(places.length, 1)];
      if (place === undefined)
        throw statusErrors.serviceUnavailable(
          `no endpoints available for service ${JSON.stringify(name)}`,
        );
      return place;
    },
  };
}

function portOf({ metadata, spec }: Service, port: number): ServicePort {
  const found = spec?.ports?.find((candidate) => candidate.port === port);
  if (found !== undefined) return found;
  throw statusErrors.serviceUnavailable(
    `no service port ${port} found for service ${JSON.stringify(metadata.name)}`,
  );
}
