// The one spelling of an IP address that slices have. Pods and Endpoints may have others, from when
// the API took zeros in front and IPv4 within IPv6; for proxies they are different addresses.

import { isIPv6 } from 'node:net';

/** `10.0.0.1`, `2001:db8::1` (RFC 5952); undefined for what is no address, or has a zone. */
export function canonicalAddress(text: string): string | undefined {
  if (/^\d+(?:\.\d+){3}$/.test(text)) {
    const parts = text.split('.').map(Number);
    return parts.every((part) => part <= 255) ? parts.join('.') : undefined;
  }
  if (!isIPv6(text) || text.includes('%')) return undefined;
  const canonical = new URL(`http://[${text}]`).hostname.slice(1, -1);
  const mapped = /^::ffff:([0-9a-f]+):([0-9a-f]+)$/.exec(canonical);
  if (mapped === null) return canonical;
  const [high = 0, low = 0] = mapped.slice(1).map((word) => Number.parseInt(word, 16));
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}
