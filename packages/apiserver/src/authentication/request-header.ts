// An authenticating proxy in front of the server names the user in headers (`X-Remote-User`, …). It
// is believed only with a client certificate of the front-proxy CA, and only under the allowed
// names. The headers themselves prove nothing: whoever else sends them is ignored.

import type { Clock } from '@keelson/apimachinery';
import type { AuthenticationResult, Authenticator, UserInfo } from './authenticator.ts';
import { subjectOf } from './certificates/distinguished-name.ts';
import { everyHeaderValue, percentDecodedKey } from './headers.ts';
import type { ApiRequest } from '../http.ts';
import { recordAuthentication, rejected } from './union.ts';
import { createCertificateVerifier, type CaBundle } from './x509.ts';

export interface RequestHeaderOptions {
  /** PEM of `--requestheader-client-ca-file`. */
  readonly clientCa: CaBundle | string;
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
    request: ApiRequest,
  ): AuthenticationResult => {
    if (verified === undefined)
      return { outcome: 'no-credential', reason: 'the client presented no certificate' };
    if (verified.leaf === undefined) return { ...rejected(verified.problem), check: 'chain' };
    const { commonName } = subjectOf(verified.leaf.subjectAttributes);
    if (options.allowedNames.length > 0 && !options.allowedNames.includes(commonName))
      return {
        ...rejected(`x509: subject with cn=${commonName} is not in the allowed list`),
        check: 'allowed-names',
      };
    const repeated = repeatedHeader(request, options);
    if (repeated !== undefined)
      return { ...rejected(`the header ${repeated} is there more than once`), check: 'form' };
    const user = userOf(request, options);
    return user === undefined
      ? { outcome: 'no-credential', reason: 'the proxy names no user' }
      : { outcome: 'authenticated', user };
  };
  return {
    name,
    authenticate(request, trace) {
      const result = decide(verifier.verify(request), request);
      if (trace.enabled) recordAuthentication(trace, name, result);
      return result;
    },
  };
}

/**
 * SECURITY: one name and one uid. A client that reaches the proxy with such a header of its own
 * must not win over the one that the proxy adds, whichever comes first.
 */
function repeatedHeader(request: ApiRequest, options: RequestHeaderOptions): string | undefined {
  return [...options.usernameHeaders, ...options.uidHeaders].find(
    (name) => everyHeaderValue(request, name).length > 1,
  );
}

function userOf(request: ApiRequest, options: RequestHeaderOptions): UserInfo | undefined {
  const first = (names: readonly string[]) =>
    names.map((n) => everyHeaderValue(request, n)[0] ?? '').find((value) => value !== '') ?? '';
  const name = first(options.usernameHeaders);
  if (name === '') return undefined;
  return {
    name,
    uid: first(options.uidHeaders),
    groups: options.groupHeaders
      .flatMap((header) => everyHeaderValue(request, header))
      .filter((group) => group !== ''),
    extra: extraOf(request, options.extraHeaderPrefixes),
  };
}

function extraOf(request: ApiRequest, prefixes: readonly string[]): Record<string, string[]> {
  const extra = new Map<string, string[]>();
  for (const header of Object.keys(request.headers)) {
    for (const prefix of prefixes) {
      if (!header.startsWith(prefix.toLowerCase())) continue;
      const key = percentDecodedKey(header.slice(prefix.length));
      extra.set(key, [...(extra.get(key) ?? []), ...everyHeaderValue(request, header)]);
    }
  }
  return Object.fromEntries(extra);
}
