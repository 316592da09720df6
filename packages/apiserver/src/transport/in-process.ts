// The transport of programs that run in the server's process: no socket, no TLS, the same pipeline.
// The caller names the user it acts as.

import { statusErrors, type DecisionTrace } from '@keelson/apimachinery';
import type { UserInfo } from '../authentication/authenticator.ts';
import type { ApiRequest, ApiResponse } from '../http.ts';

export interface InProcessRequest {
  readonly method: string;
  readonly url: string;
  /** Lower-case names. */
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly body?: Uint8Array;
  /** Absent: the credentials in the headers decide, as for any client. */
  readonly user?: UserInfo;
  /** Receives how the request is decided, step by step. */
  readonly trace?: DecisionTrace;
  readonly signal?: AbortSignal;
}
export interface InProcessResponse {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string | readonly string[]>;
  /** The whole body, once. */
  bytes(): Promise<Uint8Array>;
  /** The body as it comes; for watches. */
  chunks(): AsyncIterable<Uint8Array>;
}
export type ServeRequest = (request: ApiRequest, response: ApiResponse) => Promise<void>;

/** Resolves when the headers of the answer are known. */
export function callInProcess(
  serve: ServeRequest,
  call: InProcessRequest,
): Promise<InProcessResponse> {
  const controller = new AbortController();
  const { signal } = controller;
  const unfollow = followSignal(controller, call.signal);
  const queue = createByteQueue();
  // Who waits for a reader that never comes must not wait for ever.
  signal.addEventListener('abort', () => queue.release(), { once: true });
  return new Promise((resolve, reject) => {
    let sent = false;
    const headers = new Map<string, string | readonly string[]>();
    const response: ApiResponse = {
      get headersSent() {
        return sent;
      },
      status: 200,
      setHeader: (name, value) => void headers.set(name.toLowerCase(), value),
      write(chunk) {
        sendHeaders();
        if (chunk.length > 0) queue.push(typeof chunk === 'string' ? Buffer.from(chunk) : chunk);
        return !queue.isFull();
      },
      drained: () => queue.drained(),
      writeShared(chunk) {
        sendHeaders();
        queue.push(Buffer.from(chunk));
        return queue.isFull() ? queue.drained() : Promise.resolve();
      },
      end(chunk) {
        sendHeaders();
        if (chunk !== undefined && chunk.length > 0)
          queue.push(typeof chunk === 'string' ? Buffer.from(chunk) : chunk);
        queue.end();
      },
      abort: () => queue.fail(new Error('the server cut the answer off')),
    };
    const sendHeaders = () => {
      if (sent) return;
      sent = true;
      resolve({
        status: response.status,
        headers,
        bytes: async () => {
          const parts: Uint8Array[] = [];
          for await (const part of queue.read(controller)) parts.push(part);
          return parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts);
        },
        chunks: () => queue.read(controller),
      });
    };
    serve(toApiRequest(call, signal), response).catch(reject).finally(unfollow);
  });
}

/**
 * Aborts with the caller's signal, until the request has been served. By hand, since
 * `AbortSignal.any` costs more than all the rest of this transport.
 */
function followSignal(controller: AbortController, signal: AbortSignal | undefined): () => void {
  const follow = () => controller.abort(signal?.reason);
  if (signal?.aborted === true) follow();
  else signal?.addEventListener('abort', follow, { once: true });
  return () => signal?.removeEventListener('abort', follow);
}

function toApiRequest(call: InProcessRequest, signal: AbortSignal): ApiRequest {
  return {
    method: call.method,
    url: call.url,
    headers: call.headers ?? {},
    protocol: 'in-process',
    remoteAddress: '127.0.0.1',
    tls: true,
    peerCertificates: () => [],
    ...(call.user === undefined ? {} : { inProcessUser: call.user }),
    ...(call.trace === undefined ? {} : { trace: call.trace }),
    body(bytesMax) {
      const body = call.body ?? new Uint8Array();
      return body.byteLength > bytesMax
        ? Promise.reject(statusErrors.requestEntityTooLarge(`limit is ${bytesMax}`))
        : Promise.resolve(body);
    },
    signal,
  };
}

/** Made once: the stack of an error is what costs. */
const leftUnread = new Error('the caller reads no more of the answer');

/** What may wait for the reader before the server is told to wait, as a socket's buffer. */
const bufferBytes = 256 * 1024;

interface ByteQueue {
  push(chunk: Uint8Array): void;
  isFull(): boolean;
  /** Resolves when the reader has taken what was there, or has gone. */
  drained(): Promise<void>;
  /** Nobody reads any more. */
  release(): void;
  end(): void;
  fail(error: Error): void;
  /** Stopping the iteration aborts the request. */
  read(controller: AbortController): AsyncIterable<Uint8Array>;
}

function createByteQueue(): ByteQueue {
  let chunks: Uint8Array[] = [];
  let bytes = 0;
  let isReleased = false;
  let writers: (() => void)[] = [];
  let ended = false;
  let failure: Error | undefined;
  let wake = () => {};
  const letWrite = () => {
    const waiting = writers;
    writers = [];
    for (const resolve of waiting) resolve();
  };
  return {
    push(chunk) {
      chunks.push(chunk);
      bytes += chunk.byteLength;
      wake();
    },
    isFull: () => bytes >= bufferBytes && !isReleased,
    drained: () =>
      bytes === 0 || isReleased
        ? Promise.resolve()
        : new Promise((resolve) => writers.push(resolve)),
    release() {
      isReleased = true;
      letWrite();
    },
    end() {
      ended = true;
      wake();
    },
    fail(error) {
      failure = error;
      wake();
    },
    async *read(controller) {
      let isOver = false;
      try {
        for (;;) {
          if (chunks.length > 0) {
            const ready = chunks;
            chunks = [];
            bytes = 0;
            letWrite();
            yield* ready;
            continue;
          }
          isOver = ended || failure !== undefined;
          if (failure !== undefined) throw failure;
          if (ended) return;
          await new Promise<void>((resolve) => (wake = resolve));
        }
      } finally {
        if (!isOver) controller.abort(leftUnread);
      }
    },
  };
}
