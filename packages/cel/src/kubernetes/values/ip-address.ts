// IP addresses and networks in CIDR notation, as numbers.
//
// Accepted: `10.1.2.3` without leading zeros in an octet, `2001:db8::1`, `::1.2.3.4`, and the same
// with `/<length>`. Not accepted: zones (`fe80::1%eth0`) and IPv4 addresses mapped into IPv6
// (`::ffff:1.2.3.4`). Bits after the prefix of a network may be set.
// COMPAT: texts of errors are those of Go's net/netip as kube-apiserver wraps them.

import { quoteText } from './quote-text.ts';

export interface IpAddress {
  readonly family: 4 | 6;
  /** 32 or 128 bits, first octet first. */
  readonly bits: bigint;
}

export interface IpNetwork {
  readonly address: IpAddress;
  readonly prefixLength: number;
}

interface Failure {
  readonly error: string;
}

interface ParsedAddress extends IpAddress {
  readonly zone: string;
}

/** The address, or the text of the error. */
export function parseIpAddress(text: string): IpAddress | Failure {
  const parsed = parseAnyAddress(text);
  if ('error' in parsed) {
    const why = `ParseAddr(${quoteText(text)}): ${parsed.error}`;
    return {
      error: `IP Address ${quoteText(text)} parse error during conversion from string: ${why}`,
    };
  }
  if (parsed.zone !== '') {
    return { error: `IP address ${quoteText(text)} with zone value is not allowed` };
  }
  if (isMapped(parsed)) {
    return { error: `IPv4-mapped IPv6 address ${quoteText(text)} is not allowed` };
  }
  return { family: parsed.family, bits: parsed.bits };
}

/** The network, or the text of the error. */
export function parseIpNetwork(text: string): IpNetwork | Failure {
  const parsed = parsePrefix(text);
  if ('error' in parsed) {
    const why = `netip.ParsePrefix(${quoteText(text)}): ${parsed.error}`;
    return { error: `network address parse error during conversion from string: ${why}` };
  }
  if (isMapped(parsed.address)) {
    return { error: `IPv4-mapped IPv6 address ${quoteText(text)} is not allowed` };
  }
  return parsed;
}

/** The canonical text: lower case, the longest run of zeros shortened. */
export function formatIpAddress({ family, bits }: IpAddress): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map((shift) => (bits >> shift) & 255n).join('.');
  const groups = Array.from({ length: 8 }, (_, i) =>
    Number((bits >> BigInt(112 - 16 * i)) & 0xffffn),
  );
  const zeros = longestZeros(groups);
  const hex = (part: readonly number[]) => part.map((group) => group.toString(16)).join(':');
  if (zeros.length < 2) return hex(groups);
  const end = zeros.start + zeros.length;
  return `${hex(groups.slice(0, zeros.start))}::${hex(groups.slice(end))}`;
}

export function formatIpNetwork({ address, prefixLength }: IpNetwork): string {
  return `${formatIpAddress(address)}/${prefixLength}`;
}

/** The network with the bits after its prefix cleared. */
export function maskNetwork({ address, prefixLength }: IpNetwork): IpNetwork {
  const rest = BigInt(widthOf(address) - prefixLength);
  return { address: { ...address, bits: (address.bits >> rest) << rest }, prefixLength };
}

/** Addresses of the other family are in no network. */
export function containsAddress(network: IpNetwork, address: IpAddress): boolean {
  if (network.address.family !== address.family) return false;
  const rest = BigInt(widthOf(address) - network.prefixLength);
  return network.address.bits >> rest === address.bits >> rest;
}

export function containsNetwork(outer: IpNetwork, inner: IpNetwork): boolean {
  return outer.prefixLength <= inner.prefixLength && containsAddress(outer, inner.address);
}

export function isSameAddress(a: IpAddress, b: IpAddress): boolean {
  return a.family === b.family && a.bits === b.bits;
}

/** What sort of address it is. Each is true for ranges of both families. */
export const addressKinds = {
  isUnspecified: ({ bits }: IpAddress) => bits === 0n,
  isLoopback: ({ family, bits }: IpAddress) => (family === 4 ? bits >> 24n === 127n : bits === 1n),
  isLinkLocalMulticast: ({ family, bits }: IpAddress) =>
    family === 4 ? bits >> 8n === 0xe00000n : ((bits >> 112n) & 0xff0fn) === 0xff02n,
  isLinkLocalUnicast: ({ family, bits }: IpAddress) =>
    family === 4 ? bits >> 16n === 0xa9fen : bits >> 118n === 0x3fan,
  isMulticast: ({ family, bits }: IpAddress) =>
    family === 4 ? bits >> 28n === 0xen : bits >> 120n === 0xffn,
  isGlobalUnicast: (address: IpAddress): boolean =>
    !(address.family === 4 && address.bits === 0xffffffffn) &&
    !addressKinds.isUnspecified(address) &&
    !addressKinds.isLoopback(address) &&
    !addressKinds.isMulticast(address) &&
    !addressKinds.isLinkLocalUnicast(address),
} as const;

function widthOf({ family }: IpAddress): 32 | 128 {
  return family === 4 ? 32 : 128;
}

function isMapped({ family, bits }: IpAddress): boolean {
  return family === 6 && bits >> 32n === 0xffffn;
}

function longestZeros(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  for (let start = 0; start < groups.length; start++) {
    let end = start;
    while (end < groups.length && groups[end] === 0) end++;
    if (end - start > best.length) best = { start, length: end - start };
    if (end > start) start = end;
  }
  return best;
}

