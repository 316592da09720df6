// WebSockets on which only the server speaks, as Kubernetes serves watches to browsers.
//
//   Origin                  must be there and be a URL: 403
//   Sec-WebSocket-Protocol  one at most, besides a token; it is the one that is answered: 400
//
// SECURITY: a token among the subprotocols is neither echoed nor counted.

import type { IncomingMessage } from 'node:http';
import type { WebSocket, WebSocketServer } from 'ws';
import { offeredSubprotocols } from '../authentication/websocket-token.ts';
import type { ApiRequest, ApiResponse } from '../http.ts';
import { isUpgradeRequest } from './forwarded-headers.ts';

export interface WebSocketConnection {
  /** One message: text as text, bytes as binary. */
  send(message: string | Uint8Array): void;
  /** Bytes that the client has not taken yet. */
  buffered(): number;
  /** Says goodbye; the client has half a minute to answer. */
  close(): void;
  /** Cuts the connection. */
  abort(): void;
}

/** What clients send is ignored, so it need not be long. */
const receivedBytesMax = 64 * 1024;

let server: WebSocketServer | undefined;

/** Must have resolved once before `acceptWebSocket`; most servers never see a WebSocket. */
export async function loadWebSockets(): Promise<void> {
  if (server !== undefined) return;
  const { WebSocketServer: Server } = await import('ws');
  server ??= new Server({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: receivedBytesMax,
    handleProtocols: ([first = '']) => first,
  });
}

export function isWebSocketRequest(request: ApiRequest): boolean {
  return (
    isUpgradeRequest(request) &&
    String(request.headers['upgrade'] ?? '').toLowerCase() === 'websocket'
  );
}

/**
 * Takes the connection over; undefined when the handshake was wrong, which has been answered then.
 * `onClose` is called once, whoever ends it.
 */
export function acceptWebSocket(
  request: ApiRequest,
  response: ApiResponse,
  onClose: () => void,
): WebSocketConnection | undefined {
  const problem = handshakeProblem(request);
  if (problem !== undefined) {
    response.status = problem.status;
    if (problem.version) response.setHeader('sec-websocket-version', '13');
    response.end(problem.text);
    return undefined;
  }
  const taken = request.upgrade?.();
  if (taken === undefined || server === undefined)
    throw new Error('the connection cannot be taken over');
  const [protocol] = offeredSubprotocols(request);
  const { 'sec-websocket-protocol': _offered, ...headers } = request.headers;
  const handshake = {
    method: request.method,
    url: request.url,
    headers: {
      ...headers,
      ...(protocol === undefined ? {} : { 'sec-websocket-protocol': protocol }),
    },
  };
  let socket: WebSocket | undefined;
  // Calls back at once: everything that it would refuse has been checked.
  server.handleUpgrade(
    handshake as IncomingMessage,
    taken.socket,
    Buffer.from(taken.head),
    (opened) => (socket = opened),
  );
  if (socket === undefined) {
    taken.socket.destroy();
    onClose();
    return undefined;
  }
  socket.on('error', () => {});
  socket.on('close', onClose);
  return connectionOf(socket);
}

function connectionOf(socket: WebSocket): WebSocketConnection {
  return {
    send: (message) => socket.send(message, { binary: typeof message !== 'string' }),
    buffered: () => socket.bufferedAmount,
    close: () => socket.close(1000),
    abort: () => socket.terminate(),
  };
}

interface HandshakeProblem {
  readonly status: number;
  readonly text: string;
  readonly version?: true;
}

/** COMPAT: the checks and texts of golang.org/x/net/websocket. */
function handshakeProblem(request: ApiRequest): HandshakeProblem | undefined {
  const { headers, method } = request;
  if (method !== 'GET') return { status: 405, text: 'bad method' };
  if (!/^[+/0-9A-Za-z]{22}==$/.test(String(headers['sec-websocket-key'] ?? '')))
    return { status: 400, text: 'mismatch challenge/response' };
  if (headers['sec-websocket-version'] !== '13')
    return { status: 400, text: 'missing or bad WebSocket Version', version: true };
  if (!isOrigin(headers['origin'])) return { status: 403, text: '' };
  if (offeredSubprotocols(request).filter((p) => p !== '').length > 1)
    return { status: 400, text: '' };
  return undefined;
}

// SECURITY: browsers always say where a page comes from, and `null` for pages that come from nowhere.
function isOrigin(value: string | string[] | undefined): boolean {
  return typeof value === 'string' && URL.canParse(value);
}
