// Which IP families a Service gets: `ipFamilyPolicy` and `ipFamilies` from what the client asked
// for, what the Service had before and what the cluster has. KEP-563 (dual-stack).

import { fieldError, statusErrors, type FieldError } from '@keelson/apimachinery';
import type { Service, ServiceSpec } from '@keelson/apimachinery/types/core.v1';
import type { Features } from '../../../features/features.ts';
import { validateClusterIpFields } from './cluster-ip-validation.ts';
import { hasClusterIpType } from './defaults.ts';
import { familyOf, type IpFamily } from './ip-family.ts';
import { headlessIp, sameList } from './linked-fields.ts';

const serviceKind = { group: '', kind: 'Service' } as const;

/** Throws the error that the API answers. */
export function refuse(service: Service, errors: readonly FieldError[]): void {
  if (errors.length === 0) return;
  throw statusErrors.invalid(serviceKind, service.metadata.name ?? '', errors);
}

/**
 * An update that keeps a PreferDualStack Service as it is. It is neither upgraded nor downgraded
 * when the cluster gained or lost a family meanwhile.
 */
export function keepsPreferDualStack(spec: ServiceSpec, old: ServiceSpec | undefined): boolean {
  if (!old || spec.type !== old.type || !hasClusterIpType(spec)) return false;
  if (spec.ipFamilyPolicy !== 'PreferDualStack') return false;
  if (old.ipFamilyPolicy !== undefined && old.ipFamilyPolicy !== 'PreferDualStack') return false;
  return sameList(spec.clusterIPs, old.clusterIPs) && sameList(spec.ipFamilies, old.ipFamilies);
}

export interface FamilyContext {
  /** Families of the cluster, the default first. */
  readonly families: readonly IpFamily[];
  readonly features: Features;
}

/**
 * Fills in policy and families; throws an Invalid status when the request contradicts itself or the
 * cluster.
 */
export function initializeIpFamilies(
  service: Service,
  old: Service | undefined,
  { families, features }: FamilyContext,
): void {
  const { spec } = service;
  const oldSpec = old?.spec;
  if (spec.type === 'ExternalName' || keepsPreferDualStack(spec, oldSpec)) return;

  const headlessWithoutSelector =
    spec.clusterIP === headlessIp && Object.keys(spec.selector ?? {}).length === 0;
  spec.ipFamilyPolicy ??=
    oldSpec?.ipFamilyPolicy ?? (headlessWithoutSelector ? 'RequireDualStack' : 'SingleStack');
  refuse(service, validateClusterIpFields(service, old, features));

  const errors: FieldError[] = [];
  if (oldSpec) reduceFamilies(errors, spec, oldSpec);
  if (spec.ipFamilyPolicy === 'SingleStack') refuseSecondFamily(errors, spec);
  inferFamilies(errors, spec, families);
  refuse(service, errors);

  const primary = families[0] ?? 'IPv4';
  if (headlessWithoutSelector) {
    // Nothing is allocated, so both families are possible on any cluster.
    if (!spec.ipFamilies?.length) spec.ipFamilies = [primary];
    addOtherFamily(spec);
    return;
  }
  refuse(service, unavailableFamilies(spec, families));
  if (!spec.ipFamilies?.length) spec.ipFamilies = [primary];
  if (families.length === 2) addOtherFamily(spec);
}

function addOtherFamily(spec: ServiceSpec): void {
  const [first, second] = spec.ipFamilies ?? [];
  if (spec.ipFamilyPolicy === 'SingleStack' || !first || second) return;
  spec.ipFamilies = [first, first === 'IPv4' ? 'IPv6' : 'IPv4'];
}

const policyPath = 'spec.ipFamilyPolicy';

/** SingleStack gives up the second address by itself; otherwise it may not just be left out. */
function reduceFamilies(errors: FieldError[], spec: ServiceSpec, old: ServiceSpec): void {
  const policy = spec.ipFamilyPolicy;
  if (policy === 'SingleStack') {
    if (sameList(spec.clusterIPs, old.clusterIPs)) spec.clusterIPs = spec.clusterIPs?.slice(0, 1);
    if (sameList(spec.ipFamilies, old.ipFamilies)) spec.ipFamilies = spec.ipFamilies?.slice(0, 1);
    return;
  }
  const reduced = (list: readonly string[] = [], before: readonly string[] = []) =>
    list.length > 0 && list.length < before.length;
  if (reduced(spec.clusterIPs, old.clusterIPs)) {
    const why = "must be 'SingleStack' to release the secondary cluster IP";
    errors.push(fieldError.invalid(policyPath, policy, why));
  }
  if (reduced(spec.ipFamilies, old.ipFamilies)) {
    const why = "must be 'SingleStack' to release the secondary IP family";
    errors.push(fieldError.invalid(policyPath, policy, why));
  }
}

function refuseSecondFamily(errors: FieldError[], spec: ServiceSpec): void {
  const either = "must be 'RequireDualStack' or 'PreferDualStack' when multiple";
  if (spec.clusterIPs?.length === 2) {
    const why = `${either} cluster IPs are specified`;
    errors.push(fieldError.invalid(policyPath, spec.ipFamilyPolicy, why));
  }
  if (spec.ipFamilies?.length === 2) {
    const why = `${either} IP families are specified`;
    errors.push(fieldError.invalid(policyPath, spec.ipFamilyPolicy, why));
  }
}

/** Addresses that were asked for tell their families. */
function inferFamilies(
  errors: FieldError[],
  spec: ServiceSpec,
  families: readonly IpFamily[],
): void {
  const ips = spec.clusterIPs ?? [];
  for (const [i, ip] of ips.entries()) {
    if (ip === headlessIp) return;
    if (i < (spec.ipFamilies?.length ?? 0)) continue;
    const family = familyOf(ip);
    if (families.includes(family)) {
      spec.ipFamilies = [...(spec.ipFamilies ?? []), family];
    } else {
      const why = `${family} is not configured on this cluster`;
      errors.push(fieldError.invalid(`spec.clusterIPs[${i}]`, ips, why));
    }
  }
}

function unavailableFamilies(spec: ServiceSpec, families: readonly IpFamily[]): FieldError[] {
  const errors: FieldError[] = [];
  if (spec.ipFamilyPolicy === 'RequireDualStack' && families.length < 2) {
    const why = 'this cluster is not configured for dual-stack services';
    errors.push(fieldError.invalid(policyPath, spec.ipFamilyPolicy, why));
  }
  spec.ipFamilies?.forEach((family, i) => {
    if (families.some((f) => f === family)) return;
    const why = 'not configured on this cluster';
    errors.push(fieldError.invalid(`spec.ipFamilies[${i}]`, family, why));
  });
  return errors;
}
