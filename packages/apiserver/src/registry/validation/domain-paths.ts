// Names of controllers and the like: a domain, a slash and a path in it.

import { fieldError } from '@keelson/apimachinery';
import { conforms, type Errors } from './checks.ts';
import { dns1123Subdomain, regexSentence } from './names.ts';

const pathFormat = "[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+";
const pathPattern = new RegExp(`^${pathFormat}$`);

/** `acme.io/foo`. The errors show the part that is wrong. */
export function domainPrefixedPath(errors: Errors, path: string, value: string): void {
  if (value === '') {
    errors.push(fieldError.required(path));
    return;
  }
  const slash = value.indexOf('/');
  const [host, rest] = [value.slice(0, Math.max(slash, 0)), value.slice(slash + 1)];
  if (host === '' || rest === '') {
    const why = 'must be a domain-prefixed path (such as "acme.io/foo")';
    errors.push(fieldError.invalid(path, value, why));
    return;
  }
  conforms(errors, path, host, dns1123Subdomain);
  conforms(errors, path, rest, (text) =>
    pathPattern.test(text) ? [] : [regexSentence('Invalid path', pathFormat)],
  );
}
