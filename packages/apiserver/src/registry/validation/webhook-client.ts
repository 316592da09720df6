// Where a webhook is reached: an https URL or a service of the cluster, and the certificates that
// its server is checked with (k8s.io/apiserver/pkg/util/webhook).

import { fieldError, quoteGo } from '@keelson/apimachinery';
import { inRange, isMissing, portRange, type Errors } from './checks.ts';
import { dns1123Subdomain } from './names.ts';

export interface WebhookClientConfigLike {
  readonly url?: string;
  readonly service?: WebhookServiceLike;
}
export interface WebhookServiceLike {
  readonly name?: string;
  readonly namespace?: string;
  readonly path?: string;
  readonly port?: number;
}

const desiredForm = '; desired format: https://host[/path]';

/** Exactly one of URL and service, and that one valid. */
export function webhookClientConfig(
  errors: Errors,
  path: string,
  config: WebhookClientConfigLike,
): void {
  const { url, service } = config;
  if ((url === undefined) === (service === undefined)) {
    errors.push(fieldError.required(path, 'exactly one of url or service is required'));
  } else if (url !== undefined) {
    webhookUrl(errors, `${path}.url`, url);
  } else if (service !== undefined) {
    webhookService(errors, `${path}.service`, service);
  }
}

function webhookUrl(errors: Errors, path: string, text: string): void {
  const url = parseUrl(text);
  if ('problem' in url) {
    errors.push(fieldError.required(path, `url must be a valid URL: ${url.problem}${desiredForm}`));
    return;
  }
  const refuse = (value: string, why: string) => errors.push(fieldError.invalid(path, value, why));
  if (url.scheme !== 'https') {
    refuse(url.scheme, `'https' is the only allowed URL scheme${desiredForm}`);
  }
  if (url.host === '') refuse('', `host must be specified${desiredForm}`);
  if (url.user !== undefined) refuse(url.user, 'user information is not permitted in the URL');
  if (url.fragment !== '') refuse(url.fragment, 'fragments are not permitted in the URL');
  if (url.query !== '') refuse(url.query, 'query parameters are not permitted in the URL');
}

interface ParsedUrl {
  readonly scheme: string;
  readonly user: string | undefined;
  readonly host: string;
  readonly query: string;
  readonly fragment: string;
}

/** As Go's url.Parse, as far as its parts matter here. */
function parseUrl(text: string): ParsedUrl | { readonly problem: string } {
  const problem = (why: string) => ({ problem: `parse ${quoteGo(text)}: ${why}` });
  if (/[\u0000-\u001f\u007f]/.test(text)) {
    return problem('net/url: invalid control character in URL');
  }
  const hash = text.indexOf('#');
  const fragment = hash < 0 ? '' : text.slice(hash + 1);
  const whole = hash < 0 ? text : text.slice(0, hash);
  if (whole.startsWith(':')) return problem('missing protocol scheme');
  const scheme = /^[A-Za-z][A-Za-z0-9+.-]*(?=:)/.exec(whole)?.[0] ?? '';
  const afterScheme = scheme === '' ? whole : whole.slice(scheme.length + 1);
  const mark = afterScheme.indexOf('?');
  const query = mark < 0 ? '' : afterScheme.slice(mark + 1);
  const rest = mark < 0 ? afterScheme : afterScheme.slice(0, mark);
  const escape = /%(?![0-9a-fA-F]{2}).{0,2}/.exec(rest)?.[0];
  if (escape !== undefined) return problem(`invalid URL escape ${quoteGo(escape)}`);
  if (scheme === '' && /^[^/]*:/.test(rest)) {
    return problem('first path segment in URL cannot contain colon');
  }
  const authority = rest.startsWith('//') ? (rest.slice(2).split('/')[0] ?? '') : '';
  const at = authority.lastIndexOf('@');
  const host = authority.slice(at + 1);
  const badHost = /[\s"\\^`{}|<>]/.exec(host)?.[0];
  if (badHost !== undefined) return problem(`invalid character ${quoteGo(badHost)} in host name`);
  const port = /:([^:\]]*)$/.exec(host)?.[1];
  if (port !== undefined && !/^[0-9]*$/.test(port)) {
    return problem(`invalid port ${quoteGo(`:${port}`)} after host`);
  }
  const user = at < 0 ? undefined : authority.slice(0, at);
  return { scheme: scheme.toLowerCase(), user, host, query, fragment };
}

function webhookService(errors: Errors, path: string, service: WebhookServiceLike): void {
  if (isMissing(service.name)) {
    errors.push(fieldError.required(`${path}.name`, 'service name is required'));
  }
  if (isMissing(service.namespace)) {
    errors.push(fieldError.required(`${path}.namespace`, 'service namespace is required'));
  }
  const port = service.port ?? 0;
  const portErrors: Errors = [];
  if (!inRange(portErrors, path, port, portRange)) {
    const why = portErrors.map((error) => error.detail).join(',');
    errors.push(fieldError.invalid(`${path}.port`, port, `port is not valid: ${why}`));
  }
  if (service.path !== undefined) servicePath(errors, `${path}.path`, service.path);
}

/** Segments of the path are DNS names. */
function servicePath(errors: Errors, path: string, text: string): void {
  if (text === '' || text === '/') return;
  const refuse = (why: string) => errors.push(fieldError.invalid(path, text, why));
  if (text === '//') {
    refuse('segment[0] may not be empty');
    return;
  }
  if (!text.startsWith('/')) refuse("must start with a '/'");
  const segments = text.slice(1).replace(/\/$/, '').split('/');
  segments.forEach((segment, i) => {
    if (segment === '') refuse(`segment[${i}] may not be empty`);
    else for (const why of dns1123Subdomain(segment)) refuse(`segment[${i}]: ${why}`);
  });
}

/** The bundle holds at least one PEM certificate; `caBundle` is base64, as in the API. */
export function caBundle(errors: Errors, path: string, bundle: string | undefined): boolean {
  const problem = caBundleProblem(bundle);
  if (problem === undefined) return true;
  errors.push(fieldError.invalid(path, bundle, `unable to load root certificates: ${problem}`));
  return false;
}

export function caBundleProblem(bundle: string | undefined): string | undefined {
  if (bundle === undefined || bundle === '') return undefined;
  const text = Buffer.from(bundle, 'base64').toString('latin1');
  const blocks = [...text.matchAll(/-----BEGIN ([A-Z0-9 ]+)-----\s[\s\S]*?-----END \1-----/g)];
  if (blocks.length === 0) return 'unable to parse bytes as PEM block';
  const certificates = blocks.filter((block) => block[1] === 'CERTIFICATE');
  return certificates.length > 0
    ? undefined
    : 'data does not contain any valid RSA or ECDSA certificates';
}
