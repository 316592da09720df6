// Endpoints, the predecessor of EndpointSlices.

import type { Endpoints, EndpointSubset } from '@keelson/apimachinery/types/core.v1';
import { age, noneText } from '../../printing/cells.ts';
import type { Strategy } from '../../strategy.ts';
import { endpointsWarnings } from './warnings.ts';
import { validateEndpoints } from './validation.ts';

/** How many addresses the table shows. */
const shownMax = 3;

export const endpointsStrategy: Strategy<Endpoints> = {
  applyDefaults(endpoints) {
    for (const subset of endpoints.subsets ?? []) {
      for (const port of subset.ports ?? []) port.protocol ||= 'TCP';
    }
  },
  validate: (endpoints, { features }) => validateEndpoints(endpoints, undefined, features),
  warningsOnCreate: endpointsWarnings,
  validateUpdate: (endpoints, old, { features }) => validateEndpoints(endpoints, old, features),
  warningsOnUpdate: endpointsWarnings,
  allowCreateOnUpdate: true,
  tableCells: (endpoints, nowMs) => [
    endpoints.metadata.name,
    addressesText(endpoints.subsets ?? []),
    age(endpoints, nowMs),
  ],
};

function addressesText(subsets: readonly EndpointSubset[]): string {
  if (subsets.length === 0) return noneText;
  const all = subsets.flatMap(({ addresses = [], ports = [] }) =>
    ports.length === 0
      ? addresses.map(({ ip }) => ip)
      : ports.flatMap(({ port }) => addresses.map(({ ip }) => hostPort(ip, port))),
  );
  const shown = all.slice(0, shownMax).join(',');
  return all.length > shownMax ? `${shown} + ${all.length - shownMax} more...` : shown;
}

function hostPort(ip: string, port: number): string {
  return ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`;
}
