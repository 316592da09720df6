// IP addresses and CIDR blocks, in the strict form for new fields and in the forms that Go accepted
// when the older fields were made (KEP-4858): leading zeros, IPv4-mapped IPv6, host bits in a CIDR.

import { isIP } from 'node:net';
import { fieldError } from '@keelson/apimachinery';
import type { Errors } from './checks.ts';

export type IpFamily = 4 | 6;

export const ipSentence = 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)';
export const cidrSentence = 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)';

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

/** A field added since 1.34 or so: only the canonical form passes. */
export function strictIp(errors: Errors, path: string, value: string): ParsedIp | undefined {
  const ip = parseIp(value);
  if (!ip) {
    errors.push(fieldError.invalid(path, value, ipSentence));
    return undefined;
  }
  const before = errors.length;
  if (ip.leadingZeros) {
    errors.push(fieldError.invalid(path, value, 'must not have leading 0s'));
  }
  if (ip.mapped) {
    errors.push(fieldError.invalid(path, value, 'must not be an IPv4-mapped IPv6 address'));
  }
  return errors.length === before ? ip : undefined;
}

/** An old field: whatever Go's net.ParseIP took when the field was made. */
export function legacyIp(errors: Errors, path: string, value: string): ParsedIp | undefined {
  const ip = parseIp(value);
  if (!ip) errors.push(fieldError.invalid(path, value, ipSentence));
  return ip;
}

export function legacyCidr(errors: Errors, path: string, value: string): ParsedCidr | undefined {
  const cidr = parseCidr(value);
  if (!cidr) errors.push(fieldError.invalid(path, value, cidrSentence));
  return cidr;
}

export function strictCidr(errors: Errors, path: string, value: string): ParsedCidr | undefined {
  const cidr = legacyCidr(errors, path, value);
  if (!cidr) return undefined;
  const before = errors.length;
  if (cidr.leadingZeros) {
    errors.push(fieldError.invalid(path, value, 'must not have leading 0s in IP'));
  }
  if (cidr.mapped) {
    errors.push(fieldError.invalid(path, value, 'must not have an IPv4-mapped IPv6 address'));
  }
  const network = networkOf(cidr);
  if (network !== cidr.value) {
    const text = `${formatIp({ family: cidr.family, value: network })}/${cidr.bits}`;
    errors.push(
      fieldError.invalid(
        path,
        value,
        `must not have bits set beyond the prefix length (should be "${text}")`,
      ),
    );
  }
  return errors.length === before ? cidr : undefined;
}

/** The address with the host bits cleared. */
export function networkOf(cidr: ParsedCidr): bigint {
  const width = cidr.family === 4 ? 32 : 128;
  const bits = cidr.mapped ? Math.max(0, cidr.bits - 96) : cidr.bits;
  const host = BigInt(width - bits);
  return (cidr.value >> host) << host;
}

/**
 * Warnings for an address that passes only by the old rules; `path` and `value` as in the object.
 * COMPAT: k8s.io/apimachinery/pkg/util/validation GetWarningsForIP.
 */
export function ipWarnings(path: string, value: string): string[] {
  const ip = parseIp(value);
  if (!ip) return [];
  if (ip.leadingZeros || ip.mapped) {
    const text = formatIp(ip);
    return [
      `${path}: non-standard IP address ${JSON.stringify(value)} will be considered invalid in a future Kubernetes release: use ${JSON.stringify(text)}`,
    ];
  }
  if (ip.family === 6 && formatIp(ip) !== value) {
    return [
      `${path}: IPv6 address ${JSON.stringify(value)} should be in RFC 5952 canonical format (${JSON.stringify(formatIp(ip))})`,
    ];
  }
  return [];
}

export function cidrWarnings(path: string, value: string): string[] {
  const cidr = parseCidr(value);
  if (!cidr) return [];
  const network = networkOf(cidr);
  const bits = cidr.mapped && cidr.bits >= 96 ? cidr.bits - 96 : cidr.bits;
  const whole = `${formatIp({ family: cidr.family, value: network })}/${bits}`;
  if (network !== cidr.value && !cidr.leadingZeros && !cidr.mapped) {
    const single = `${formatIp(cidr)}/${cidr.family === 4 ? 32 : 128}`;
    return [
      `${path}: CIDR value ${JSON.stringify(value)} is ambiguous in this context (should be ${JSON.stringify(whole)} or ${JSON.stringify(single)}?)`,
    ];
  }
  if (cidr.leadingZeros || cidr.mapped) {
    return [
      `${path}: non-standard CIDR value ${JSON.stringify(value)} will be considered invalid in a future Kubernetes release: use ${JSON.stringify(whole)}`,
    ];
  }
  if (cidr.family === 6 && whole !== value) {
    return [
      `${path}: IPv6 CIDR value ${JSON.stringify(value)} should be in RFC 5952 canonical format (${JSON.stringify(whole)})`,
    ];
  }
  return [];
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
