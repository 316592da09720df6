// Addresses to which no webhook is called, wherever a name or a service leads.
//
// SECURITY: whoever may write a webhook's address makes the server send requests from the control
// plane's network. Link-local addresses are where clouds keep the machine's credentials; nobody
// runs a webhook there. Loopback stays allowed, as in kube-apiserver: webhooks run beside the
// server.

import { BlockList, isIPv4 } from 'node:net';

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

export class WebhookAddressError extends Error {
  constructor(address: string) {
    super(`webhooks may not be at ${address}`);
    this.name = 'WebhookAddressError';
  }
}
