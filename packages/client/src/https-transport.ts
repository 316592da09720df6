// The transport over TLS: HTTP/1.1 with connections that are kept and reused, a watch holding one
// of its own. The server is verified against the given authorities; the client presents a
// certificate, a bearer token, or nothing.

import { request as httpRequest, type ClientRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import {
  readAll,
  TransportError,
  type Transport,
  type TransportRequest,
  type TransportResponse,
} from './transport.ts';

export interface HttpsTransportOptions {
  /**
   * `https://host:port`, with a path when the server is behind a proxy. `http:` is for local
   * proxies.
   */
  readonly server: string;
  /** PEM bundle; absent: the authorities of the system. */
  readonly certificateAuthorityPem?: string;
  readonly certificatePem?: string;
  readonly privateKeyPem?: string;
  /** Asked for every request, so that a rotated token is used. */
  readonly token?: () => string;
  /** Name to verify the server's certificate against, when it is not the host of `server`. */
  readonly serverName?: string;
  /** SECURITY: turns verification of the server off; only ever on the user's explicit wish. */
  readonly insecureSkipTlsVerify?: boolean;
  /** Connections open at once; a watch needs one. */
  readonly connectionsMax?: number;
}

/** Connections that wait for another request; more are closed. */
const idleConnectionsMax = 16;

export function createHttpsTransport(options: HttpsTransportOptions): Transport {
  const base = new URL(options.server);
  const prefix = base.pathname.replace(/\/$/, '');
  const agent = createAgent(base, options);
  const underWay = new Set<ClientRequest>();
  let closed = false;
  return {
    request(request) {
      if (closed) return Promise.reject(closedError());
      const send = base.protocol === 'http:' ? httpRequest : httpsRequest;
      const sent = send({
        agent,
        protocol: base.protocol,
        hostname: base.hostname.replace(/^\[|\]$/g, ''),
        port: base.port,
        method: request.method,
        path: prefix + request.url,
        headers: headersOf(request, options),
        ...(request.signal === undefined ? {} : { signal: request.signal }),
      });
      underWay.add(sent);
      sent.on('close', () => underWay.delete(sent));
      return exchange(sent, request, () => closed);
    },
    close() {
      closed = true;
      for (const request of underWay) request.destroy();
      agent.destroy();
    },
  };
}

function createAgent(base: URL, options: HttpsTransportOptions): HttpAgent | HttpsAgent {
  const pool = {
    keepAlive: true,
    maxSockets: options.connectionsMax ?? 512,
    maxFreeSockets: idleConnectionsMax,
  };
  if (base.protocol === 'http:') return new HttpAgent(pool);
  return new HttpsAgent({
    ...pool,
    minVersion: 'TLSv1.2',
    ca: options.certificateAuthorityPem,
    cert: options.certificatePem,
    key: options.privateKeyPem,
    rejectUnauthorized: options.insecureSkipTlsVerify !== true,
    ...(options.serverName === undefined ? {} : { servername: options.serverName }),
  });
}

function headersOf(
  request: TransportRequest,
  options: HttpsTransportOptions,
): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = { ...request.headers };
  const token = options.token?.() ?? '';
  if (token !== '' && headers['authorization'] === undefined)
    headers['authorization'] = `Bearer ${token}`;
  if (request.body !== undefined) headers['content-length'] = String(request.body.byteLength);
  return headers;
}

function exchange(
  sent: ClientRequest,
  request: TransportRequest,
  isClosed: () => boolean,
): Promise<TransportResponse> {
  return new Promise((resolve, reject) => {
    sent.on('error', (error) =>
      reject(isClosed() ? closedError() : interpretError(error, request)),
    );
    sent.on('response', (response) => resolve(toResponse(response, request, isClosed)));
    sent.end(request.body);
  });
}

function toResponse(
  response: IncomingMessage,
  request: TransportRequest,
  isClosed: () => boolean,
): TransportResponse {
  async function* chunks(): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of response) yield chunk as Uint8Array;
    } catch (error) {
      throw isClosed() ? closedError() : interpretError(error, request);
    } finally {
      response.destroy();
    }
  }
  return {
    status: response.statusCode ?? 0,
    header(name) {
      const value = response.headers[name];
      return typeof value === 'object' ? value.join(', ') : value;
    },
    // A body that was read to its end leaves the connection to the next request.
    bytes: (bytesMax) => readAll(chunks(), bytesMax),
    chunks,
  };
}

const unreachableCodes = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
]);

function interpretError(cause: unknown, request: TransportRequest): unknown {
  if (request.signal?.aborted === true) return request.signal.reason;
  const error = cause instanceof Error ? cause : new Error(String(cause));
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  return new TransportError(unreachableCodes.has(code) ? 'unreachable' : 'broken', error.message, {
    cause,
  });
}

function closedError(): TransportError {
  return new TransportError('closed', 'the client was closed');
}
