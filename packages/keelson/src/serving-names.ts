// What the API server is called: names and addresses in its serving certificate, and the ranges of
// Services, the first address of which is its own inside the cluster.

import { parseServiceRanges, type ServiceRanges } from '@keelson/apiserver';
import type { ServingNames } from './pki.ts';

export const defaultServiceRanges: ServiceRanges = parseServiceRanges('10.96.0.0/16');

/** `addresses`: where it listens besides this machine's own. */
export function servingNamesOf(
  { apiServerAddress }: ServiceRanges,
  addresses: readonly string[] = [],
): ServingNames {
  return {
    dnsNames: [
      'localhost',
      'kubernetes',
      'kubernetes.default',
      'kubernetes.default.svc',
      'kubernetes.default.svc.cluster.local',
    ],
    ipAddresses: [...new Set(['127.0.0.1', apiServerAddress, ...addresses])],
  };
}
