// Calls a webhook of the server's own configuration, which a kubeconfig file describes: where it
// is, whom its certificate must be from, who the server is to it. For reviews, which are small.
//
// SECURITY: redirects are failures, answers are bounded in size and time, and no link-local address
// is connected to, wherever a name leads (`outbound.ts`). Failures read as client-go says them.

import type { IncomingMessage } from 'node:http';
import { formatGoDuration, type Clock } from '@keelson/apimachinery';
import { readWhole } from './answer-body.ts';
import { addressOfUrl, createOutboundClient, type OutboundTls } from './outbound.ts';
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
  const { clock, userAgent = 'keelson' } = options;
  const client = createOutboundClient({ tls: server.tls, clock });
  return {
    async post(body, timeoutMs) {
      const url = new URL(server.url);
      url.search = `?timeout=${formatGoDuration(BigInt(Math.round(timeoutMs * 1e6)))}`;
      const deadline = new AbortController();
      const cancel = clock.after(timeoutMs, () => deadline.abort());
      try {
        const { message } = await client.call(
          {
            protocol: url.protocol === 'http:' ? 'http' : 'https',
            address: addressOfUrl(url),
            method: 'POST',
            path: `${url.pathname}${url.search}`,
            headers: headersFor(url, body, { token: server.token?.(), userAgent }),
            signal: deadline.signal,
          },
          (outgoing) => void outgoing.end(body),
        );
        return toAnswer(message, await readWhole(message, options.answerBytesMax, 'the answer'));
      } catch (cause) {
        return connectionFailure(url, cause, deadline.signal.aborted);
      } finally {
        cancel();
      }
    },
    close: () => client.close(),
  };
}

function headersFor(
  url: URL,
  body: Uint8Array,
  { token, userAgent }: { token: string | undefined; userAgent: string },
): Record<string, string> {
  return {
    host: url.host,
    'user-agent': userAgent,
    'content-type': 'application/json',
    accept: 'application/json, */*',
    'content-length': String(body.byteLength),
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  };
}

function toAnswer(message: IncomingMessage, body: Buffer): Uint8Array | ReviewFailure {
  const { statusCode: status = 0, headers } = message;
  if (status >= 200 && status <= 206) return body;
  const passes = status === 429 || status === 500 || status === 504;
  const saysWhen = status >= 500 && /^\d{1,6}$/.test(headers['retry-after'] ?? '');
  return {
    message: refusalText(status, body),
    result: 'error',
    isRetriable: passes || saysWhen,
  };
}

function connectionFailure(url: URL, cause: unknown, isTimeout: boolean): ReviewFailure {
  const why = cause instanceof Error ? cause.message : String(cause);
  return {
    message: `Post ${JSON.stringify(url.href)}: ${isTimeout ? 'context deadline exceeded' : why}`,
    result: isTimeout ? 'timeout' : 'error',
    // A connection that the other side closed reads as the end of its data.
    isRetriable: !isTimeout && why === 'EOF',
  };
}
