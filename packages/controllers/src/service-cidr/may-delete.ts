// A ServiceCIDR may go when no address in use would be left without a range: each of its ranges is
// within one of another ServiceCIDR, or none of the addresses that the allocator gave out is in it
// alone (KEP-1880). Others that are on their way out still count, as they may yet hold it.

import type { IPAddress, ServiceCIDR } from '@keelson/apimachinery/types/networking.k8s.io.v1';
import { cidrsOf, containsAddress, containsCidr } from './cidr.ts';

const managedByLabel = 'ipaddress.kubernetes.io/managed-by';
const allocator = 'ipallocator.k8s.io';

/** Of those of other managers the ranges say nothing. */
export function isAllocated({ metadata }: IPAddress): boolean {
  return metadata.labels?.[managedByLabel] === allocator;
}

export function mayDelete(
  serviceCidr: ServiceCIDR,
  all: readonly ServiceCIDR[],
  addresses: readonly IPAddress[],
): boolean {
  const others = all
    .filter(({ metadata }) => metadata.name !== serviceCidr.metadata.name)
    .flatMap(cidrsOf);
  const own = cidrsOf(serviceCidr);
  if (own.every((cidr) => others.some((other) => containsCidr(other, cidr)))) return true;
  return addresses
    .filter(isAllocated)
    .map(({ metadata: { name = '' } }) => name)
    .every(
      (address) =>
        !own.some((cidr) => containsAddress(cidr, address)) ||
        others.some((cidr) => containsAddress(cidr, address)),
    );
}
