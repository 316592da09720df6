// Addresses to which the server opens no connection, wherever a name, a URL or a service leads.
//
// SECURITY: whoever may write a webhook's address makes the server send requests from the control
// plane's network. Link-local addresses are where clouds keep the machine's credentials; nobody
// runs a webhook there. Loopback stays allowed, as in kube-apiserver: webhooks run beside the
// server.

import { lookup, type LookupAddress } from 'node:dns';
import { BlockList, isIPv4, type LookupFunction } from 'node:net';

const forbidden = new BlockList();
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['169.254.0.0', 16],
  ['224.0.0.0', 4],
  ['255.255.255.255', 32],
] as const)
  forbidden.addSubnet(network, prefix, 'ipv4');
for (const [network, prefix] of [
  ['::', 128],
  ['fe80::', 10],
  ['ff00::', 8],
  // The metadata service of one cloud, outside of the link-local range.
  ['fd00:ec2::254', 128],
] as const)
  forbidden.addSubnet(network, prefix, 'ipv6');

/** `address` is an IPv4 or IPv6 address; IPv4 inside of IPv6 is looked at as what it is. */
export function isForbiddenAddress(address: string): boolean {
  if (isIPv4(address)) return forbidden.check(address, 'ipv4');
  const [withoutZone = ''] = address.split('%');
  return forbidden.check(withoutZone, 'ipv6');
}

/**
 * Looks names up once, and only to addresses that may be connected to; the one that is checked is the
 * one that is connected to. `refuse` makes the error for a forbidden one.
 */
export function allowedLookup(refuse: (address: string) => Error): LookupFunction {
  return (hostname, options, done) => {
    lookup(hostname, { ...options, all: true }, (error, addresses: readonly LookupAddress[]) => {
      if (error !== null) return done(error, []);
      const forbidden = addresses.find(({ address }) => isForbiddenAddress(address));
      if (forbidden !== undefined) return done(refuse(forbidden.address), []);
      if (options.all === true) return done(null, [...addresses]);
      const [first] = addresses;
      done(null, first?.address ?? '', first?.family);
    });
  };
}

export class WebhookAddressError extends Error {
  constructor(address: string) {
    super(`webhooks may not be at ${address}`);
    this.name = 'WebhookAddressError';
  }
}
