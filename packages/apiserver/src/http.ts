// A request and its answer, independent of the transport: node:http requests, HTTP/2 streams and
// the in-process transport of `createCluster()` all become these two, so the whole pipeline can be
// used without a socket.

import type { Duplex, Readable } from 'node:stream';
import type { DecisionTrace } from '@keelson/apimachinery';
import type { UserInfo } from './authentication/authenticator.ts';

export interface ApiRequest {
  readonly method: string;
  /** Path and query as sent. */
  readonly url: string;
  /** Lower-case names; repeated headers joined as node does, except the multi-value ones below. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Values of all header lines of a lower-case name, never joined nor dropped. */
  rawHeaderValues?(name: string): readonly string[];
  readonly protocol: 'HTTP/1.1' | 'HTTP/2.0' | 'in-process';
  readonly remoteAddress: string;
  readonly tls: boolean;
  /**
   * DER certificates of the client, leaf first, as the TLS layer received them, not yet verified.
   */
  peerCertificates(): readonly Uint8Array[];
  /** Set only by the in-process transport, whose caller is trusted to name the user. */
  readonly inProcessUser?: UserInfo;
  /** Set only by the in-process transport: where its caller reads how the request was decided. */
  readonly trace?: DecisionTrace;
  /**
   * Reads the whole body, at most `bytesMax`; rejects with a 413 StatusError beyond.
   * SECURITY: must not be called before authorization.
   */
  body(bytesMax: number): Promise<Uint8Array>;
  /**
   * The body as it comes, for a proxy, which reads it in place of `body`; undefined when the request
   * has none. Absent when the transport has the body as a whole only.
   */
  bodyStream?(): Readable | undefined;
  /** Aborted when the client goes away, or the server shuts down. */
  readonly signal: AbortSignal;
  /**
   * Takes over the connection (HTTP/1.1 Upgrade); nothing may be answered through `ApiResponse`
   * afterwards. Absent when the client did not ask for it, or the transport has no connection.
   */
  upgrade?(): { socket: Duplex; head: Uint8Array };
}

export interface ApiResponse {
  /** Headers and status are sent with the first write or with end. */
  readonly headersSent: boolean;
  status: number;
  setHeader(name: string, value: string | readonly string[]): void;
  /** Resolves false when the caller should wait for `drained()` before writing more. */
  write(chunk: Uint8Array | string): boolean;
  drained(): Promise<void>;
  /**
   * Writes bytes that the caller is going to change: resolves when it may, which is also when the
   * client is ready for more, or gone.
   */
  writeShared(chunk: Uint8Array): Promise<void>;
  end(chunk?: Uint8Array | string): void;
  /**
   * Asks the client to open a new connection for its next request; the answer is sent in full.
   * Absent where connections are not shared by requests.
   */
  endConnection?(): void;
  /** Cuts the connection without a proper end; for answers that failed half way. */
  abort(): void;
}
