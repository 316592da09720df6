// Warnings about the specification of a claim, for claims and for templates of claims.

import { parseQuantity, quantityMilliValue } from '@keelson/apimachinery';
import type { PersistentVolumeClaimSpec } from '@keelson/apimachinery/types/core.v1';

export function claimSpecWarnings(path: string, spec: PersistentVolumeClaimSpec): string[] {
  const { requests, limits } = spec.resources ?? {};
  return [
    ...fractionalBytes(`${path}.resources.requests[storage]`, requests?.['storage']),
    ...fractionalBytes(`${path}.resources.limits[storage]`, limits?.['storage']),
  ];
}

/** Bytes come whole; a quantity like `100m` is most likely a slip for `100M`. */
export function fractionalBytes(path: string, text: string | undefined): string[] {
  if (text === undefined || quantityMilliValue(parseQuantity(text)) % 1000n === 0n) return [];
  return [`${path}: fractional byte value ${JSON.stringify(text)} is invalid, must be an integer`];
}
