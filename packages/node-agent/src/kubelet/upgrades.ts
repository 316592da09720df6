// exec, attach and port-forward of a kubelet: which pod and container is meant, and which protocol
// is spoken. All checks are made before the connection changes its protocol.
//
//   /exec/NAMESPACE/POD/CONTAINER?command=…&input=1&output=1&error=1&tty=1     SPDY, WebSocket
//   /attach/NAMESPACE/POD/CONTAINER?…                                         SPDY, WebSocket
//   /portForward/NAMESPACE/POD?port=…              SPDY, SPDY through a WebSocket, WebSocket

import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Clock } from '@keelson/apimachinery';
import {
  negotiateProtocol,
  portForwardProtocol,
  protocolVersionHeader,
  remoteCommandProtocols,
  spdyUpgrade,
  tunnelProtocolOf,
} from '@keelson/apimachinery/streaming';
import type { WebSocket } from 'ws';
import { isRunning } from '../simulated/pod-record.ts';
import type { SimulatedNode } from '../simulated/simulated-node.ts';
import { wantedStreams } from './command-session.ts';
import { serveCommandSpdy } from './command-spdy.ts';
import { commandSubprotocols, serveCommandWebSocket } from './command-websocket.ts';
import { findContainer, findPod } from './find-container.ts';
import type { PodPorts } from './pod-ports.ts';
import {
  forwardOverSpdy,
  forwardOverWebSocket,
  portForwardSubprotocols,
  portsOfQuery,
} from './port-forward.ts';

/** A connection whose protocol is about to change. */
export interface Connection {
  readonly socket: Duplex;
  readonly head: Buffer;
}
export interface UpgradeOptions {
  readonly node: SimulatedNode;
  readonly request: IncomingMessage;
  readonly connection: Connection;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly ports: PodPorts;
  readonly clock: Clock;
}

export const isStreamPath = (path: string): boolean => /^\/(exec|attach|portForward)\//.test(path);

/** The caller has been let in. */
export async function serveUpgrade(options: UpgradeOptions): Promise<void> {
  const { path, connection, request } = options;
  const serve = path.startsWith('/portForward/') ? portForwardOf(options) : commandOf(options);
  if ('status' in serve) return refuseUpgrade(connection.socket, serve);
  if (isSpdy(request)) {
    const chosen = negotiateProtocol(request.headers, serve.spdyProtocols);
    if (typeof chosen !== 'string') return refuseUpgrade(connection.socket, chosen);
    acceptSpdy(connection.socket, chosen);
    return serve.overSpdy(chosen);
  }
  if (!isWebSocket(request))
    return refuseUpgrade(connection.socket, { status: 400, text: 'Upgrade request required' });
  const offered = offeredSubprotocols(request);
  const chosen = serve.subprotocols.find((one) => offered.includes(one));
  if (chosen === undefined) {
    const text = `none of the protocols is known; known are ${serve.subprotocols.join(', ')}`;
    return refuseUpgrade(connection.socket, { status: 400, text });
  }
  await acceptWebSocket(options, chosen, (socket, asStream) =>
    serve.overWebSocket({ socket, protocol: chosen, asStream }),
  );
}

export interface AcceptedWebSocket {
  readonly socket: WebSocket;
  readonly protocol: string;
  /** Its messages as one stream of bytes. */
  asStream(): Duplex;
}
/** What can be done with a connection, by what is spoken over it. */
interface Served {
  readonly spdyProtocols: readonly string[];
  overSpdy(protocol: string): void;
  readonly subprotocols: readonly string[];
  overWebSocket(accepted: AcceptedWebSocket): void;
}
interface Refused {
  readonly status: number;
  readonly text: string;
  readonly headers?: Readonly<Record<string, string>>;
}

