// Validation of Ingresses.

import { fieldError, parseIp, type FieldError } from '@keelson/apimachinery';
import type { TypedLocalObjectReference } from '@keelson/apimachinery/types/core.v1';
import type {
  HTTPIngressPath,
  Ingress,
  IngressBackend,
  IngressRule,
  IngressServiceBackend,
  IngressTLS,
} from '@keelson/apimachinery/types/networking.k8s.io.v1';
import { internalList } from '../../internal-form/internal-value.ts';
import type { Features } from '../../../features/features.ts';
import { conforms, inRange, portRange, required } from '../../validation/checks.ts';
import { ipForLegacyField } from '../../validation/legacy-addresses.ts';
import {
  dns1123Label,
  dns1123Subdomain,
  pathSegmentName,
  portName,
  wildcardDns1123Subdomain,
} from '../../validation/names.ts';

export const classAnnotation = 'kubernetes.io/ingress.class';
const pathTypes = ['Exact', 'ImplementationSpecific', 'Prefix'];
const forbiddenSequences = ['//', '/./', '/../', '%2f', '%2F'];
const forbiddenEnds = ['/..', '/.'];

export function validateNewIngress(ingress: Ingress): FieldError[] {
  const errors = validateIngress(ingress, undefined);
  const annotation = ingress.metadata.annotations?.[classAnnotation];
  const name = ingress.spec?.ingressClassName;
  if (annotation !== undefined && name !== undefined && annotation !== name) {
    const why = 'must match `ingressClassName` when both are specified';
    errors.push(fieldError.invalid(`annotations.${classAnnotation}`, annotation, why));
  }
  return errors;
}

/** What the old object got away with, the new one may keep. */
export function validateIngress({ spec }: Ingress, old: Ingress | undefined): FieldError[] {
  const errors: FieldError[] = [];
  const rules = spec?.rules ?? [];
  if (rules.length === 0 && !spec?.defaultBackend) {
    const why = 'either `defaultBackend` or `rules` must be specified';
    errors.push(fieldError.invalid('spec', internalList(spec, 'rules'), why));
  }
  if (spec?.defaultBackend) checkBackend(errors, 'spec.defaultBackend', spec.defaultBackend);
  const allowWildcardRules = old !== undefined && rulesHaveProblems(old, isWildcard);
  rules.forEach((rule, i) => {
    checkHost(errors, `spec.rules[${i}].host`, rule.host);
    // COMPAT: Kubernetes reports the paths of every rule under the first one.
    if (!allowWildcardRules || !isWildcard(rule)) checkPaths(errors, 'spec.rules[0].http', rule);
  });
  const allowSecretNames = (old?.spec?.tls ?? []).some(hasBadSecretName);
  spec?.tls?.forEach((tls, i) => checkTls(errors, `spec.tls[${i}]`, tls, allowSecretNames));
  if (spec?.ingressClassName !== undefined) {
    conforms(errors, 'spec.ingressClassName', spec.ingressClassName, dns1123Subdomain);
  }
  return errors;
}

const isWildcard = ({ host }: IngressRule) => host?.includes('*') ?? false;

function rulesHaveProblems({ spec }: Ingress, which: (rule: IngressRule) => boolean): boolean {
  const errors: FieldError[] = [];
  for (const rule of spec?.rules ?? []) if (which(rule)) checkPaths(errors, '', rule);
  return errors.length > 0;
}

function hasBadSecretName({ secretName }: IngressTLS): boolean {
  return Boolean(secretName) && dns1123Subdomain(secretName ?? '').length > 0;
}

function checkHost(errors: FieldError[], path: string, host: string | undefined): void {
  if (!host) return;
  if (parseIp(host)) {
    errors.push(fieldError.invalid(path, host, 'must be a DNS name, not an IP address'));
  }
  conforms(errors, path, host, host.includes('*') ? wildcardDns1123Subdomain : dns1123Subdomain);
}

function checkTls(
  errors: FieldError[],
  path: string,
  { hosts, secretName }: IngressTLS,
  allowSecretName: boolean,
): void {
  hosts?.forEach((host, i) => {
    const rule = host.includes('*') ? wildcardDns1123Subdomain : dns1123Subdomain;
    conforms(errors, `${path}.hosts[${i}]`, host, rule);
  });
  if (secretName && !allowSecretName) {
    conforms(errors, `${path}.secretName`, secretName, dns1123Subdomain);
  }
}

