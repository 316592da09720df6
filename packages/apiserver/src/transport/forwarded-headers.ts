// Which headers pass through a proxy. Those of one connection never do (RFC 9110 §7.6.1), and
// neither does anything that proves or asserts who the caller is: the server behind must not get
// the caller's credentials, nor believe the caller's own words about its name.

import { isCredentialHeader } from '../authentication/headers.ts';
import { bearerProtocolPrefix } from '../authentication/websocket-token.ts';
import type { ApiRequest } from '../http.ts';

export type Headers = Record<string, string | string[]>;

const connectionHeaders: ReadonlySet<string> = new Set([
  'connection',
  'proxy-connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
]);

/** Whether the client asks to change the protocol, and may. */
export function isUpgradeRequest(request: ApiRequest): boolean {
  return (
    request.upgrade !== undefined &&
    String(request.headers['connection'] ?? '')
      .toLowerCase()
      .includes('upgrade')
  );
}

/** The headers of a request as the server behind gets them. */
export function forwardedRequestHeaders(request: ApiRequest): Headers {
  const listed = listedIn(request.headers['connection']);
  const headers: Headers = {};
  for (const [name, value] of Object.entries(request.headers)) {
    if (value === undefined || name.startsWith(':') || name === 'host' || name === 'expect')
      continue;
    if (connectionHeaders.has(name) || listed.has(name) || isCredentialHeader(name)) continue;
    headers[name] = value;
  }
  withoutBearerProtocol(headers);
  const before = [headers['x-forwarded-for'] ?? []].flat();
  headers['x-forwarded-for'] = [...before, request.remoteAddress].join(', ');
  if (isUpgradeRequest(request)) {
    headers['connection'] = 'Upgrade';
    headers['upgrade'] = String(request.headers['upgrade'] ?? '');
  }
  return headers;
}

/** SECURITY: a browser's token travels as a subprotocol. */
function withoutBearerProtocol(headers: Headers): void {
  const offered = headers['sec-websocket-protocol'];
  if (offered === undefined) return;
  const kept = [offered]
    .flat()
    .flatMap((line) => line.split(','))
    .map((text) => text.trim())
    .filter((text) => !text.startsWith(bearerProtocolPrefix));
  if (kept.length === 0) delete headers['sec-websocket-protocol'];
  else headers['sec-websocket-protocol'] = kept.join(', ');
}

// COMPAT: whether browsers of other sites may read an answer is this server's business.
const corsHeaders: ReadonlySet<string> = new Set([
  'access-control-allow-credentials',
  'access-control-allow-headers',
  'access-control-allow-methods',
  'access-control-allow-origin',
]);

/** The headers of an answer as the client gets them, from node's flat list. */
export function forwardedResponseHeaders(rawHeaders: readonly string[]): Headers {
  const pairs: (readonly [string, string])[] = [];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2)
    pairs.push([(rawHeaders[i] ?? '').toLowerCase(), rawHeaders[i + 1] ?? '']);
  const listed = listedIn(pairs.filter(([name]) => name === 'connection').map(([, v]) => v));
  const headers: Headers = {};
  for (const [name, value] of pairs) {
    if (connectionHeaders.has(name) || corsHeaders.has(name) || listed.has(name)) continue;
    const before = headers[name];
    headers[name] = before === undefined ? value : [before, value].flat();
  }
  return headers;
}

/** Headers that `Connection` names are of that connection, too. */
function listedIn(connection: string | string[] | undefined): ReadonlySet<string> {
  return new Set(
    [connection ?? []]
      .flat()
      .flatMap((line) => line.split(','))
      .map((name) => name.trim().toLowerCase()),
  );
}
