// ServiceCIDRs: the ranges that cluster IPs come from (KEP-1880). A range may be added later for
// the other family, otherwise ranges stay.

import { fieldError, parseCidr, type FieldError } from '@keelson/apimachinery';
import type { ServiceCIDR } from '@keelson/apimachinery/types/networking.k8s.io.v1';
import { age } from '../../printing/cells.ts';
import { internalList } from '../../internal-form/internal-value.ts';
import { keepMetadata } from '../../status-metadata.ts';
import type { Strategy, SubresourceStrategy } from '../../strategy.ts';
import { canonicalCidr } from '../../validation/canonical-addresses.ts';
import { immutableDetail } from '../../validation/checks.ts';

const path = 'spec.cidrs';

const status: SubresourceStrategy<ServiceCIDR> = {
  prepareForUpdate(cidr, old) {
    if (old.spec) cidr.spec = old.spec;
    keepMetadata(cidr, old);
  },
  resetFields: [['metadata'], ['spec']],
};

export const serviceCidrStrategy: Strategy<ServiceCIDR> = {
  prepareForCreate(cidr) {
    cidr.status = {};
  },
  prepareForUpdate(cidr, old) {
    if (old.status) cidr.status = old.status;
  },
  validate: validateServiceCidr,
  validateUpdate: validateServiceCidrUpdate,
  tableCells: (cidr, nowMs) => [
    cidr.metadata.name,
    (cidr.spec?.cidrs ?? []).join(','),
    age(cidr, nowMs),
  ],
  resetFields: [['status']],
  subresources: { status },
};

function validateServiceCidr({ spec }: ServiceCIDR): FieldError[] {
  const cidrs = spec?.cidrs ?? [];
  if (cidrs.length === 0) return [fieldError.required(path, 'at least one CIDR required')];
  if (cidrs.length > 2) {
    return [fieldError.invalid(path, { CIDRs: cidrs }, 'may only hold up to 2 values')];
  }
  const errors = refuseOneFamilyTwice(cidrs);
  if (errors.length > 0) return errors;
  cidrs.forEach((cidr, i) => canonicalCidr(errors, `${path}[${i}]`, cidr));
  return errors;
}

function refuseOneFamilyTwice(cidrs: readonly string[]): FieldError[] {
  if (cidrs.length < 2) return [];
  const families = cidrs.map((cidr) => parseCidr(cidr)?.family);
  if (!families.includes(undefined) && new Set(families).size === 2) return [];
  const why =
    'may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64';
  return [fieldError.invalid(path, cidrs, why)];
}

function validateServiceCidrUpdate(
  { spec }: ServiceCIDR,
  { spec: old }: ServiceCIDR,
): FieldError[] {
  const [cidrs, before] = [spec?.cidrs ?? [], old?.cidrs ?? []];
  const errors: FieldError[] = [];
  const isUpgrade = before.length === 1 && cidrs.length === 2;
  if (cidrs.length !== before.length && !isUpgrade) {
    return [fieldError.invalid(path, internalList(spec, 'cidrs'), immutableDetail)];
  }
  before.forEach((cidr, i) => {
    if (cidr === cidrs[i]) return;
    errors.push(fieldError.invalid(`${path}[${i}]`, cidrs[i], immutableDetail));
  });
  return isUpgrade
    ? [...errors, ...validateServiceCidr({ metadata: {}, spec: { cidrs } })]
    : errors;
}
