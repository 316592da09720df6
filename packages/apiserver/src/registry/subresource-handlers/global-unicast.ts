// Addresses that the server may be sent to by an object: those that mean a host elsewhere.
// Loopback, link-local, multicast, broadcast and unspecified addresses would turn a proxy upon the
// server itself.

import { parseIp } from '@keelson/apimachinery';

/** The prefixes that are not global unicast, as bits to shift away and what is left then. */
const reserved: Readonly<Record<4 | 6, readonly (readonly [shift: bigint, prefix: bigint])[]>> = {
  4: [
    [0n, 0n],
    [0n, 0xffffffffn],
    [24n, 127n],
    [16n, 0xa9fen],
    [28n, 0xen],
  ],
  6: [
    [0n, 0n],
    [0n, 1n],
    [118n, 0x3fan],
    [120n, 0xffn],
  ],
};

/**
 * SECURITY: the address decides where the server connects to; IPv6 forms of IPv4 addresses count as
 * those.
 */
export function isGlobalUnicast(address: string): boolean {
  const ip = parseIp(address);
  if (ip === undefined) return false;
  return !reserved[ip.family].some(([shift, prefix]) => ip.value >> shift === prefix);
}
