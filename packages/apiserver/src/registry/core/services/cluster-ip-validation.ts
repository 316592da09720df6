// `clusterIP`, `clusterIPs`, `ipFamilies` and `ipFamilyPolicy` of a Service: whether they agree
// with each other. Used twice: before allocation, which relies on it, and by validation afterwards.

import { fieldError, type FieldError } from '@keelson/apimachinery';
import type { Service, ServiceSpec } from '@keelson/apimachinery/types/core.v1';
import type { Features } from '../../../features/features.ts';
import { oneOf } from '../../validation/checks.ts';
import { ipForLegacyField } from '../../validation/legacy-addresses.ts';
import { familyOf } from './ip-family.ts';
import { headlessIp, isHeadless } from './linked-fields.ts';

const families = ['IPv4', 'IPv6'];
const policies = ['PreferDualStack', 'RequireDualStack', 'SingleStack'];
const path = 'spec.clusterIPs';

export function validateClusterIpFields(
  service: Service,
  old: Service | undefined,
  features: Features,
): FieldError[] {
  const { spec } = service;
  if (spec.type === 'ExternalName') return [];
  const errors: FieldError[] = [];
  checkAgreement(errors, spec);
  const seen = new Set<string>();
  spec.ipFamilies?.forEach((family, i) => {
    oneOf(errors, `spec.ipFamilies[${i}]`, family, families);
    if (seen.has(family)) errors.push(fieldError.duplicate(`spec.ipFamilies[${i}]`, family));
    seen.add(family);
  });
  if (spec.ipFamilyPolicy !== undefined) {
    oneOf(errors, 'spec.ipFamilyPolicy', spec.ipFamilyPolicy, policies);
  }
  const wellFormed = checkAddresses(errors, spec, { existing: old?.spec?.clusterIPs, features });
  if (wellFormed) checkFamiliesOfAddresses(errors, spec);
  return errors;
}

function checkAgreement(errors: FieldError[], spec: ServiceSpec): void {
  const ips = spec.clusterIPs ?? [];
  if (!spec.clusterIP) {
    if (ips.length === 0) return;
    const why = 'must be empty when `clusterIP` is not specified';
    errors.push(fieldError.invalid(path, ips, why));
  } else if (ips.length === 0) {
    errors.push(fieldError.required(path));
  } else if (ips[0] !== spec.clusterIP) {
    errors.push(fieldError.invalid(path, ips, 'first value must match `clusterIP`'));
  }
}

interface AddressContext {
  readonly existing: readonly string[] | undefined;
  readonly features: Features;
}

function checkAddresses(errors: FieldError[], spec: ServiceSpec, context: AddressContext): boolean {
  const ips = spec.clusterIPs ?? [];
  let wellFormed = true;
  ips.forEach((ip, i) => {
    if (i === 0 && ip === headlessIp) {
      if (ips.length === 1) return;
      wellFormed = false;
      errors.push(fieldError.invalid(path, ips, "'None' must be the first and only value"));
      return;
    }
    wellFormed = ipForLegacyField(errors, `${path}[${i}]`, ip, context) && wellFormed;
  });
  if (ips.length > 2) errors.push(fieldError.invalid(path, ips, 'may only hold up to 2 values'));
  return wellFormed;
}

function checkFamiliesOfAddresses(errors: FieldError[], spec: ServiceSpec): void {
  const ips = spec.clusterIPs ?? [];
  if (ips.length > 1 && new Set(ips.map(familyOf)).size < 2) {
    const why = 'may specify no more than one IP for each IP family';
    errors.push(fieldError.invalid(path, ips, why));
  }
  if (isHeadless(spec)) return;
  ips.forEach((ip, i) => {
    const family = spec.ipFamilies?.[i];
    if ((family !== 'IPv4' && family !== 'IPv6') || family === familyOf(ip)) return;
    const why = `expected an ${family} value as indicated by \`ipFamilies[${i}]\``;
    errors.push(fieldError.invalid(`${path}[${i}]`, ip, why));
  });
}
