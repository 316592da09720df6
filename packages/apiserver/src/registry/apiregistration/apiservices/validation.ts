// An APIService announces one version of one group and says who serves it: this server, or a
// service.

import { fieldError } from '@keelson/apimachinery';
import type {
  APIService,
  APIServiceSpec,
  ServiceReference,
} from '@keelson/apimachinery/types/apiregistration.k8s.io.v1';
import { conforms, oneOf, required, type Errors } from '../../validation/checks.ts';
import {
  dns1035Label,
  dns1123Subdomain,
  pathSegmentName,
  rangeSentence,
} from '../../validation/names.ts';

const groupPriorityMinimumMax = 20_000;
const versionPriorityMax = 1000;
const portMax = 65_535;

export function validateApiService({ metadata, spec }: APIService): Errors {
  const errors: Errors = [];
  for (const field of ['generateName', 'name'] as const) {
    checkName(errors, `metadata.${field}`, metadata[field] ?? '', spec);
  }
  checkGroupVersion(errors, spec);
  if (spec.service === undefined) checkLocal(errors, spec);
  else checkService(errors, spec.service, spec);
  return errors;
}

/** Names that no path could carry have been reported before. */
function checkName(errors: Errors, path: string, name: string, spec: APIServiceSpec): void {
  const expected = `${spec.version ?? ''}.${spec.group ?? ''}`;
  if (name === '' || name === expected || pathSegmentName(name, false).length > 0) return;
  const why = `must be \`spec.version+"."+spec.group\`: ${JSON.stringify(expected)}`;
  errors.push(fieldError.invalid(path, name, why));
}

function checkGroupVersion(errors: Errors, spec: APIServiceSpec): void {
  const { group = '', version = '' } = spec;
  if (group !== '') conforms(errors, 'spec.group', group, dns1123Subdomain);
  else if (version !== 'v1') {
    const why = 'only v1 may have an empty group and it better be legacy kube';
    errors.push(fieldError.required('spec.group', why));
  }
  conforms(errors, 'spec.version', version, dns1035Label);
  priority(errors, 'spec.groupPriorityMinimum', spec.groupPriorityMinimum, groupPriorityMinimumMax);
  priority(errors, 'spec.versionPriority', spec.versionPriority, versionPriorityMax);
}

function priority(errors: Errors, path: string, value: number | undefined, max: number): void {
  const actual = value ?? 0;
  if (actual > 0 && actual <= max) return;
  errors.push(fieldError.invalid(path, actual, `must be positive and less than ${max}`));
}

function checkLocal(
  errors: Errors,
  { caBundle = '', insecureSkipTLSVerify }: APIServiceSpec,
): void {
  if (caBundle !== '') {
    const size = `${Buffer.byteLength(caBundle, 'base64')} bytes`;
    const why = 'local APIServices may not have a caBundle';
    errors.push(fieldError.invalid('spec.caBundle', size, why));
  }
  if (insecureSkipTLSVerify === true) {
    const why = 'local APIServices may not have insecureSkipTLSVerify';
    errors.push(fieldError.invalid('spec.insecureSkipTLSVerify', true, why));
  }
}

function checkService(errors: Errors, service: ServiceReference, spec: APIServiceSpec): void {
  required(errors, 'spec.service.namespace', service.namespace);
  required(errors, 'spec.service.name', service.name);
  const port = service.port ?? 0;
  if (port < 1 || port > portMax) {
    const why = `port is not valid: ${rangeSentence(1, portMax)}`;
    errors.push(fieldError.invalid('spec.service.port', port, why));
  }
  if (spec.insecureSkipTLSVerify === true && spec.caBundle) {
    const why = 'may not be true if caBundle is present';
    errors.push(fieldError.invalid('spec.insecureSkipTLSVerify', true, why));
  }
}

export function validateApiServiceStatus({ status }: APIService): Errors {
  const errors: Errors = [];
  status?.conditions?.forEach((condition, i) => {
    oneOf(errors, `status.conditions[${i}].status`, condition.status, ['True', 'False', 'Unknown']);
  });
  return errors;
}
