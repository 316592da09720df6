// Which ranges of addresses hold which addresses and ranges. Both are as the API has let them in.

import { BlockList, isIPv6 } from 'node:net';
import type { ServiceCIDR } from '@keelson/apimachinery/types/networking.k8s.io.v1';

export interface Cidr {
  readonly address: string;
  readonly bits: number;
  readonly family: 'ipv4' | 'ipv6';
}

const familyOf = (address: string) => (isIPv6(address) ? 'ipv6' : 'ipv4');

export function cidrsOf({ spec }: ServiceCIDR): readonly Cidr[] {
  return (spec?.cidrs ?? []).map((text) => {
    const [address = '', bits = ''] = text.split('/');
    return { address, bits: Number(bits), family: familyOf(address) };
  });
}

export function containsAddress({ address, bits, family }: Cidr, other: string): boolean {
  if (family !== familyOf(other)) return false;
  const block = new BlockList();
  block.addSubnet(address, bits, family);
  return block.check(other, family);
}

/** Also when they are the same. */
export function containsCidr(outer: Cidr, inner: Cidr): boolean {
  return outer.bits <= inner.bits && containsAddress(outer, inner.address);
}

export function overlap(a: Cidr, b: Cidr): boolean {
  return containsCidr(a, b) || containsCidr(b, a);
}
