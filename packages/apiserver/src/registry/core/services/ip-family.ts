// The two IP families of Services.

import { parseIp } from '@keelson/apimachinery';

export type IpFamily = 'IPv4' | 'IPv6';

/** An IPv4-mapped IPv6 address counts as IPv4, as in Go. */
export function familyOf(ip: string): IpFamily {
  return parseIp(ip)?.family === 6 ? 'IPv6' : 'IPv4';
}
