// IP addresses and CIDR blocks, in the strict form for new fields and in the forms that Go accepted
// when the older fields were made (KEP-4858): leading zeros, IPv4-mapped IPv6, host bits in a CIDR.

import {
  fieldError,
  formatIp,
  networkOf,
  parseCidr,
  parseIp,
  type ParsedCidr,
  type ParsedIp,
} from '@keelson/apimachinery';
import type { Errors } from './checks.ts';

const ipSentence = 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)';
const cidrSentence = 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)';

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
