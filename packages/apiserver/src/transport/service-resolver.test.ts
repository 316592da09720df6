import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '@keelson/apimachinery';
import type { ObjectSource } from '../object-source.ts';
import { createServiceResolver } from './service-resolver.ts';

function sourceOf(...objects: unknown[]): ObjectSource {
  const all = objects as KubeObject[];
  return {
    get: (_namespace, name) => all.find(({ metadata }) => metadata.name === name),
    list: () => all,
    subscribe: () => () => {},
  };
}

const ports = [{ name: 'https', port: 443, targetPort: 9443 }];
const services = sourceOf(
  { metadata: { name: 'hook' }, spec: { type: 'ClusterIP', clusterIP: '10.96.0.7', ports } },
  { metadata: { name: 'empty' }, spec: { clusterIP: '10.96.0.8', ports } },
  { metadata: { name: 'headless' }, spec: { clusterIP: 'None', ports } },
  { metadata: { name: 'away' }, spec: { type: 'ExternalName', externalName: 'hooks.example.com' } },
);
const endpointSlices = sourceOf(
  {
    metadata: { name: 'a', labels: { 'kubernetes.io/service-name': 'hook' } },
    ports: [{ name: 'https', port: 9443 }],
    endpoints: [
      { addresses: ['10.1.0.1'], conditions: { ready: true } },
      { addresses: ['10.1.0.2'], conditions: { ready: false } },
      { addresses: ['10.1.0.3'] },
    ],
  },
  {
    metadata: { name: 'b', labels: { 'kubernetes.io/service-name': 'empty' } },
    ports: [{ name: 'http', port: 80 }],
    endpoints: [{ addresses: ['10.1.0.9'] }],
  },
);

const at = (routing: 'endpoints' | 'cluster-ip', name: string, port = 443) => {
  const { resolve } = createServiceResolver({ services, endpointSlices, routing });
  return () => resolve({ namespace: 'shop', name, port });
};

test('ready endpoints take turns, at the port of the endpoint', () => {
  const next = at('endpoints', 'hook');
  assert.deepEqual(
    [next(), next(), next()].map(({ host, port }) => `${host}:${port}`),
    ['10.1.0.1:9443', '10.1.0.3:9443', '10.1.0.1:9443'],
  );
});

test('the cluster address is at the port of the service', () => {
  assert.deepEqual(at('cluster-ip', 'hook')(), { host: '10.96.0.7', port: 443 });
});

test('a service elsewhere is named by its name', () => {
  assert.deepEqual(at('endpoints', 'away')(), { host: 'hooks.example.com', port: 443 });
});

for (const [what, resolve, message] of [
  ['no service', at('endpoints', 'none'), 'services "none" not found'],
  ['no endpoint', at('endpoints', 'empty'), 'no endpoints available for service "empty"'],
  ['no port', at('cluster-ip', 'hook', 80), 'no service port 80 found for service "hook"'],
  ['no address', at('cluster-ip', 'headless'), 'cannot route to service with ClusterIP "None"'],
] as const)
  test(`no route: ${what}`, () => assert.throws(resolve, { message }));
