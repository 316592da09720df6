// The order of ports in slices and Endpoints, and what tells two sets of ports apart. Kubernetes
// orders by a hash of each port; clients that take "the first port" see that order.

import { createHash } from 'node:crypto';
import { builtinType, dumpGoStruct, type JsonValue } from '@keelson/apimachinery';
import type { EndpointPort as SubsetPort } from '@keelson/apimachinery/types/core.v1';
import type { EndpointPort } from '@keelson/apimachinery/types/discovery.k8s.io.v1';

/** Of a slice. */
export function orderSlicePorts(ports: readonly EndpointPort[]): EndpointPort[] {
  return byHash(ports, (port) => hashOfBuiltin(port, 'io.k8s.api.discovery.v1.EndpointPort'));
}
/** Of a subset of Endpoints. */
export function orderSubsetPorts(ports: readonly SubsetPort[]): SubsetPort[] {
  return byHash(ports, (port) => hashOfBuiltin(port, 'io.k8s.api.core.v1.EndpointPort'));
}

/** Hexadecimal. MD5 is as good as any: nothing depends on it but the order. */
export function hashOfBuiltin(value: object, typeName: string): string {
  const type = builtinType(typeName);
  if (type === undefined) throw new TypeError(`the schema has no ${typeName}`);
  return createHash('md5')
    .update(dumpGoStruct(value as JsonValue, type))
    .digest('hex');
}

/** Equal for the same ports, in whatever order. */
export function portsKey(ports: readonly EndpointPort[]): string {
  const texts = ports.map(({ name = '', protocol = 'TCP', port, appProtocol }) =>
    JSON.stringify([name, protocol, port ?? null, appProtocol ?? null]),
  );
  return texts.toSorted().join();
}

function byHash<T>(items: readonly T[], hashOf: (item: T) => string): T[] {
  if (items.length < 2) return [...items];
  const hashed = items.map((item) => ({ item, hash: hashOf(item) }));
  return hashed.toSorted((a, b) => (a.hash < b.hash ? -1 : 1)).map(({ item }) => item);
}
