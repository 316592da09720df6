// The transport of programs that run in the server's process: no socket, no TLS, the same pipeline.
// The caller names the user it acts as.

import { statusErrors } from '@keelson/apimachinery';
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
  const signal =
    call.signal === undefined
      ? controller.signal
      : AbortSignal.any([controller.signal, call.signal]);
  const queue = createByteQueue();
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
        return true;
      },
      drained: () => Promise.resolve(),
      writeShared(chunk) {
        sendHeaders();
        queue.push(Buffer.from(chunk));
        return Promise.resolve();
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
    serve(toApiRequest(call, signal), response).catch(reject);
  });
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
    body(bytesMax) {
      const body = call.body ?? new Uint8Array();
      return body.byteLength > bytesMax
        ? Promise.reject(statusErrors.requestEntityTooLarge(`limit is ${bytesMax}`))
        : Promise.resolve(body);
    },
    signal,
  };
}

interface ByteQueue {
  push(chunk: Uint8Array): void;
  end(): void;
  fail(error: Error): void;
  /** Stopping the iteration aborts the request. */
  read(controller: AbortController): AsyncIterable<Uint8Array>;
}

function createByteQueue(): ByteQueue {
  let chunks: Uint8Array[] = [];
  let ended = false;
  let failure: Error | undefined;
  let wake = () => {};
  return {
    push(chunk) {
      chunks.push(chunk);
      wake();
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
      try {
        for (;;) {
          if (chunks.length > 0) {
            const ready = chunks;
            chunks = [];
            yield* ready;
            continue;
          }
          if (failure !== undefined) throw failure;
          if (ended) return;
          await new Promise<void>((resolve) => (wake = resolve));
        }
      } finally {
        controller.abort();
      }
    },
  };
}
