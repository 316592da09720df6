// The objects by which the API server finds the metrics API of simulated nodes: an APIService, its
// Service, and an EndpointSlice with an address that leads to this process. What is there already
// stays as it is: somebody may have a metrics server of their own.

import { isStatusError, type KubeObject } from '@keelson/apimachinery';
import type { Client } from '@keelson/client';

const namespace = 'kube-system';
const name = 'metrics-server';
const group = 'metrics.k8s.io';
const version = 'v1beta1';
const servicePort = 443;
const targetPort = 10_250;
/** In the range of simulated nodes, before the first of them. */
export const metricsAddress = '172.18.0.0';
/** What the certificate of the server is for. */
export const metricsServerName = `${name}.${namespace}.svc`;
const labels = { 'keelson.dev/simulated': 'true', 'k8s-app': name };

export async function registerMetricsApi(client: Client, authorityPem: string): Promise<void> {
  for (const { resource, object } of objects(authorityPem)) {
    const all = client.resource(resource);
    const { metadata } = object;
    const scoped = metadata.namespace === undefined ? all : all.namespace(metadata.namespace);
    try {
      await scoped.create(object);
    } catch (error) {
      if (!isStatusError(error, 'AlreadyExists')) throw error;
    }
  }
}

/** After a start without nodes nobody serves what an earlier one has registered. */
export async function unregisterMetricsApi(client: Client): Promise<void> {
  for (const { resource, object } of objects('').toReversed()) {
    const all = client.resource(resource);
    const { metadata } = object;
    const scoped = metadata.namespace === undefined ? all : all.namespace(metadata.namespace);
    const labelSelector = 'keelson.dev/simulated=true';
    const found = await scoped.list({ labelSelector });
    for (const one of found.items)
      if (one.metadata.name === metadata.name) await scoped.delete(metadata.name ?? '');
  }
}

function objects(authorityPem: string) {
  return [
    {
      resource: { group: '', version: 'v1', resource: 'services' },
      object: {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name, namespace, labels },
        spec: { ports: [{ name: 'https', port: servicePort, targetPort }] },
      } as KubeObject,
    },
    {
      resource: { group: 'discovery.k8s.io', version: 'v1', resource: 'endpointslices' },
      object: {
        apiVersion: 'discovery.k8s.io/v1',
        kind: 'EndpointSlice',
        metadata: {
          name: `${name}-simulated`,
          namespace,
          labels: { ...labels, 'kubernetes.io/service-name': name },
        },
        addressType: 'IPv4',
        endpoints: [{ addresses: [metricsAddress], conditions: { ready: true } }],
        ports: [{ name: 'https', port: targetPort, protocol: 'TCP' }],
      } as KubeObject,
    },
    {
      resource: { group: 'apiregistration.k8s.io', version: 'v1', resource: 'apiservices' },
      object: {
        apiVersion: 'apiregistration.k8s.io/v1',
        kind: 'APIService',
        metadata: { name: `${version}.${group}`, labels },
        spec: {
          group,
          version,
          groupPriorityMinimum: 100,
          versionPriority: 100,
          service: { name, namespace, port: servicePort },
          caBundle: Buffer.from(authorityPem).toString('base64'),
        },
      } as KubeObject,
    },
  ];
}
