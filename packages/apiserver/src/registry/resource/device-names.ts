// Names around devices: attributes and capacities (`domain/identifier`), pools, drivers.

import { fieldError } from '@keelson/apimachinery';
import { notLongerThan, type Errors } from '../validation/checks.ts';
import { cIdentifier, dns1123Subdomain } from '../validation/names.ts';
import { csiDriverName } from '../core/volume-sources/network-disks.ts';
import { domainBytesMax, identifierBytesMax, poolNameBytesMax } from './limits.ts';
import { checkName } from './lists.ts';

/** `model`, or `gpu.example.com/model`. */
export function qualifiedDeviceName(errors: Errors, path: string, name: string): void {
  if (name === '') {
    errors.push(fieldError.required(path, 'name required'));
    return;
  }
  const parts = name.split('/');
  if (parts.length === 1) identifier(errors, path, name);
  else if (parts.length === 2) {
    const [domain = '', id = ''] = parts;
    if (domain === '') errors.push(fieldError.required(path, 'the domain must not be empty'));
    else {
      notLongerThan(errors, path, domain, domainBytesMax);
      checkName(errors, path, domain, dns1123Subdomain);
    }
    if (id === '') errors.push(fieldError.required(path, 'the name must not be empty'));
    else identifier(errors, path, id);
  } else {
    const why = 'a fully qualified name must be a domain and a name separated by a slash';
    errors.push(fieldError.invalid(path, name, why));
  }
}

function identifier(errors: Errors, path: string, id: string): void {
  notLongerThan(errors, path, id, identifierBytesMax);
  checkName(errors, path, id, cIdentifier);
}

/** As above, but the domain is not optional. */
export function fullyQualifiedDeviceName(errors: Errors, path: string, name: string): void {
  const before = errors.length;
  qualifiedDeviceName(errors, path, name);
  if (errors.length === before && !name.includes('/')) {
    errors.push(fieldError.invalid(path, name, 'must include a domain'));
  }
}

/** One or more subdomains, separated by slashes. */
export function poolName(errors: Errors, path: string, name: string): void {
  if (name === '') {
    errors.push(fieldError.required(path));
    return;
  }
  notLongerThan(errors, path, name, poolNameBytesMax);
  for (const part of name.split('/')) checkName(errors, path, part, dns1123Subdomain);
}

/** A driver is named as CSI drivers are, except that an empty name is merely missing. */
export function driverName(errors: Errors, path: string, name: string): void {
  if (name === '') errors.push(fieldError.required(path));
  else csiDriverName(errors, path, name);
}
