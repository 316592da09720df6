// What the issuer of a JWT authenticator must be: an https URL that is nobody else's, audiences,
// and authorities that can be read. COMPAT: paths, order and texts are kube-apiserver's.

import { fieldError, quoteGo, type FieldError } from '@keelson/apimachinery';
import { parseCertificates } from '../certificates/parse-certificate.ts';
import type { IssuerConfiguration } from './authentication-configuration.ts';

const matchAny = 'MatchAny';
const egressSelectors: ReadonlySet<string> = new Set(['controlplane', 'cluster']);

/** `disallowed`: issuers of service account tokens. */
export function validateIssuer(
  issuer: IssuerConfiguration,
  disallowed: readonly string[],
  path: string,
): FieldError[] {
  return [
    ...(issuer.url === ''
      ? [fieldError.required(`${path}.url`, 'URL is required')]
      : validateUrl(issuer.url, disallowed, `${path}.url`)),
    ...validateDiscoveryUrl(issuer, `${path}.discoveryURL`),
    ...validateAudiences(issuer, path),
    ...validateAuthority(issuer.certificateAuthority, `${path}.certificateAuthority`),
    ...validateEgress(issuer.egressSelectorType, `${path}.egressSelectorType`),
  ];
}

function validateDiscoveryUrl({ url, discoveryURL }: IssuerConfiguration, path: string) {
  if (discoveryURL === '') return [];
  const bare = (text: string) => text.replace(/\/+$/, '');
  const isSame = url !== '' && bare(url) === bare(discoveryURL);
  return [
    ...(isSame
      ? [fieldError.invalid(path, discoveryURL, 'discoveryURL must be different from URL')]
      : []),
    ...validateUrl(discoveryURL, [], path),
  ];
}

function validateUrl(text: string, disallowed: readonly string[], path: string): FieldError[] {
  const invalid = (detail: string) => fieldError.invalid(path, text, detail);
  const errors: FieldError[] = [];
  if (disallowed.includes(text)) {
    const list = [...new Set(disallowed)].sort().join(' ');
    errors.push(invalid(`URL must not overlap with disallowed issuers: [${list}]`));
  }
  const problem = urlProblem(text);
  if (problem !== undefined) return [...errors, invalid(problem)];
  const { scheme, authority, query, fragment } = splitUrl(text);
  if (scheme !== 'https') errors.push(invalid('URL scheme must be https'));
  if (authority.includes('@')) errors.push(invalid('URL must not contain a username or password'));
  if (query !== '') errors.push(invalid('URL must not contain a query'));
  if (fragment !== '') errors.push(invalid('URL must not contain a fragment'));
  return errors;
}

/** Why Go's net/url does not read a text, as far as it can be seen from here. */
function urlProblem(text: string): string | undefined {
  const parse = (why: string) => `parse ${quoteGo(text)}: ${why}`;
  if (/[\u0000-\u001f\u007f]/.test(text)) return parse('net/url: invalid control character in URL');
  if (text.startsWith(':')) return parse('missing protocol scheme');
  const escape = /%(?![0-9A-Fa-f]{2}).{0,2}/.exec(text.replace(/\?.*$/s, ''))?.[0];
  if (escape !== undefined) return parse(`invalid URL escape ${quoteGo(escape)}`);
  // What is https and the runtime cannot read either can never be connected to.
  const { scheme } = splitUrl(text);
  if (scheme === 'https' && !URL.canParse(text)) return parse('invalid host');
  return undefined;
}

/** RFC 3986, appendix B; schemes in lower case. */
function splitUrl(text: string) {
  const parts = /^(?:([^:/?#]+):)?(?:\/\/([^/?#]*))?[^?#]*(?:\?([^#]*))?(?:#(.*))?$/s.exec(text);
  const [, scheme = '', authority = '', query = '', fragment = ''] = parts ?? [];
  return { scheme: scheme.toLowerCase(), authority, query, fragment };
}

function validateAudiences(issuer: IssuerConfiguration, parent: string): FieldError[] {
  const { audiences, audienceMatchPolicy: policy } = issuer;
  const path = `${parent}.audiences`;
  if (audiences.length === 0)
    return [fieldError.required(path, `at least one ${path} is required`)];
  const errors: FieldError[] = [];
  for (const [i, audience] of audiences.entries()) {
    if (audience === '')
      errors.push(fieldError.required(`${path}[${i}]`, "audience can't be empty"));
    if (audiences.indexOf(audience) < i)
      errors.push(fieldError.duplicate(`${path}[${i}]`, audience));
  }
  const wrongPolicy = (detail: string) =>
    errors.push(fieldError.invalid(`${parent}.audienceMatchPolicy`, policy, detail));
  if (audiences.length > 1 && policy !== matchAny)
    wrongPolicy('audienceMatchPolicy must be MatchAny for multiple audiences');
  if (audiences.length === 1 && policy !== '' && policy !== matchAny)
    wrongPolicy('audienceMatchPolicy must be empty or MatchAny for single audience');
  return errors;
}

function validateAuthority(pem: string, path: string): FieldError[] {
  if (pem === '') return [];
  const problem = authorityProblem(pem);
  return problem === undefined ? [] : [fieldError.invalid(path, '<omitted>', problem)];
}

function authorityProblem(pem: string): string | undefined {
  try {
    return parseCertificates(pem).length > 0
      ? undefined
      : 'data does not contain any valid RSA or ECDSA certificates';
  } catch (error) {
    return `error parsing certificate: ${error instanceof Error ? error.message : ''}`;
  }
}

function validateEgress(type: string, path: string): FieldError[] {
  return type === '' || egressSelectors.has(type)
    ? []
    : [fieldError.invalid(path, type, 'egress selector must be either controlplane or cluster')];
}
