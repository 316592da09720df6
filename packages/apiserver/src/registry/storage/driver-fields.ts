// Fields that kinds of this group share: names of drivers and their opaque parameters.

import { fieldError, type FieldError } from '@keelson/apimachinery';
import { notLongerThan, required } from '../validation/checks.ts';
import { dns1123Subdomain, qualifiedName } from '../validation/names.ts';

const parametersMax = 512;
const parametersBytesMax = 256 * 1024;
const driverNameBytesMax = 63;

/** A provisioner: a qualified name in which capitals are tolerated. */
export function driverQualifiedName(errors: FieldError[], path: string, name: string): void {
  if (!required(errors, path, name)) return;
  for (const sentence of qualifiedName(name.toLowerCase())) {
    errors.push(fieldError.invalid(path, name, sentence));
  }
}

/** The name of a CSI driver: a subdomain in which capitals are tolerated. */
export function csiDriverName(errors: FieldError[], path: string, name: string): void {
  if (!required(errors, path, name)) return;
  notLongerThan(errors, path, name, driverNameBytesMax);
  for (const sentence of dns1123Subdomain(name.toLowerCase())) {
    errors.push(fieldError.invalid(path, name, sentence));
  }
}

export function driverParameters(
  errors: FieldError[],
  path: string,
  parameters: Readonly<Record<string, string>> | undefined,
): void {
  const entries = Object.entries(parameters ?? {});
  if (entries.length > parametersMax) {
    errors.push(fieldError.tooLong(path, parametersMax));
    return;
  }
  let bytes = 0;
  for (const [key, value] of entries) {
    if (key === '') errors.push(fieldError.invalid(path, key, 'field can not be empty.'));
    bytes += Buffer.byteLength(key) + Buffer.byteLength(value);
  }
  if (bytes > parametersBytesMax) errors.push(fieldError.tooLong(path, parametersBytesMax));
}
