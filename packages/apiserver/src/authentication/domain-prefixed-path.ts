// Keys of extra values in the form `acme.io/foo`: whose they are, and what they are. Asked for by
// whatever lets others choose keys: claim mappings and constrained impersonation.

import { fieldError, subdomainProblems, type FieldError } from '@keelson/apimachinery';

const pathPattern = "[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+";
const pathExpression = new RegExp(`^${pathPattern}$`);

/** COMPAT: texts of `IsDomainPrefixedPath`. */
export function domainPrefixedPathErrors(key: string, path: string): FieldError[] {
  if (key === '') return [fieldError.required(path)];
  const slash = key.indexOf('/');
  const [host, rest] = [key.slice(0, Math.max(slash, 0)), key.slice(slash + 1)];
  if (host === '' || rest === '')
    return [
      fieldError.invalid(path, key, 'must be a domain-prefixed path (such as "acme.io/foo")'),
    ];
  const errors = subdomainProblems(host).map((problem) => fieldError.invalid(path, host, problem));
  if (errors.length > 0) return errors;
  if (pathExpression.test(rest)) return [];
  const detail = `Invalid path (regex used for validation is '${pathPattern}')`;
  return [fieldError.invalid(path, rest, detail)];
}
