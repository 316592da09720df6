// Addresses in fields that were strict from the start: only the canonical form (RFC 5952) passes.

import { fieldError, formatIp, networkOf } from '@keelson/apimachinery';
import type { Errors } from './checks.ts';
import { strictCidr, strictIp } from './networks.ts';

export function canonicalIp(errors: Errors, path: string, value: string): boolean {
  const ip = strictIp(errors, path, value);
  return ip !== undefined && isCanonical(errors, path, [value, formatIp(ip)]);
}

export function canonicalCidr(errors: Errors, path: string, value: string): boolean {
  const cidr = strictCidr(errors, path, value);
  if (!cidr) return false;
  const network = formatIp({ family: cidr.family, value: networkOf(cidr) });
  return isCanonical(errors, path, [value, `${network}/${cidr.bits}`]);
}

function isCanonical(
  errors: Errors,
  path: string,
  [value, canonical]: readonly [string, string],
): boolean {
  if (value === canonical) return true;
  const why = `must be in canonical form (${JSON.stringify(canonical)})`;
  errors.push(fieldError.invalid(path, value, why));
  return false;
}
