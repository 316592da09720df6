// port-forward: connections to the ports of a simulated pod. Which ports they are says the client.
//
//   SPDY          for each connection a stream `error` and a stream `data`, with headers `port` and
//                 `requestID`; also tunnelled through a WebSocket (KEP-4006)
//   WebSocket     one connection for each port of the query; channel 2n is the data of the nth,
//                 2n+1 its errors; the first message of each is the port, two bytes, low byte first

import { Duplex } from 'node:stream';
import type { Clock } from '@keelson/apimachinery';
import {
  createSpdyConnection,
  type SpdyHeaders,
  type SpdyStream,
} from '@keelson/apimachinery/streaming';
import type { WebSocket } from 'ws';
import type { PodRecord } from '../simulated/pod-record.ts';
import { streamsMs } from './command-spdy.ts';
import type { PodPorts } from './pod-ports.ts';
import type { AcceptedWebSocket, Connection } from './upgrades.ts';

export interface PortForward {
  readonly record: PodRecord;
  readonly ports: PodPorts;
  readonly clock: Clock;
}

/** In the order of preference. */
export const portForwardSubprotocols = ['v4.channel.k8s.io', 'v4.base64.channel.k8s.io'];

/** Both streams of one forwarded connection, as far as they are there. */
interface StreamPair {
  error?: SpdyStream;
  data?: SpdyStream;
  readonly cancel: () => void;
}

export function forwardOverSpdy({ socket, head }: Connection, forward: PortForward): void {
  const { clock } = forward;
  const pairs = new Map<string, StreamPair>();
  const connection = createSpdyConnection({
    transport: socket,
    head,
    role: 'server',
    clock,
    takerOf(headers) {
      const { type, port, id } = askedOf(headers);
      if (type === undefined || port === undefined || pairs.get(id)?.[type] !== undefined)
        return undefined;
      const pair = pairs.get(id) ?? { cancel: clock.after(streamsMs, () => giveUp(id)) };
      pairs.set(id, pair);
      return (stream) => {
        pair[type] = stream;
        const { error, data } = pair;
        if (error === undefined || data === undefined) return;
        pair.cancel();
        pairs.delete(id);
        forwardOne({ error, data }, port, forward);
      };
    },
  });
  const giveUp = (id: string) => {
    const pair = pairs.get(id);
    pairs.delete(id);
    pair?.error?.resume().end(`(request=${id}) timed out waiting for streams`);
    pair?.data?.destroy();
  };
  void connection.closed.then(() => {
    for (const { cancel } of pairs.values()) cancel();
  });
}

function askedOf(headers: SpdyHeaders) {
  const type = headers.get('streamtype');
  const port = portOf(headers.get('port') ?? '');
  return {
    type: type === 'error' || type === 'data' ? type : undefined,
    port: typeof port === 'number' ? port : undefined,
    id: headers.get('requestid') ?? '',
  } as const;
}

/** A text says what is wrong with it, in the words of kubelets. */
function portOf(text: string): number | string {
  const port = Number(text);
  const quoted = JSON.stringify(text);
  const unable = `unable to parse ${quoted} as a port: strconv.ParseUint: parsing ${quoted}: `;
  if (!/^\d+$/.test(text)) return `${unable}invalid syntax`;
  if (port > 65_535) return `${unable}value out of range`;
  return port < 1 ? `port ${quoted} must be > 0` : port;
}

function forwardOne(
  { error, data }: { readonly error: Duplex; readonly data: Duplex },
  port: number,
  { record, ports }: PortForward,
): void {
  error.resume();
  const behind = ports.connect(record, port);
  if (behind === undefined) {
    error.end(refusalText(record, port));
    data.resume();
    data.end();
    return;
  }
  behind.on('error', () => data.destroy());
  behind.on('close', () => data.end());
  // The client reads errors until there can be none any more.
  behind.on('end', () => error.end());
  data.on('close', () => {
    behind.destroy();
    error.end();
  });
  data.pipe(behind).pipe(data);
}

/** COMPAT: the words of kubelets and of containerd. */
function refusalText({ pod, uid }: PodRecord, port: number): string {
  const name = pod.metadata?.name ?? '';
  const refused = (network: string, host: string) =>
    `dial ${network} ${host}:${port}: connect: connection refused`;
  return [
    `error forwarding port ${port} to pod ${name}, uid ${uid}: `,
    `failed to connect to localhost:${port} inside namespace "${name}", `,
    `IPv4: ${refused('tcp4', '127.0.0.1')} IPv6 ${refused('tcp6', '[::1]')}`,
  ].join('');
}

/** A text says what is wrong with the query. */
export function portsOfQuery(query: URLSearchParams): readonly number[] | string {
  const given = query.getAll('port');
  if (given.length === 0) return 'query parameter "port" is required';
  if (given.includes('')) return 'query parameter "port" cannot be empty';
  const ports = given.flatMap((text) => text.split(',')).map(portOf);
  if (ports.length > portsMax) return `at most ${portsMax} ports can be forwarded`;
  return ports.find((port) => typeof port === 'string') ?? (ports as number[]);
}

/** Two channels each, numbered by a byte. */
const portsMax = 100;

export function forwardOverWebSocket(
  { socket, protocol }: Pick<AcceptedWebSocket, 'socket' | 'protocol'>,
  wanted: readonly number[],
  forward: PortForward,
): void {
  const isText = protocol.includes('base64');
  const send = (channel: number, bytes: Uint8Array, done?: () => void) =>
    socket.send(
      isText
        ? `${String.fromCharCode(48 + channel)}${Buffer.from(bytes).toString('base64')}`
        : Buffer.concat([Buffer.from([channel]), bytes]),
      () => done?.(),
    );
  const channels = wanted.flatMap((port, at) => {
    const pair = [2 * at, 2 * at + 1].map((channel) => channelOf(channel, send, socket));
    const [data, error] = pair;
    if (data === undefined || error === undefined) return [];
    const announced = Buffer.from([port & 255, port >> 8]);
    for (const channel of pair) channel.write(announced);
    forwardOne({ data, error }, port, forward);
    return pair;
  });
  socket.on('message', (message: Buffer) => {
    const channel = channels[isText ? (message[0] ?? 0) - 48 : (message[0] ?? 0)];
    const rest = message.subarray(1);
    if (channel === undefined || channel.readableEnded || channel.destroyed || rest.length === 0)
      return;
    if (!channel.push(isText ? Buffer.from(rest.toString(), 'base64') : rest)) socket.pause();
  });
  socket.on('close', () => {
    for (const channel of channels) channel.destroy();
  });
}

/** Ended channels are just silent: this protocol cannot say that one has ended. */
function channelOf(
  channel: number,
  send: (channel: number, bytes: Uint8Array, done: () => void) => void,
  socket: WebSocket,
): Duplex {
  return new Duplex({
    read: () => socket.resume(),
    write: (bytes: Buffer, _encoding, done) => send(channel, bytes, () => done()),
  }).on('error', () => {});
}
