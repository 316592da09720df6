// The ready addresses behind a service, from its EndpointSlices.

import type { EndpointSlice } from '@keelson/apimachinery/types/discovery.k8s.io.v1';
import type { ObjectSource } from '../object-source.ts';

export interface EndpointAddress {
  readonly host: string;
  readonly port: number;
  /** The pod that it is said to be. */
  readonly pod?: { readonly namespace: string; readonly name: string };
}

/** The label of an EndpointSlice that names its service. */
export const serviceNameLabel = 'kubernetes.io/service-name';

/** The EndpointSlices of a service, in no particular order. */
export function slicesOf(
  source: ObjectSource,
  namespace: string,
  service: string,
): readonly EndpointSlice[] {
  const all = source.list(namespace) as unknown as readonly EndpointSlice[];
  return all.filter(({ metadata }) => metadata.labels?.[serviceNameLabel] === service);
}

/** Ready addresses, with the number that the port of this name has there. */
export function readyAddresses(
  slices: readonly EndpointSlice[],
  portName: string,
): EndpointAddress[] {
  const found: EndpointAddress[] = [];
  for (const { ports, endpoints } of slices) {
    const port = ports?.find((candidate) => (candidate.name ?? '') === portName)?.port;
    if (port === undefined) continue;
    for (const { conditions, addresses, targetRef } of endpoints ?? []) {
      if (conditions?.ready === false) continue;
      const { kind, namespace = '', name = '' } = targetRef ?? {};
      const pod = kind === 'Pod' ? { pod: { namespace, name } } : {};
      for (const host of addresses ?? []) found.push({ host, port, ...pod });
    }
  }
  return found;
}
