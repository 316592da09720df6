// The transport of programs that run in the server's process: no socket, no TLS, the same request
// pipeline. What makes the call is handed in, so this package needs no server.

import { guardAgainstAbort, linkAbort, untilAborted } from './linked-abort.ts';
import {
  readAll,
  TransportError,
  type Transport,
  type TransportRequest,
  type TransportResponse,
} from './transport.ts';

/** The user that an in-process client acts as; the server believes it. */
export interface InProcessUser {
  readonly name: string;
  readonly uid: string;
  readonly groups: readonly string[];
  readonly extra: Readonly<Record<string, readonly string[]>>;
}
export interface InProcessCallRequest extends TransportRequest {
  readonly user?: InProcessUser;
}
export interface InProcessCallResponse {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string | readonly string[]>;
  chunks(): AsyncIterable<Uint8Array>;
}
/** Resolves when the headers of the answer are known. */
export type InProcessCall = (request: InProcessCallRequest) => Promise<InProcessCallResponse>;

export interface InProcessTransportOptions {
  /** Absent: the request has no credentials but those in its headers. */
  readonly user?: InProcessUser;
}

export function createInProcessTransport(
  call: InProcessCall,
  options: InProcessTransportOptions = {},
): Transport {
  const closed = new AbortController();
  return {
    async request(request) {
      const abort = linkAbort(request.signal);
      const onClose = () => abort.abort(closed.signal.reason);
      if (closed.signal.aborted) onClose();
      else closed.signal.addEventListener('abort', onClose, { once: true });
      const release = () => {
        abort.release();
        closed.signal.removeEventListener('abort', onClose);
      };
      const { user } = options;
      const { signal } = abort;
      try {
        if (signal.aborted) throw signal.reason;
        const sent = { ...request, signal, ...(user === undefined ? {} : { user }) };
        return toResponse(await untilAborted(call(sent), signal), signal, release);
      } catch (error) {
        release();
        throw error;
      }
    },
    close: () => closed.abort(new TransportError('closed', 'the client was closed')),
  };
}

function toResponse(
  response: InProcessCallResponse,
  signal: AbortSignal,
  release: () => void,
): TransportResponse {
  async function* chunks(): AsyncGenerator<Uint8Array> {
    const source = response.chunks()[Symbol.asyncIterator]();
    const guard = guardAgainstAbort(signal);
    try {
      for (;;) {
        const next = await guard.until(source.next());
        if (next.done === true) return;
        yield next.value;
      }
    } finally {
      guard.release();
      release();
      // Not awaited: a source that waits for its next chunk returns only after that.
      void source.return?.();
    }
  }
  return {
    status: response.status,
    header(name) {
      const value = response.headers.get(name);
      return typeof value === 'object' ? value.join(', ') : value;
    },
    bytes: (bytesMax) => readAll(chunks(), bytesMax),
    chunks,
  };
}
