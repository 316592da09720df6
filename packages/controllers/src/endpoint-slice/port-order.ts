// The order of ports in slices and Endpoints, and what tells two sets of ports apart. Kubernetes
// orders by a hash of each port; clients that take "the first port" see that order.

import { builtinType, dumpGoStruct, type JsonValue } from '@keelson/apimachinery';
import type { EndpointPort as SubsetPort } from '@keelson/apimachinery/types/core.v1';
import type { EndpointPort } from '@keelson/apimachinery/types/discovery.k8s.io.v1';
import { fnv1a128 } from './fnv1a-128.ts';

/** Of a slice. */
export function orderSlicePorts(ports: readonly EndpointPort[]): EndpointPort[] {
  return inOrderOf(ports, (port) => hashOfBuiltin(port, 'io.k8s.api.discovery.v1.EndpointPort'));
}
/** Of a subset of Endpoints. */
export function orderSubsetPorts(ports: readonly SubsetPort[]): SubsetPort[] {
  return inOrderOf(ports, (port) => hashOfBuiltin(port, 'io.k8s.api.core.v1.EndpointPort'));
}

/** Hexadecimal. */
export function hashOfBuiltin(value: object, typeName: string): string {
  const type = builtinType(typeName);
  if (type === undefined) throw new TypeError(`the schema has no ${typeName}`);
  return fnv1a128(Buffer.from(dumpGoStruct(value as JsonValue, type)));
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
