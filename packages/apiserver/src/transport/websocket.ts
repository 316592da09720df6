// WebSockets: those on which only the server speaks, as Kubernetes serves watches and logs to
// browsers, and those of exec, attach and port-forward, on which both do.
//
//   watches   Origin must be there and be a URL, else 403; of subprotocols there is one at most,
//             besides a token, and it is answered whatever it is, else 400
//   logs      the first subprotocol that is known is answered: `binary.k8s.io`, or
//             `base64.binary.k8s.io` for text messages; none is binary; others are 403
//   streams     who accepts one has chosen the subprotocol
//
// SECURITY: a token among the subprotocols is neither echoed nor counted.

import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { WebSocket, WebSocketServer } from 'ws';
import { offeredSubprotocols } from '../authentication/websocket-token.ts';
import type { ApiRequest, ApiResponse } from '../http.ts';
import type { RequestContext } from '../request-context.ts';
import { isUpgradeRequest } from './forwarded-headers.ts';

export interface WebSocketConnection {
  /** The subprotocol that was agreed on, or nothing. */
  readonly protocol: string;
  /** One message: text as text, bytes as binary. */
  send(message: string | Uint8Array): void;
  /** The same, and resolves when the message has left, or the connection has gone. */
  deliver(message: string | Uint8Array): Promise<void>;
  /** Bytes that the client has not taken yet. */
  buffered(): number;
  /** Says goodbye; the client has half a minute to answer. */
  close(): void;
  /** Cuts the connection. */
  abort(): void;
}

/** What clients of watches and logs send is ignored, so it need not be long. */
const ignoredBytesMax = 64 * 1024;
/** One message of a stream; clients send some ten kilobytes at a time. */
const messageBytesMax = 1024 * 1024;

interface WebSocketServers {
  readonly oneWay: WebSocketServer;
  readonly twoWay: WebSocketServer;
  asStream(socket: WebSocket): Duplex;
}
let servers: WebSocketServers | undefined;

/** Must have resolved once before a WebSocket is accepted; most servers never see one. */
export async function loadWebSockets(): Promise<void> {
  if (servers !== undefined) return;
  const { createWebSocketStream, WebSocketServer: Server } = await import('ws');
  const create = (maxPayload: number): WebSocketServer => {
    const options = { noServer: true, clientTracking: false, perMessageDeflate: false };
    const server = new Server({ ...options, maxPayload });
    server.on('headers', (lines: string[], { chosen }: Handshake) => {
      if (chosen !== undefined) lines.push(`Sec-WebSocket-Protocol: ${chosen}`);
    });
    return server;
  };
  servers ??= {
    oneWay: create(ignoredBytesMax),
    twoWay: create(messageBytesMax),
    asStream: (socket) => createWebSocketStream(socket),
  };
}

/** The request as the library gets it. */
interface Handshake extends IncomingMessage {
  readonly chosen: string | undefined;
}

export function isWebSocketRequest(request: ApiRequest): boolean {
  return (
    isUpgradeRequest(request) &&
    String(request.headers['upgrade'] ?? '').toLowerCase() === 'websocket'
  );
}

/** Which subprotocols there are; absent, any one that a page from somewhere offers. */
export type Subprotocols = readonly string[];
export const streamProtocols: Subprotocols = ['binary.k8s.io', 'base64.binary.k8s.io'];

/**
 * Takes the connection over; undefined when the handshake was wrong, which has been answered then.
 * `onClose` is called once, whoever ends it.
 */
export function acceptWebSocket(
  { request, response }: Pick<RequestContext, 'request' | 'response'>,
  onClose: () => void,
  known?: Subprotocols,
): WebSocketConnection | undefined {
  const offered = offeredSubprotocols(request).filter((text) => text !== '');
  const problem = handshakeProblem(request) ?? negotiationProblem(request, offered, known);
  if (problem !== undefined) {
    answerProblem(response, problem);
    return undefined;
  }
  const protocol = offered.find((text) => known?.includes(text) ?? true);
  const socket = openSocket(request, 'oneWay', protocol);
  if (socket === undefined) {
    onClose();
    return undefined;
  }
  socket.on('close', onClose);
  return connectionOf(socket, protocol ?? '');
}

/** For streams; undefined when the handshake was wrong, which has been answered then. */
export function acceptStreamSocket(
  { request, response }: Pick<RequestContext, 'request' | 'response'>,
  protocol: string | undefined,
): WebSocket | undefined {
  const problem = handshakeProblem(request);
  if (problem === undefined) return openSocket(request, 'twoWay', protocol);
  answerProblem(response, problem);
  return undefined;
}

/** The messages of a WebSocket as one stream of bytes. */
export function streamOfSocket(socket: WebSocket): Duplex {
  if (servers === undefined) throw new Error('WebSockets are not loaded');
  return servers.asStream(socket);
}

function answerProblem(response: ApiResponse, problem: HandshakeProblem): void {
  response.status = problem.status;
  if (problem.version) response.setHeader('sec-websocket-version', '13');
  response.end(problem.text);
}

/** Undefined when the library refuses what was checked before. */
function openSocket(
  request: ApiRequest,
  direction: 'oneWay' | 'twoWay',
  protocol: string | undefined,
): WebSocket | undefined {
  const taken = request.upgrade?.();
  if (taken === undefined || servers === undefined)
    throw new Error('the connection cannot be taken over');
  // COMPAT: names of tunnelled protocols have a slash, which the library allows in no subprotocol,
  // so it gets to see none, and the answer names ours.
  const { 'sec-websocket-protocol': _offered, ...headers } = request.headers;
  const handshake = { method: request.method, url: request.url, headers, chosen: protocol };
  let socket: WebSocket | undefined;
  // Calls back at once: everything that it would refuse has been checked.
  servers[direction].handleUpgrade(
    handshake as unknown as Handshake,
    taken.socket,
    Buffer.from(taken.head),
    (opened) => (socket = opened),
  );
  if (socket === undefined) taken.socket.destroy();
  else socket.on('error', () => {});
  return socket;
}

function connectionOf(socket: WebSocket, protocol: string): WebSocketConnection {
  return {
    protocol,
    send: (message) => socket.send(message, { binary: typeof message !== 'string' }),
    deliver: (message) =>
      new Promise((resolve) =>
        socket.send(message, { binary: typeof message !== 'string' }, () => resolve()),
      ),
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
  return undefined;
}

function negotiationProblem(
  { headers }: ApiRequest,
  offered: readonly string[],
  known: Subprotocols | undefined,
): HandshakeProblem | undefined {
  const refused = { status: 403, text: '' };
  if (known !== undefined)
    return offered.length === 0 || offered.some((text) => known.includes(text))
      ? undefined
      : refused;
  if (!isOrigin(headers['origin'])) return refused;
  return offered.length > 1 ? { status: 400, text: '' } : undefined;
}

// SECURITY: browsers always say where a page comes from, and `null` for pages that come from nowhere.
function isOrigin(value: string | string[] | undefined): boolean {
  return typeof value === 'string' && URL.canParse(value);
}