function commandOf(options: UpgradeOptions): Served | Refused {
  const { node, path, query, clock, connection } = options;
  const found = findContainer(node, path);
  if (typeof found === 'string') return { status: 404, text: found };
  const { name } = found.container.spec;
  if (!isRunning(found.container)) return { status: 500, text: `container not found ("${name}")` };
  const wants = wantedStreams(query);
  if (typeof wants === 'string') return { status: 400, text: wants };
  const command = {
    kind: path.startsWith('/attach/') ? ('attach' as const) : ('exec' as const),
    command: query.getAll('command'),
    wants,
    now: () => clock.now(),
    ...found,
  };
  return {
    spdyProtocols: remoteCommandProtocols,
    overSpdy: (protocol) => serveCommandSpdy({ ...command, connection, protocol, clock }),
    subprotocols: commandSubprotocols,
    overWebSocket: (accepted) => serveCommandWebSocket(accepted, command),
  };
}

function portForwardOf(options: UpgradeOptions): Served | Refused {
  const { node, path, query, ports, clock, connection, request } = options;
  const record = findPod(node, path);
  if (typeof record === 'string') return { status: 404, text: record };
  const { name = '', namespace = '' } = record.pod.metadata ?? {};
  if (!record.containers.some(isRunning))
    return { status: 500, text: `pod not found ("${name}_${namespace}")` };
  const forward = { record, ports, clock };
  const tunnel = tunnelProtocolOf(portForwardProtocol);
  const isTunnel = offeredSubprotocols(request).includes(tunnel);
  const wanted = isSpdy(request) || isTunnel ? [] : portsOfQuery(query);
  if (typeof wanted === 'string') return { status: 400, text: wanted };
  return {
    spdyProtocols: [portForwardProtocol],
    overSpdy: () => forwardOverSpdy(connection, forward),
    subprotocols: [tunnel, ...portForwardSubprotocols],
    overWebSocket(accepted) {
      if (accepted.protocol !== tunnel) return forwardOverWebSocket(accepted, wanted, forward);
      forwardOverSpdy({ socket: accepted.asStream(), head: Buffer.alloc(0) }, forward);
    },
  };
}

const offeredSubprotocols = ({ headers }: IncomingMessage): readonly string[] =>
  (headers['sec-websocket-protocol'] ?? '').split(',').map((one) => one.trim());
const upgradeOf = ({ headers }: IncomingMessage) => (headers.upgrade ?? '').toLowerCase();
const isSpdy = (request: IncomingMessage) => upgradeOf(request) === spdyUpgrade.toLowerCase();
const isWebSocket = (request: IncomingMessage) => upgradeOf(request) === 'websocket';

function acceptSpdy(socket: Duplex, protocol: string): void {
  const lines = [
    'HTTP/1.1 101 Switching Protocols',
    'Connection: Upgrade',
    `Upgrade: ${spdyUpgrade}`,
    `${protocolVersionHeader}: ${protocol}`,
  ];
  socket.write(`${lines.join('\r\n')}\r\n\r\n`);
}

/** One message of a client. */
const messageBytesMax = 1024 * 1024;

async function acceptWebSocket(
  { request, connection }: UpgradeOptions,
  protocol: string,
  serve: (socket: WebSocket, asStream: () => Duplex) => void,
): Promise<void> {
  const { createWebSocketStream, WebSocketServer } = await import('ws');
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: messageBytesMax,
  });
  // COMPAT: names of tunnelled protocols have a slash, which the library allows in no subprotocol.
  delete request.headers['sec-websocket-protocol'];
  server.on('headers', (lines) => lines.push(`Sec-WebSocket-Protocol: ${protocol}`));
  server.handleUpgrade(request, connection.socket, connection.head, (opened) => {
    opened.on('error', () => {});
    serve(opened, () => createWebSocketStream(opened));
  });
}

export function refuseUpgrade(socket: Duplex, { status, text, headers = {} }: Refused): void {
  const lines = [
    `HTTP/1.1 ${status} Refused`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    'content-type: text/plain; charset=utf-8',
    `content-length: ${Buffer.byteLength(text)}`,
    'connection: close',
  ];
  socket.end(`${lines.join('\r\n')}\r\n\r\n${text}`);
}
