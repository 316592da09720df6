// Calls a webhook of the server's own configuration, which a kubeconfig file describes: where it
// is, whom its certificate must be from, who the server is to it. For reviews, which are small.
// Failures read as client-go says them.

import { formatGoDuration, type Clock } from '@keelson/apimachinery';
import type { OutboundTls } from './outbound.ts';
import { createPostClient, PostError, type PostAnswer } from './post-client.ts';
import { refusalText } from './webhook-errors.ts';

export interface ReviewServer {
  /** `https://host:port/path`. */
  readonly url: string;
  readonly tls: OutboundTls;
  /** Asked for every call, so that a rotated token is used. */
  readonly token?: () => string;
}

export interface ReviewClientOptions {
  readonly clock: Clock;
  readonly answerBytesMax: number;
  readonly userAgent?: string;
}

/** How a call failed; `isRetriable` for what client-go tries again. */
export interface ReviewFailure {
  readonly message: string;
  readonly result: 'error' | 'timeout';
  readonly isRetriable: boolean;
}

export interface ReviewClient {
  /** The body of a 2xx answer, or how the call failed. Never rejects. */
  post(body: Uint8Array, timeoutMs: number): Promise<Uint8Array | ReviewFailure>;
  /** Closes idle connections. */
  close(): void;
}

export function createReviewClient(
  server: ReviewServer,
  options: ReviewClientOptions,
): ReviewClient {
  const client = createPostClient({ ...options, tls: server.tls });
  return {
    async post(body, timeoutMs) {
      const url = new URL(server.url);
      url.search = `?timeout=${formatGoDuration(BigInt(Math.round(timeoutMs * 1e6)))}`;
      try {
        return toAnswer(await client.post(url.href, body, { timeoutMs, token: server.token?.() }));
      } catch (error) {
        // Also when there is no token to be had.
        const failed = error instanceof PostError ? error : new PostError(url, error, false);
        return connectionFailure(failed);
      }
    },
    close: () => client.close(),
  };
}

function toAnswer({ status, headers, body }: PostAnswer): Uint8Array | ReviewFailure {
  if (status >= 200 && status <= 206) return body;
  const passes = status === 429 || status === 500 || status === 504;
  const saysWhen = status >= 500 && /^\d{1,6}$/.test(headers['retry-after'] ?? '');
  return {
    message: refusalText(status, body),
    result: 'error',
    isRetriable: passes || saysWhen,
  };
}

function connectionFailure({ message, isTimeout, why }: PostError): ReviewFailure {
  const result = isTimeout ? 'timeout' : 'error';
  // A connection that the other side closed reads as the end of its data.
  return { message, result, isRetriable: !isTimeout && why === 'EOF' };
}
