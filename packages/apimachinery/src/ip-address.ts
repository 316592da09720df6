// IP addresses and CIDR blocks as numbers, in all the forms that Go has ever accepted: leading
// zeros, IPv4-mapped IPv6, host bits in a CIDR. Which of them a field takes is said by its
// validation.

import { isIP } from 'node:net';

export type IpFamily = 4 | 6;

export interface ParsedIp {
  /** 4 also for IPv4-mapped IPv6, as in Go. */
  readonly family: IpFamily;
  readonly value: bigint;
  readonly leadingZeros: boolean;
  readonly mapped: boolean;
}
export interface ParsedCidr extends ParsedIp {
  readonly bits: number;
}

/** Parses as Go's old net.ParseIP did: decimal octets may have leading zeros. Zones are refused. */
export function parseIp(text: string): ParsedIp | undefined {
  if (text.includes(':')) return parseIp6(text);
  const v4 = parseIp4(text);
  return v4 && { family: 4, value: v4.value, leadingZeros: v4.leadingZeros, mapped: false };
}

/** `address/bits`; for an IPv4-mapped address the bits count within 128 as Go does. */
export function parseCidr(text: string): ParsedCidr | undefined {
  const slash = text.indexOf('/');
  if (slash < 0) return undefined;
  const ip = parseIp(text.slice(0, slash));
  const suffix = text.slice(slash + 1);
  if (!ip || !/^[0-9]{1,3}$/.test(suffix)) return undefined;
  const bits = Number(suffix);
  const width = text.slice(0, slash).includes(':') ? 128 : 32;
  if (bits > width) return undefined;
  const leadingZeros = ip.leadingZeros || (suffix.length > 1 && suffix.startsWith('0'));
  return { ...ip, bits, leadingZeros };
}

/** Canonical text (RFC 5952), as netip.Addr.String writes it. */
export function formatIp(ip: { readonly family: IpFamily; readonly value: bigint }): string {
  if (ip.family === 4) {
    return [24n, 16n, 8n, 0n].map((shift) => String((ip.value >> shift) & 255n)).join('.');
  }
  const groups = Array.from({ length: 8 }, (_, i) =>
    Number((ip.value >> BigInt(112 - 16 * i)) & 0xffffn),
  );
  const [start, length] = longestZeroRun(groups);
  const hex = (list: number[]) => list.map((g) => g.toString(16)).join(':');
  if (length < 2) return hex(groups);
  return `${hex(groups.slice(0, start))}::${hex(groups.slice(start + length))}`;
}

/** The address with the host bits cleared. */
export function networkOf(cidr: ParsedCidr): bigint {
  const width = cidr.family === 4 ? 32 : 128;
  const bits = cidr.mapped ? Math.max(0, cidr.bits - 96) : cidr.bits;
  const host = BigInt(width - bits);
  return (cidr.value >> host) << host;
}

function parseIp4(text: string): { value: bigint; leadingZeros: boolean } | undefined {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((p) => /^[0-9]{1,}$/.test(p) && Number(p) <= 255)) {
    return undefined;
  }
  return {
    value: parts.reduce((sum, p) => (sum << 8n) | BigInt(Number(p)), 0n),
    leadingZeros: parts.some((p) => p.length > 1 && p.startsWith('0')),
  };
}

function parseIp6(text: string): ParsedIp | undefined {
  const lastColon = text.lastIndexOf(':');
  const tail = text.slice(lastColon + 1);
  let source = text;
  let leadingZeros = false;
  if (tail.includes('.')) {
    const v4 = parseIp4(tail);
    if (!v4) return undefined;
    leadingZeros = v4.leadingZeros;
    const words = [v4.value >> 16n, v4.value & 0xffffn].map((w) => w.toString(16)).join(':');
    source = text.slice(0, lastColon + 1) + words;
  }
  if (source.includes('%') || isIP(source) !== 6) return undefined;
  const value = ip6Value(source);
  const mapped = value >> 32n === 0xffffn;
  return mapped
    ? { family: 4, value: value & 0xffffffffn, leadingZeros, mapped }
    : { family: 6, value, leadingZeros, mapped };
}

function ip6Value(text: string): bigint {
  const [head = '', rest] = text.split('::');
  const words = (part: string) => (part === '' ? [] : part.split(':'));
  const left = words(head);
  const right = rest === undefined ? [] : words(rest);
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => '0');
  return [...left, ...zeros, ...right].reduce((sum, w) => (sum << 16n) | BigInt(`0x${w}`), 0n);
}

function longestZeroRun(groups: readonly number[]): [start: number, length: number] {
  let best: [number, number] = [0, 0];
  for (let i = 0; i < groups.length; i++) {
    let n = 0;
    while (groups[i + n] === 0) n++;
    if (n > best[1]) best = [i, n];
  }
  return best;
}