function parsePrefix(text: string): IpNetwork | Failure {
  const slash = text.lastIndexOf('/');
  if (slash < 0) return { error: "no '/'" };
  const address = parseAnyAddress(text.slice(0, slash));
  if ('error' in address) {
    return { error: `ParseAddr(${quoteText(text.slice(0, slash))}): ${address.error}` };
  }
  if (address.zone !== '') return { error: 'IPv6 zones cannot be present in a prefix' };
  const length = text.slice(slash + 1);
  const shown = quoteText(length);
  if (length.length > 1 && !/^[1-9]/.test(length)) {
    return { error: `bad bits after slash: ${shown}` };
  }
  if (!/^[0-9]+$/.test(length) || length.length > 18) {
    return { error: `bad bits after slash: ${shown}` };
  }
  const prefixLength = Number(length);
  if (prefixLength > widthOf(address)) return { error: 'prefix length out of range' };
  return { address: { family: address.family, bits: address.bits }, prefixLength };
}

function parseAnyAddress(text: string): ParsedAddress | Failure {
  for (const character of text) {
    if (character === '.') {
      const bits = parseIpv4(text);
      return typeof bits === 'bigint' ? { family: 4, bits, zone: '' } : bits;
    }
    if (character === ':') return parseIpv6(text);
    if (character === '%') return { error: 'missing IPv6 address' };
  }
  return { error: 'unable to parse IP' };
}

function parseIpv4(text: string): bigint | Failure {
  let bits = 0n;
  let octets = 0;
  let value = 0;
  let length = 0;
  for (let i = 0; i < text.length; i++) {
    const character = text.charAt(i);
    if (/[0-9]/.test(character)) {
      if (length === 1 && value === 0) return { error: 'IPv4 field has octet with leading zero' };
      value = value * 10 + Number(character);
      length++;
      if (value > 255) return { error: 'IPv4 field has value >255' };
    } else if (character === '.') {
      if (i === 0 || i === text.length - 1 || text[i - 1] === '.') {
        return { error: 'IPv4 field must have at least one digit' + at(text, i) };
      }
      if (octets === 3) return { error: 'IPv4 address too long' };
      bits = (bits << 8n) | BigInt(value);
      octets++;
      value = 0;
      length = 0;
    } else return { error: 'unexpected character' + at(text, i) };
  }
  if (octets < 3) return { error: 'IPv4 address too short' };
  return (bits << 8n) | BigInt(value);
}

function at(text: string, index: number): string {
  return ` (at ${quoteText(text.slice(index))})`;
}

function parseIpv6(text: string): ParsedAddress | Failure {
  const percent = text.indexOf('%');
  const zone = percent < 0 ? '' : text.slice(percent + 1);
  if (percent >= 0 && zone === '') return { error: 'zone must be a non-empty string' };
  const groups = readGroups(percent < 0 ? text : text.slice(0, percent));
  if ('error' in groups) return groups;
  const { values, ellipsis } = groups;
  if (values.length < 8) {
    if (ellipsis < 0) return { error: 'address string too short' };
    values.splice(ellipsis, 0, ...Array.from({ length: 8 - values.length }, () => 0));
  } else if (ellipsis >= 0) return { error: 'the :: must expand to at least one field of zeros' };
  const bits = values.reduce((sum, group) => (sum << 16n) | BigInt(group), 0n);
  return { family: 6, bits, zone };
}

interface Groups {
  readonly values: number[];
  /** Where `::` stands among the groups; -1 without. */
  readonly ellipsis: number;
}

function readGroups(whole: string): Groups | Failure {
  const values: number[] = [];
  let ellipsis = -1;
  let rest = whole;
  if (rest.startsWith('::')) {
    ellipsis = 0;
    rest = rest.slice(2);
    if (rest === '') return { values, ellipsis };
  }
  while (values.length < 8) {
    const digits = /^[0-9a-fA-F]*/.exec(rest)?.[0] ?? '';
    if (digits.length > 4) {
      return { error: `each group must have 4 or less digits${at(rest, 0)}` };
    }
    if (digits === '') {
      return { error: `each colon-separated field must have at least one digit${at(rest, 0)}` };
    }
    if (rest[digits.length] === '.') return withIpv4Tail({ values, ellipsis }, rest);
    values.push(Number.parseInt(digits, 16));
    rest = rest.slice(digits.length);
    if (rest === '') break;
    if (!rest.startsWith(':')) return { error: `unexpected character, want colon${at(rest, 0)}` };
    if (rest.length === 1)
      return { error: `colon must be followed by more characters${at(rest, 0)}` };
    rest = rest.slice(1);
    if (rest.startsWith(':')) {
      if (ellipsis >= 0) return { error: `multiple :: in address${at(rest, 0)}` };
      ellipsis = values.length;
      rest = rest.slice(1);
      if (rest === '') return { values, ellipsis };
    }
  }
  return rest === ''
    ? { values, ellipsis }
    : { error: `trailing garbage after address${at(rest, 0)}` };
}

function withIpv4Tail({ values, ellipsis }: Groups, tail: string): Groups | Failure {
  if (ellipsis < 0 && values.length !== 6) {
    return {
      error: `embedded IPv4 address must replace the final 2 fields of the address${at(tail, 0)}`,
    };
  }
  if (values.length > 6) {
    return {
      error: `too many hex fields to fit an embedded IPv4 at the end of the address${at(tail, 0)}`,
    };
  }
  const bits = parseIpv4(tail);
  if (typeof bits !== 'bigint') return bits;
  values.push(Number(bits >> 16n), Number(bits & 0xffffn));
  return { values, ellipsis };
}
