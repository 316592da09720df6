// An authenticating proxy in front of the server names the user in headers (`X-Remote-User`, …). It
// is believed only with a client certificate of the front-proxy CA, and only under the allowed
// names. The headers themselves prove nothing: whoever else sends them is ignored.

import type { Clock } from '@keelson/apimachinery';
import type { AuthenticationResult, Authenticator, UserInfo } from './authenticator.ts';
import { subjectOf } from './certificates/distinguished-name.ts';
import { headerValues, percentDecodedKey } from './headers.ts';
import { recordAuthentication, rejected } from './union.ts';
import { createCertificateVerifier } from './x509.ts';

export interface RequestHeaderOptions {
  /** PEM of `--requestheader-client-ca-file`. */
  readonly clientCa: string;
  /** Common names that may act as the proxy; empty allows every certificate of the CA. */
  readonly allowedNames: readonly string[];
  readonly usernameHeaders: readonly string[];
  /** Empty without the gate RemoteRequestHeaderUID. */
  readonly uidHeaders: readonly string[];
  readonly groupHeaders: readonly string[];
  readonly extraHeaderPrefixes: readonly string[];
  readonly clock: Clock;
}

/** Authenticates the user that an authenticating proxy names. */
export function createRequestHeaderAuthenticator(options: RequestHeaderOptions): Authenticator {
  const name = 'request-header';
  const verifier = createCertificateVerifier(options.clientCa, options.clock);
  const decide = (
    verified: ReturnType<typeof verifier.verify>,
    headers: RequestHeaders,
  ): AuthenticationResult => {
    if (verified === undefined) return { outcome: 'no-credential' };
    if (verified.leaf === undefined) return rejected(verified.problem);
    const { commonName } = subjectOf(verified.leaf.subjectAttributes);
    if (options.allowedNames.length > 0 && !options.allowedNames.includes(commonName))
      return rejected(`x509: subject with cn=${commonName} is not in the allowed list`);
    const user = userOf(headers, options);
    return user === undefined ? { outcome: 'no-credential' } : { outcome: 'authenticated', user };
  };
  return {
    name,
    authenticate(request, trace) {
      const result = decide(verifier.verify(request), request.headers);
      if (trace.enabled) recordAuthentication(trace, name, result);
      return result;
    },
  };
}

type RequestHeaders = Readonly<Record<string, string | string[] | undefined>>;

function userOf(headers: RequestHeaders, options: RequestHeaderOptions): UserInfo | undefined {
  const first = (names: readonly string[]) =>
    names.flatMap((n) => headerValues(headers, n).slice(0, 1)).find((value) => value !== '') ?? '';
  const name = first(options.usernameHeaders);
  if (name === '') return undefined;
  return {
    name,
    uid: first(options.uidHeaders),
    groups: options.groupHeaders.flatMap((h) => headerValues(headers, h)).filter((g) => g !== ''),
    extra: extraOf(headers, options.extraHeaderPrefixes),
  };
}

function extraOf(headers: RequestHeaders, prefixes: readonly string[]): Record<string, string[]> {
  const extra = new Map<string, string[]>();
  for (const header of Object.keys(headers)) {
    for (const prefix of prefixes) {
      if (!header.startsWith(prefix.toLowerCase())) continue;
      const key = percentDecodedKey(header.slice(prefix.length));
      extra.set(key, [...(extra.get(key) ?? []), ...headerValues(headers, header)]);
    }
  }
  return Object.fromEntries(extra);
}
