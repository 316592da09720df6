// Warnings about addresses of Endpoints that only pass by the rules of old.

import type { Endpoints } from '@keelson/apimachinery/types/core.v1';
import { ipWarnings } from '../../validation/networks.ts';

export function endpointsWarnings({ subsets }: Endpoints): string[] {
  const warnings: string[] = [];
  subsets?.forEach((subset, i) => {
    for (const field of ['addresses', 'notReadyAddresses'] as const) {
      subset[field]?.forEach(({ ip }, j) => {
        warnings.push(...ipWarnings(`subsets[${i}].${field}[${j}].ip`, ip));
      });
    }
  });
  return warnings;
}
