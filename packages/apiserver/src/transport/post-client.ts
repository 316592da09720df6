// Posts JSON to a service that the server's own configuration names, and reads the whole answer.
//
// SECURITY: redirects are failures, answers are bounded in size and time, and no link-local address
// is connected to, wherever a name leads (`outbound.ts`). Failures read as Go's client says them.

import type { IncomingHttpHeaders } from 'node:http';
import type { Clock } from '@keelson/apimachinery';
import { readWhole } from './answer-body.ts';
import { addressOfUrl, createOutboundClient, type OutboundTls } from './outbound.ts';

export interface PostClientOptions {
  readonly tls: OutboundTls;
  readonly clock: Clock;
  readonly answerBytesMax: number;
  readonly userAgent?: string;
}

export interface PostOptions {
  readonly timeoutMs: number;
  readonly token?: string | undefined;
  /** Ends the call before its time. */
  readonly signal?: AbortSignal;
}

export interface PostAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Uint8Array;
}

export interface PostClient {
  /** Any answer, whatever its status. Rejects with a PostError. */
  post(url: string, body: Uint8Array, options: PostOptions): Promise<PostAnswer>;
  /** Closes idle connections. */
  close(): void;
}

/** The call did not come to an answer; the message is what Go's net/http would say. */
export class PostError extends Error {
  readonly isTimeout: boolean;
  /** Without the URL. */
  readonly why: string;
  constructor(url: URL, cause: unknown, isTimeout: boolean) {
    const said = cause instanceof Error ? cause.message : String(cause);
    const why = isTimeout ? 'context deadline exceeded' : said;
    super(`Post ${JSON.stringify(url.href)}: ${why}`, { cause });
    this.name = 'PostError';
    this.isTimeout = isTimeout;
    this.why = why;
  }
}

export function createPostClient(options: PostClientOptions): PostClient {
  const { clock, tls, answerBytesMax, userAgent = 'keelson' } = options;
  const client = createOutboundClient({ tls, clock });
  return {
    async post(address, body, { timeoutMs, token, signal }) {
      const url = new URL(address);
      const deadline = new AbortController();
      const cancel = clock.after(timeoutMs, () => deadline.abort());
      const signals = [deadline.signal, ...(signal === undefined ? [] : [signal])];
      try {
        const { message } = await client.call(
          {
            protocol: url.protocol === 'http:' ? 'http' : 'https',
            address: addressOfUrl(url),
            method: 'POST',
            path: `${url.pathname}${url.search}`,
            headers: headersFor(url, body, { token, userAgent }),
            signal: AbortSignal.any(signals),
          },
          (outgoing) => void outgoing.end(body),
        );
        const { statusCode: status = 0, headers } = message;
        return { status, headers, body: await readWhole(message, answerBytesMax, 'the answer') };
      } catch (cause) {
        throw new PostError(url, cause, deadline.signal.aborted);
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
