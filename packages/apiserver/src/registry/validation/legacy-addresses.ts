// Addresses in fields that are older than strict parsing (KEP-4858). What stood in the object
// before may stay; new values must be canonical once StrictIPCIDRValidation is on.

import type { Features } from '../../features/features.ts';
import type { Errors } from './checks.ts';
import { legacyCidr, legacyIp, strictCidr, strictIp } from './networks.ts';

export interface LegacyAddressContext {
  /** Values of the same field in the object before the update. */
  readonly existing?: readonly string[] | undefined;
  readonly features: Features;
}

export function ipForLegacyField(
  errors: Errors,
  path: string,
  value: string,
  { existing, features }: LegacyAddressContext,
): boolean {
  if (existing?.includes(value)) return true;
  const check = features.enabled('StrictIPCIDRValidation') ? strictIp : legacyIp;
  return check(errors, path, value) !== undefined;
}

export function cidrForLegacyField(
  errors: Errors,
  path: string,
  value: string,
  { existing, features }: LegacyAddressContext,
): boolean {
  if (existing?.includes(value)) return true;
  const check = features.enabled('StrictIPCIDRValidation') ? strictCidr : legacyCidr;
  return check(errors, path, value) !== undefined;
}