function checkPaths(errors: FieldError[], path: string, { http }: IngressRule): void {
  if (!http) return;
  required(errors, `${path}.paths`, http.paths);
  http.paths?.forEach((entry, i) => checkPath(errors, `${path}.paths[${i}]`, entry));
}

function checkPath(errors: FieldError[], at: string, entry: HTTPIngressPath): void {
  const { path = '', pathType, backend } = entry;
  const refuse = (why: string) => errors.push(fieldError.invalid(`${at}.path`, path, why));
  switch (pathType) {
    case null:
    case undefined:
      errors.push(fieldError.required(`${at}.pathType`, 'pathType must be specified'));
      return;
    case 'Exact':
    case 'Prefix':
      if (!path.startsWith('/')) refuse('must be an absolute path');
      for (const text of forbiddenSequences) {
        if (path.includes(text)) refuse(`must not contain '${text}'`);
      }
      for (const text of forbiddenEnds)
        if (path.endsWith(text)) refuse(`cannot end with '${text}'`);
      break;
    case 'ImplementationSpecific':
      if (path !== '' && !path.startsWith('/')) refuse('must be an absolute path');
      break;
    default:
      errors.push(fieldError.notSupported(`${at}.pathType`, pathType, pathTypes));
  }
  checkBackend(errors, `${at}.backend`, backend);
}

function checkBackend(
  errors: FieldError[],
  path: string,
  { resource, service }: IngressBackend,
): void {
  if (resource && service) {
    const why = 'cannot set both resource and service backends';
    errors.push(fieldError.invalid(path, '', why));
  } else if (resource) {
    checkResource(errors, `${path}.resource`, resource);
  } else if (service) {
    checkService(errors, path, service);
  } else {
    errors.push(fieldError.invalid(path, '', 'resource or service backend is required'));
  }
}

function checkService(
  errors: FieldError[],
  path: string,
  { name, port }: IngressServiceBackend,
): void {
  if (required(errors, `${path}.service.name`, name)) {
    conforms(errors, `${path}.service.name`, name, dns1123Label);
  }
  if (port?.name && port.number) {
    errors.push(fieldError.invalid(path, '', 'cannot set both port name & port number'));
  } else if (port?.name) {
    conforms(errors, `${path}.service.port.name`, port.name, portName);
  } else if (port?.number) {
    inRange(errors, `${path}.service.port.number`, port.number, portRange);
  } else {
    errors.push(fieldError.required(path, 'port name or number is required'));
  }
}

function checkResource(
  errors: FieldError[],
  path: string,
  { apiGroup, kind, name }: TypedLocalObjectReference,
): void {
  const segment = (text: string) => pathSegmentName(text, false);
  if (typeof apiGroup === 'string') {
    conforms(errors, `${path}.apiGroup`, apiGroup, dns1123Subdomain);
  }
  if (required(errors, `${path}.kind`, kind, 'kind is required')) {
    conforms(errors, `${path}.kind`, kind, segment);
  }
  if (required(errors, `${path}.name`, name, 'name is required')) {
    conforms(errors, `${path}.name`, name, segment);
  }
}

export function validateIngressStatus(
  { status }: Ingress,
  old: Ingress,
  features: Features,
): FieldError[] {
  const errors: FieldError[] = [];
  const existing = (old.status?.loadBalancer?.ingress ?? []).map(({ ip = '' }) => ip);
  status?.loadBalancer?.ingress?.forEach(({ ip, hostname }, i) => {
    const path = `status.loadBalancer.ingress[${i}]`;
    if (ip) ipForLegacyField(errors, `${path}.ip`, ip, { existing, features });
    if (!hostname) return;
    conforms(errors, `${path}.hostname`, hostname, dns1123Subdomain);
    if (parseIp(hostname)) {
      const why = 'must be a DNS name, not an IP address';
      errors.push(fieldError.invalid(`${path}.hostname`, hostname, why));
    }
  });
  return errors;
}
