// Connections that the server opens to others: extension API servers, pods, nodes. One client has
// one TLS policy and keeps its idle connections. It follows no redirects, and its failures read as
// Go's do, because they end up in conditions and answers that people search for.

import { request as httpRequest, Agent, type ClientRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest, Agent as TlsAgent } from 'node:https';
import { isIP, isIPv6 } from 'node:net';
import type { Duplex } from 'node:stream';
import { systemClock, type Clock } from '@keelson/apimachinery';
import { allowedLookup, isForbiddenAddress } from './webhook-address.ts';
import { connectionErrorText } from './webhook-errors.ts';

export interface Address {
  readonly host: string;
  readonly port: number;
}
/** Where to connect for an address: itself, unless pods and services are reached some other way. */
export type Route = (address: Address) => RoutedAddress;
export interface RoutedAddress extends Address {
  /** The way is inside this process: what listens there, undefined when nothing does. */
  readonly open?: () => Duplex | undefined;
}

export interface OutboundTls {
  /** PEM of the authorities that the peer is checked against; absent: those of the system. */
  readonly ca?: string;
  /** The peer is whoever answers. */
  readonly insecureSkipVerify?: boolean;
  /** Name that the peer's certificate must carry; absent: the host. */
  readonly serverName?: string;
  /** Our own identity. */
  readonly certificate?: string;
  readonly key?: string;
}
export interface OutboundRequest {
  readonly protocol: 'http' | 'https';
  readonly address: Address;
  readonly method: string;
  /** With query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[]>>;
  readonly signal?: AbortSignal;
}

/** What came back: an answer, or a connection that now speaks another protocol. */
export interface OutboundAnswer {
  readonly message: IncomingMessage;
  readonly upgraded?: { readonly socket: Duplex; readonly head: Uint8Array };
}

export interface OutboundClient {
  /**
   * Resolves with the head of the answer, rejects with an OutboundError. `send` gets the request to
   * write its body into, and must end it; absent, the request has no body.
   */
  call(request: OutboundRequest, send?: (outgoing: ClientRequest) => void): Promise<OutboundAnswer>;
  /** Closes idle connections. */
  close(): void;
}

/** A connection that failed; the message is what Go's net/http would say. */
export class OutboundError extends Error {
  constructor(message: string, cause: unknown) {
    super(message, { cause });
    this.name = 'OutboundError';
  }
}

export interface OutboundOptions {
  readonly tls?: OutboundTls;
  readonly route?: Route;
  readonly clock?: Clock;
  /** Time for connecting, TLS included. */
  readonly dialTimeoutMs?: number;
}

/** As Go's default dialer. */
const dialTimeoutDefaultMs = 30_000;
const idleConnectionsMax = 25;
const idleMs = 90_000;

const direct: Route = (address) => address;

export function createOutboundClient(options: OutboundOptions = {}): OutboundClient {
  const { tls = {}, route = direct, clock = systemClock } = options;
  const dialTimeoutMs = options.dialTimeoutMs ?? dialTimeoutDefaultMs;
  const keepAlive = { keepAlive: true, maxFreeSockets: idleConnectionsMax, timeout: idleMs };
  const plain = new Agent(keepAlive);
  const secure = new TlsAgent({ ...keepAlive, ...nodeTls(tls) });
  const make = (request: OutboundRequest): ClientRequest => {
    const { host, port, open } = route(request.address);
    if (isIP(host) !== 0 && isForbiddenAddress(host))
      throw new OutboundError(addressNotAllowed, undefined);
    const common = {
      host,
      port,
      lookup: checkedLookup,
      method: request.method,
      path: request.path,
      headers: { ...request.headers },
      ...(request.signal === undefined ? {} : { signal: request.signal }),
    };
    if (open !== undefined) {
      const connection = openInside(open, request);
      return httpRequest({ ...common, createConnection: () => connection });
    }
    if (request.protocol === 'http') return httpRequest({ ...common, agent: plain });
    const serverName = tls.serverName ?? request.address.host;
    // Absent for addresses, which no server name may be.
    const named = isIP(serverName) === 0 ? { servername: serverName } : {};
    return httpsRequest({ ...common, agent: secure, ...named });
  };
  type Send = (outgoing: ClientRequest) => void;
  const callOnce = (request: OutboundRequest, send: Send | undefined): Promise<OutboundAnswer> =>
    new Promise((resolve, reject) => {
      const outgoing = make(request);
      boundDial(outgoing, clock, dialTimeoutMs);
      outgoing.on('response', (message) => resolve({ message }));
      outgoing.on('upgrade', (message, socket, head) =>
        resolve({ message, upgraded: { socket, head } }),
      );
      outgoing.on('error', (error: NodeJS.ErrnoException) => {
        const isStale = outgoing.reusedSocket && error.code === 'ECONNRESET';
        reject(isStale && !request.signal?.aborted ? new StaleConnection() : toOutbound(error));
      });
      if (send === undefined) outgoing.end();
      else send(outgoing);
    });
  return {
    async call(request, send) {
      for (;;) {
        try {
          return await callOnce(request, send);
        } catch (error) {
          if (!(error instanceof StaleConnection)) throw error;
          // The peer closed an idle connection while the request was on its way to it. What has a
          // body cannot be sent again; every failure uses up one idle connection, so this ends.
          if (send !== undefined) throw new OutboundError('EOF', error);
        }
      }
    },
    close() {
      plain.destroy();
      secure.destroy();
    },
  };
}

function openInside(
  open: () => Duplex | undefined,
  { address, protocol }: OutboundRequest,
): Duplex {
  const connection = open();
  if (connection === undefined) {
    const why = `dial tcp ${formatAddress(address)}: connect: connection refused`;
    throw new OutboundError(why, undefined);
  }
  // Nothing inside speaks TLS.
  if (protocol === 'http') return connection;
  connection.destroy();
  throw new OutboundError('http: server gave HTTP response to HTTPS client', undefined);
}

class StaleConnection extends Error {}

const toOutbound = (error: Error) => new OutboundError(connectionErrorText(error), error);

function nodeTls(tls: OutboundTls) {
  return {
    ...(tls.ca === undefined ? {} : { ca: tls.ca }),
    ...(tls.certificate === undefined ? {} : { cert: tls.certificate }),
    ...(tls.key === undefined ? {} : { key: tls.key }),
    rejectUnauthorized: tls.insecureSkipVerify !== true,
    minVersion: 'TLSv1.2' as const,
  };
}

/** A socket that is not connected in time is given up; one that is may be silent for long. */
function boundDial(outgoing: ClientRequest, clock: Clock, dialTimeoutMs: number): void {
  outgoing.on('socket', (socket) => {
    if (!socket.connecting) return;
    const cancel = clock.after(dialTimeoutMs, () => outgoing.destroy(new Error('i/o timeout')));
    socket.once('encrypted' in socket ? 'secureConnect' : 'connect', cancel);
    socket.once('close', cancel);
  });
}

/** Where a URL of http or https leads; IPv6 addresses without their brackets. */
export function addressOfUrl({ protocol, hostname, port }: URL): Address {
  const fallback = protocol === 'http:' ? 80 : 443;
  return { host: hostname.replace(/^\[(.*)\]$/, '$1'), port: Number(port || fallback) };
}

/** `host:port`, with brackets where the host has colons. */
export function formatAddress({ host, port }: Address): string {
  return `${isIPv6(host) ? `[${host}]` : host}:${port}`;
}

const addressNotAllowed = 'address not allowed';
const checkedLookup = allowedLookup(() => new Error(addressNotAllowed));
