// How requests reach an API server. The REST client knows only this interface: over TLS it is
// `createHttpsTransport`, inside the server's process `createInProcessTransport`.

/** Lower-case names; a list is sent as repeated headers. */
export type RequestHeaders = Readonly<Record<string, string | string[]>>;

export interface TransportRequest {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly headers: RequestHeaders;
  readonly body?: Uint8Array;
  /** Aborting it ends the request, or the answer that is being read. */
  readonly signal?: AbortSignal;
}

export interface TransportResponse {
  readonly status: number;
  /** Lower-case names; repeated headers are joined with `, `. */
  header(name: string): string | undefined;
  /** The whole body; rejects beyond `bytesMax`. */
  bytes(bytesMax: number): Promise<Uint8Array>;
  /** The body as it comes. Leaving the iteration ends the request. */
  chunks(): AsyncIterable<Uint8Array>;
}

export interface Transport {
  /**
   * Resolves when the headers of the answer are there. Rejects with `TransportError`, or the
   * signal's reason.
   */
  request(request: TransportRequest): Promise<TransportResponse>;
  /** Ends what is under way and lets go of connections. Further requests reject. */
  close(): void;
}

/**
 * `unreachable`: no connection, so the server has not seen the request. `broken`: the connection
 * ended half way. `timeout`: no answer in time. `too-large`: the answer exceeds its bound.
 * `closed`: this transport was closed.
 */
export type TransportErrorCode = 'unreachable' | 'broken' | 'timeout' | 'too-large' | 'closed';

export class TransportError extends Error {
  readonly code: TransportErrorCode;
  constructor(code: TransportErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'TransportError';
    this.code = code;
  }
}

/** Reads a body to its end, at most `bytesMax`. */
export async function readAll(
  chunks: AsyncIterable<Uint8Array>,
  bytesMax: number,
): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of chunks) {
    size += part.byteLength;
    if (size > bytesMax)
      throw new TransportError('too-large', `the answer is larger than ${bytesMax} bytes`);
    parts.push(part);
  }
  return parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts);
}
