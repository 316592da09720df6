// EndpointSlices.

import type { Endpoint, EndpointSlice } from '@keelson/apimachinery/types/discovery.k8s.io.v1';
import { advanceGeneration, startGeneration } from '../../generation.ts';
import { age, unsetText } from '../../printing/cells.ts';
import type { Strategy } from '../../strategy.ts';
import { isSemanticallyEqual } from '../../validation/equality.ts';
import { dns1123Subdomain } from '../../validation/names.ts';
import { ipWarnings } from '../../validation/networks.ts';
import { validateEndpointSlice, validateEndpointSliceUpdate } from './validation.ts';

const hostnameLabel = 'kubernetes.io/hostname';
/** How many ports and addresses the table shows. */
const shownMax = 3;

export const endpointSliceStrategy: Strategy<EndpointSlice> = {
  applyDefaults({ ports }) {
    for (const port of ports ?? []) {
      port.name ??= '';
      port.protocol ??= 'TCP';
    }
  },
  prepareForCreate(slice) {
    startGeneration(slice);
    dropTopology(slice, undefined);
  },
  prepareForUpdate(slice, old) {
    advanceGeneration(slice, old, hasChanged(slice, old));
    dropTopology(slice, old);
  },
  validate: (slice, { features }) => validateEndpointSlice(slice, undefined, features),
  warningsOnCreate: (slice) => [
    ...(slice.addressType === 'FQDN' ? ['spec.addressType: FQDN endpoints are deprecated'] : []),
    ...addressWarnings(slice),
  ],
  validateUpdate: (slice, old, { features }) => validateEndpointSliceUpdate(slice, old, features),
  warningsOnUpdate: addressWarnings,
  tableCells: (slice, nowMs) => [
    slice.metadata.name,
    slice.addressType,
    firstOf((slice.ports ?? []).map(({ port, name }) => String(port ?? name ?? '*'))),
    firstOf((slice.endpoints ?? []).flatMap(({ addresses }) => addresses ?? [])),
    age(slice, nowMs),
  ],
};

function firstOf(texts: readonly string[]): string {
  const shown = texts.slice(0, shownMax).join(',');
  if (texts.length > shownMax) return `${shown} + ${texts.length - shownMax} more...`;
  return shown || unsetText;
}

/** Labels count as well: they say whose endpoints these are. */
function hasChanged(slice: EndpointSlice, old: EndpointSlice): boolean {
  return (
    !isSemanticallyEqual({ ...slice, metadata: null }, { ...old, metadata: null }) ||
    !isSemanticallyEqual(slice.metadata.labels ?? {}, old.metadata.labels ?? {})
  );
}

/**
 * `deprecatedTopology` can no longer be written. A node name that only stands there moves to where
 * it belongs, so that a client that knows the old field does not lose it.
 */
function dropTopology(slice: EndpointSlice, old: EndpointSlice | undefined): void {
  if (old && isSemanticallyEqual(old.endpoints, slice.endpoints)) return;
  const nodeOf = ({ deprecatedTopology }: Endpoint) => deprecatedTopology?.[hostnameLabel];
  const before = new Set((old?.endpoints ?? []).map(nodeOf));
  for (const endpoint of slice.endpoints ?? []) {
    const node = nodeOf(endpoint);
    if (endpoint.nodeName === undefined && node !== undefined && before.has(node)) {
      if (dns1123Subdomain(node).length === 0) endpoint.nodeName = node;
    }
    delete endpoint.deprecatedTopology;
  }
}

/** COMPAT: Kubernetes names a `spec` that the kind does not have. */
function addressWarnings({ addressType, endpoints }: EndpointSlice): string[] {
  if (addressType === 'FQDN') return [];
  const warnings: string[] = [];
  endpoints?.forEach(({ addresses }, i) => {
    addresses?.forEach((address, j) => {
      warnings.push(...ipWarnings(`spec.endpoints[${i}].addresses[${j}]`, address));
    });
  });
  return warnings;
}
