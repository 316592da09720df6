// What an update of a Service or of its status may not change.

import { fieldError, parseIp, type FieldError } from '@keelson/apimachinery';
import type { Service } from '@keelson/apimachinery/types/core.v1';
import { internalList } from '../../internal-form/internal-value.ts';
import type { Features } from '../../../features/features.ts';
import { conforms, oneOf } from '../../validation/checks.ts';
import { ipForLegacyField } from '../../validation/legacy-addresses.ts';
import { dns1123Subdomain } from '../../validation/names.ts';
import { isHeadless } from './linked-fields.ts';
import { validateLoadBalancerClass, validateService } from './validation.ts';

export function validateServiceUpdate(
  service: Service,
  old: Service,
  features: Features,
): FieldError[] {
  return [
    ...checkClusterIps(service, old),
    ...checkFamilies(service, old),
    ...validateLoadBalancerClass(service, old),
    ...validateService(service, old, features),
  ];
}

/** Addresses may be added as second and released from second place; the first one stays. */
function checkClusterIps({ spec }: Service, { spec: oldSpec }: Service): FieldError[] {
  if (spec.type === 'ExternalName' || oldSpec.type === 'ExternalName') return [];
  if (isHeadless(spec) && isHeadless(oldSpec)) return [];
  const errors: FieldError[] = [];
  const [now, before] = [spec.clusterIPs ?? [], oldSpec.clusterIPs ?? []];
  const changed = (i: number) =>
    errors.push(fieldError.invalid(`spec.clusterIPs[${i}]`, now, 'may not change once set'));
  if (now.length === before.length) {
    before.forEach((ip, i) => ip !== now[i] && changed(i));
    return errors;
  }
  if (now.length === 0) {
    const why = 'primary clusterIP can not be unset';
    errors.push(fieldError.invalid('spec.clusterIPs[0]', internalList(spec, 'clusterIPs'), why));
  } else if (before.length > 0 && now[0] !== before[0]) {
    changed(0);
  }
  if (now.length === 1 && before.length > 1 && spec.ipFamilyPolicy !== 'SingleStack') {
    const why = "must be set to 'SingleStack' when releasing the secondary clusterIP";
    errors.push(fieldError.invalid('spec.ipFamilyPolicy', spec.ipFamilyPolicy, why));
  }
  return errors;
}

function checkFamilies({ spec }: Service, { spec: oldSpec }: Service): FieldError[] {
  if (spec.type === 'ExternalName' || oldSpec.type === 'ExternalName') return [];
  if (isHeadless(spec) || isHeadless(oldSpec)) return [];
  const errors: FieldError[] = [];
  const path = 'spec.ipFamilies[0]';
  const why = 'may not change once set';
  const [now, before] = [spec.ipFamilies ?? [], oldSpec.ipFamilies ?? []];
  if (now.length === before.length) {
    before.forEach((family, i) => {
      if (family !== now[i]) errors.push(fieldError.invalid(path, now, why));
    });
    return errors;
  }
  if (now.length < before.length && !spec.clusterIPs?.length) {
    errors.push(fieldError.invalid(path, now, 'primary ipFamily can not be unset'));
  }
  if (now.length > 0 && before.length > 0 && now[0] !== before[0]) {
    errors.push(fieldError.invalid(path, internalList(spec, 'clusterIPs'), why));
  }
  if (now.length === 1 && before.length > 1 && spec.ipFamilyPolicy !== 'SingleStack') {
    const release = "must be set to 'SingleStack' when releasing the secondary ipFamily";
    errors.push(fieldError.invalid('spec.ipFamilyPolicy', spec.ipFamilyPolicy, release));
  }
  return errors;
}

export function validateServiceStatus(
  service: Service,
  old: Service,
  features: Features,
): FieldError[] {
  const errors: FieldError[] = [];
  const path = 'status.loadBalancer.ingress';
  const ingresses = service.status?.loadBalancer?.ingress ?? [];
  if (service.spec.type !== 'LoadBalancer' && ingresses.length > 0) {
    const why = "may only be used when `spec.type` is 'LoadBalancer'";
    return [fieldError.forbidden(path, why)];
  }
  const existing = (old.status?.loadBalancer?.ingress ?? []).map((ingress) => ingress.ip ?? '');
  ingresses.forEach(({ ip, ipMode, hostname }, i) => {
    const at = `${path}[${i}]`;
    if (ip) ipForLegacyField(errors, `${at}.ip`, ip, { existing, features });
    if (ipMode === undefined) {
      if (ip)
        errors.push(fieldError.required(`${at}.ipMode`, 'must be specified when `ip` is set'));
    } else if (!ip) {
      errors.push(
        fieldError.forbidden(`${at}.ipMode`, 'may not be specified when `ip` is not set'),
      );
    } else {
      oneOf(errors, `${at}.ipMode`, ipMode, ['Proxy', 'VIP']);
    }
    if (!hostname) return;
    conforms(errors, `${at}.hostname`, hostname, dns1123Subdomain);
    if (parseIp(hostname)) {
      const why = 'must be a DNS name, not an IP address';
      errors.push(fieldError.invalid(`${at}.hostname`, hostname, why));
    }
  });
  return errors;
}
