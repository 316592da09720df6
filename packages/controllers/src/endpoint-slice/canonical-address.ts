// The one spelling of an IP address that slices have. Pods and Endpoints may have others, from when
// the API took zeros in front and IPv4 within IPv6; for proxies they are different addresses.

import { formatIp, parseIp } from '@keelson/apimachinery';

/** `10.0.0.1`, `2001:db8::1` (RFC 5952); undefined for what is no address, or has a zone. */
export function canonicalAddress(text: string): string | undefined {
  const address = parseIp(text);
  return address && formatIp(address);
}
