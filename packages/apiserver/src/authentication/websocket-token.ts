// Browsers cannot set headers on a WebSocket, so a token may come as a subprotocol:
//
//   Sec-WebSocket-Protocol: v4.channel.k8s.io, base64url.bearer.authorization.k8s.io.<base64url token>
//
// One token, valid UTF-8, and at least one other subprotocol that the server can answer with.

import type { ApiRequest } from '../http.ts';
import type { Authenticator, TokenAuthenticator } from './authenticator.ts';
import { recognised } from './bearer-token.ts';
import { recordAuthentication, rejected } from './union.ts';

/** SECURITY: a subprotocol with this prefix is a secret; it is never echoed or passed on. */
export const bearerProtocolPrefix = 'base64url.bearer.authorization.k8s.io.';

/** Asks `tokens` about the token in the subprotocols of a WebSocket request. */
export function createWebsocketTokenAuthenticator(
  tokens: TokenAuthenticator,
  audiences: readonly string[],
): Authenticator {
  const name = 'websocket-token';
  return {
    name,
    async authenticate(request, trace) {
      const found = isWebsocket(request) ? tokenOf(request) : {};
      if (found.token !== undefined)
        return recognised(await tokens.authenticateToken(found.token, audiences, trace));
      const result =
        found.problem === undefined
          ? ({ outcome: 'no-credential', reason: 'no subprotocol carries a token' } as const)
          : { ...rejected(found.problem), check: 'form' };
      if (trace.enabled) recordAuthentication(trace, name, result);
      return result;
    },
  };
}

/** The subprotocols that a client offers, without its token. */
export function offeredSubprotocols(request: ApiRequest): string[] {
  const header = request.headers['sec-websocket-protocol'];
  const lines = header === undefined ? [] : Array.isArray(header) ? header : [header];
  return lines
    .flatMap((line) => line.split(','))
    .map((text) => text.trim())
    .filter((text) => !text.startsWith(bearerProtocolPrefix));
}

function isWebsocket(request: ApiRequest): boolean {
  const { upgrade, connection } = request.headers;
  const has = (value: string | string[] | undefined, word: string) =>
    String(value ?? '')
      .toLowerCase()
      .split(',')
      .some((part) => part.trim() === word);
  return has(upgrade, 'websocket') && has(connection, 'upgrade');
}

function tokenOf(request: ApiRequest): { token?: string; problem?: string } {
  const header = request.headers['sec-websocket-protocol'];
  const protocols = (Array.isArray(header) ? header : [header ?? ''])
    .flatMap((line) => line.split(','))
    .map((text) => text.trim());
  const encoded = protocols.filter((text) => text.startsWith(bearerProtocolPrefix));
  const [first] = encoded;
  if (first === undefined) return {};
  if (encoded.length > 1)
    return { problem: 'multiple base64.bearer.authorization tokens specified' };
  const text = first.slice(bearerProtocolPrefix.length);
  const bytes = Buffer.from(text, 'base64url');
  if (bytes.toString('base64url') !== text)
    return { problem: 'invalid base64.bearer.authorization token encoding' };
  const token = decodeUtf8(bytes);
  if (token === undefined) return { problem: 'invalid base64.bearer.authorization token' };
  if (protocols.length === 1) return { problem: 'missing additional subprotocol' };
  return token === '' ? {} : { token };
}

function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
