// The order of ports in slices and Endpoints, and what tells two sets of ports apart. Clients that
// take "the first port" see the order: slices have it by name, Endpoints by a hash, as Kubernetes
// orders them.

import { createHash } from 'node:crypto';
import { builtinType, dumpGoStruct, type JsonValue } from '@keelson/apimachinery';
import type { EndpointPort as SubsetPort } from '@keelson/apimachinery/types/core.v1';
import type { EndpointPort } from '@keelson/apimachinery/types/discovery.k8s.io.v1';

/** Of a slice. */
export function orderSlicePorts(ports: readonly EndpointPort[]): EndpointPort[] {
  return inOrderOf(ports, portText);
}
/** Of a subset of Endpoints. */
export function orderSubsetPorts(ports: readonly SubsetPort[]): SubsetPort[] {
  return inOrderOf(ports, (port) => hashOfBuiltin(port, 'io.k8s.api.core.v1.EndpointPort'));
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
  return ports.map(portText).toSorted().join();
}

function portText({ name = '', protocol = 'TCP', port, appProtocol }: EndpointPort): string {
  return JSON.stringify([name, protocol, port ?? null, appProtocol ?? null]);
}

function inOrderOf<T>(items: readonly T[], textOf: (item: T) => string): T[] {
  if (items.length < 2) return [...items];
  const withText = items.map((item) => ({ item, text: textOf(item) }));
  return withText.toSorted((a, b) => (a.text < b.text ? -1 : 1)).map(({ item }) => item);
}
