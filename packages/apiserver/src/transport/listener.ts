// The TLS listener: one port, HTTP/1.1 and, where it was asked for, HTTP/2 by ALPN. Every limit of
// a connection is set here.

import {
  createSecureServer,
  type Http2SecureServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
} from 'node:http2';
import { createServer, type Server } from 'node:https';
import { ServerResponse, type IncomingMessage } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ServerLimits } from '../config.ts';
import { createMalformedAnswers } from './malformed-requests.ts';
import { fromNodeRequest, fromNodeResponse } from './node-http.ts';
import type { ServeRequest } from './in-process.ts';

export interface ListenerOptions {
  readonly address: string;
  readonly port: number;
  readonly certificate: string;
  readonly key: string;
  /** Client certificates are asked for, and checked by the x509 authenticator, not by TLS. */
  readonly http2: boolean;
  readonly limits: ServerLimits;
}

export interface Listener {
  readonly address: string;
  readonly port: number;
  /**
   * Stops accepting; connections that are idle are closed at once, others when their requests end
   * or `graceMs` passed.
   */
  close(graceMs: number): Promise<void>;
}

/** One for all: a reason made for each request would take a stack trace each. */
const clientGone = new Error('the client has gone');

/** Rejects with the error of `listen` (EADDRINUSE, EACCES). */
export async function openListener(
  serve: ServeRequest,
  options: ListenerOptions,
): Promise<Listener> {
  const server = createTlsServer(options);
  const sockets = new Set<Duplex>();
  server.on('secureConnection', (socket: Duplex) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
  });
  server.on('tlsClientError', () => {});
  const malformed = createMalformedAnswers();
  server.on('clientError', malformed.answer);
  server.on(
    'request',
    (req: IncomingMessage | Http2ServerRequest, res: ServerResponse | Http2ServerResponse) => {
      if (res instanceof ServerResponse) malformed.note(req.socket, res);
      const gone = new AbortController();
      const onGone = () => {
        if (!res.writableEnded) gone.abort(clientGone);
      };
      res.on('close', onGone);
      req.on('error', onGone);
      res.on('error', onGone);
      const response = fromNodeResponse(req, res);
      // What could not be answered must not leave the client waiting, nor end the process.
      serve(fromNodeRequest(req, gone.signal), response).catch(() => response.abort());
    },
  );
  server.on('upgrade', (req: IncomingMessage, socket: Duplex, head: Buffer) =>
    serveUpgrade(serve, req, { socket, head }),
  );
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.address, () => {
      server.off('error', reject);
      server.on('error', () => {});
      resolve();
    });
  });
  const bound = server.address() as AddressInfo;
  return {
    address: bound.address,
    port: bound.port,
    close: (graceMs) =>
      new Promise((resolve) => {
        server.close(() => resolve());
        if ('closeIdleConnections' in server) server.closeIdleConnections();
        const force = setTimeout(() => sockets.forEach((s) => s.destroy()), graceMs);
        force.unref();
      }),
  };
}

/**
 * A request that wants to change the protocol goes through the same pipeline. Whoever does not take
 * the connection over answers as usual, and the connection ends with the answer.
 */
function serveUpgrade(
  serve: ServeRequest,
  req: IncomingMessage,
  connection: { socket: Duplex; head: Uint8Array },
): void {
  const { socket } = connection;
  const gone = new AbortController();
  socket.on('close', () => gone.abort());
  socket.on('error', () => gone.abort());
  const res = new ServerResponse(req);
  res.shouldKeepAlive = false;
  try {
    // The connection is a TLS socket; node's type for the event is wider.
    res.assignSocket(socket as Socket);
  } catch {
    // SECURITY: it came behind a request that has no answer yet. Nobody who means it sends one so,
    // and node would end the process.
    socket.destroy();
    return;
  }
  res.on('finish', () => socket.end());
  const response = fromNodeResponse(req, res);
  const take = () => {
    res.detachSocket(socket as Socket);
    return connection;
  };
  serve(fromNodeRequest(req, gone.signal, take), response).catch(() => response.abort());
}

/** COMPAT: other protocols that a client offers are ignored, and the request is an ordinary one. */
function isKnownUpgrade(req: IncomingMessage): boolean {
  return /websocket|spdy\/3\.1/i.test(req.headers.upgrade ?? '');
}

// SECURITY: who connects and then says little holds a connection no longer than this.
const handshakeTimeoutMs = 10_000;
const headersTimeoutMs = 30_000;
/** As kube-apiserver's idle timeout. */
const keepAliveTimeoutMs = 90_000;

function createTlsServer(options: ListenerOptions): Server | Http2SecureServer {
  const { limits } = options;
  const tls = {
    key: options.key,
    cert: options.certificate,
    minVersion: 'TLSv1.2' as const,
    requestCert: true,
    rejectUnauthorized: false,
    maxHeaderSize: limits.headerBytesMax,
    handshakeTimeout: handshakeTimeoutMs,
    shouldUpgradeCallback: isKnownUpgrade,
  };
  const server = options.http2
    ? createSecureServer({
        ...tls,
        allowHTTP1: true,
        // Rapid reset: streams that are opened and reset at once are bounded by these.
        maxSessionMemory: 10,
        settings: {
          maxConcurrentStreams: 250,
          enableConnectProtocol: false,
          initialWindowSize: 1 << 20,
        },
        maxSessionInvalidFrames: 100,
        maxSessionRejectedStreams: 100,
      })
    : createServer({
        ...tls,
        keepAlive: true,
        noDelay: true,
      });
  server.maxConnections = limits.connectionsMax;
  // The HTTP/1.1 half of an HTTP/2 server has these too, though its type does not say so.
  Object.assign(server, {
    headersTimeout: headersTimeoutMs,
    requestTimeout: limits.requestTimeoutMs * 2,
    keepAliveTimeout: keepAliveTimeoutMs,
  });
  return server;
}
