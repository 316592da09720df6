// Headers that name users. A group may contain a comma, so repeated headers of these kinds must
// reach the authenticators as a list, never joined.

import type { ApiRequest } from '../http.ts';

type RequestHeaders = Readonly<Record<string, string | string[] | undefined>>;

const multiValueNames: ReadonlySet<string> = new Set([
  'impersonate-group',
  'x-remote-group',
  'sec-websocket-protocol',
]);
const multiValuePrefixes = ['impersonate-extra-', 'x-remote-extra-'];

/** Whether repeated headers of this (lower-case) name stay apart. */
function isMultiValueHeader(name: string): boolean {
  return multiValueNames.has(name) || multiValuePrefixes.some((prefix) => name.startsWith(prefix));
}

/**
 * Headers that prove or assert an identity; a proxy to pods, nodes or other servers must drop them.
 */
export function isCredentialHeader(name: string): boolean {
  return (
    name === 'authorization' || name.startsWith('impersonate-') || name.startsWith('x-remote-')
  );
}

/**
 * Every header line of a name, as the client sent them, also where only one counts: whoever
 * decides by such a header must know when there are two. Absent in a transport: what it has is
 * all there is.
 */
export function everyHeaderValue(
  request: Pick<ApiRequest, 'headers' | 'rawHeaderValues'>,
  name: string,
): readonly string[] {
  return request.rawHeaderValues?.(name.toLowerCase()) ?? headerValues(request.headers, name);
}

/** All values of a header in order; none when it is absent. */
export function headerValues(headers: RequestHeaders, name: string): string[] {
  const value = headers[name.toLowerCase()];
  return value === undefined ? [] : Array.isArray(value) ? value : [value];
}

/** The key of an extra header: percent-decoded, or as it stands when it cannot be decoded. */
export function percentDecodedKey(text: string): string {
  const key = text.toLowerCase();
  if (!key.includes('%')) return key;
  // Go's url.PathUnescape decodes to bytes; bytes that are not UTF-8 become replacement characters.
  if (/%(?![0-9a-f]{2})/.test(key)) return key;
  const bytes = key.replace(/%([0-9a-f]{2})/g, (_match, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

/**
 * The headers of a request as authenticators need them: from the flat list `[name, value, …]` in
 * which node keeps them as they came. Multi-value headers become lists, everything else is as in
 * `joined`.
 */
export function withMultiValues(
  joined: RequestHeaders,
  rawHeaders: readonly string[],
): RequestHeaders {
  let lists: Record<string, string[]> | undefined;
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]?.toLowerCase() ?? '';
    if (!isMultiValueHeader(name)) continue;
    lists ??= {};
    (lists[name] ??= []).push(rawHeaders[i + 1] ?? '');
  }
  return lists === undefined ? joined : { ...joined, ...lists };
}

/** The headers by which an authenticating proxy names users; in lower case. */
export interface IdentityHeaders {
  readonly names: ReadonlySet<string>;
  readonly prefixes: readonly string[];
}

export function identityHeadersOf(options: {
  readonly usernameHeaders: readonly string[];
  readonly uidHeaders: readonly string[];
  readonly groupHeaders: readonly string[];
  readonly extraHeaderPrefixes: readonly string[];
}): IdentityHeaders {
  const { usernameHeaders, uidHeaders, groupHeaders, extraHeaderPrefixes } = options;
  const names = [...usernameHeaders, ...uidHeaders, ...groupHeaders];
  return {
    names: new Set(names.map((name) => name.toLowerCase())),
    prefixes: extraHeaderPrefixes.map((prefix) => prefix.toLowerCase()),
  };
}

/**
 * The request as everybody behind authentication sees it. SECURITY: what a client says about
 * itself in headers of the proxy is gone, and so is its credential.
 */
export function withoutIdentityHeaders(request: ApiRequest, custom?: IdentityHeaders): ApiRequest {
  const isDropped = (name: string) =>
    name === 'authorization' ||
    name.startsWith('x-remote-') ||
    custom?.names.has(name) === true ||
    custom?.prefixes.some((prefix) => name.startsWith(prefix)) === true;
  let headers: Record<string, string | string[] | undefined> | undefined;
  for (const name in request.headers) {
    if (!isDropped(name)) continue;
    // Overwritten, not deleted: objects that lose members become slow to read.
    headers ??= { ...request.headers };
    headers[name] = undefined;
  }
  if (headers === undefined) return request;
  const rawHeaderValues = (name: string) =>
    isDropped(name) ? [] : everyHeaderValue(request, name);
  return { ...request, headers, rawHeaderValues };
}
