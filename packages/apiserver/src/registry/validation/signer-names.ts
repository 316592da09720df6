// Names of certificate signers (`example.com/path.to`) and of the trust bundles that they own.

import { fieldError, quoteGo } from '@keelson/apimachinery';
import { required, type Errors } from './checks.ts';
import { dns1123Label, dns1123Subdomain, isLongerThan } from './names.ts';

const domainMax = 253;
/** A label, a dot and a subdomain fit behind the slash. */
const pathMax = 253 + 63 + 1;

export function signerName(errors: Errors, path: string, name: string): void {
  if (!required(errors, path, name)) return;
  const [domain = '', rest = '', ...more] = name.split('/');
  if (!name.includes('/') || more.length > 0) {
    const why = "must be a fully qualified domain and path of the form 'example.com/signer-name'";
    errors.push(fieldError.invalid(path, name, why));
    return;
  }
  if (isLongerThan(domain, domainMax)) errors.push(fieldError.tooLong(path, domainMax));
  const labels = domain.split('.');
  segments(errors, path, { whole: domain, parts: labels, rule: dns1123Label });
  if (labels.length < 2) {
    const why = 'should be a domain with at least two segments separated by dots';
    errors.push(fieldError.invalid(path, domain, why));
  }
  segments(errors, path, { whole: rest, parts: rest.split('.'), rule: dns1123Subdomain });
  const max = domainMax + pathMax + 1;
  if (isLongerThan(name, max)) errors.push(fieldError.tooLong(path, max));
}

interface Segments {
  readonly whole: string;
  readonly parts: readonly string[];
  readonly rule: (part: string) => string[];
}
function segments(errors: Errors, path: string, { whole, parts, rule }: Segments): void {
  for (const part of parts) {
    for (const sentence of rule(part)) {
      const why = `validating label ${quoteGo(part)}: ${sentence}`;
      errors.push(fieldError.invalid(path, whole, why));
    }
  }
}

/** A bundle of a signer is named `<signer with colons>:<name>`, any other one is a subdomain. */
export function trustBundleName(name: string): string[] {
  return dns1123Subdomain(name.slice(name.lastIndexOf(':') + 1));
}
