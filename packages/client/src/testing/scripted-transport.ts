// A transport whose server is a list of answers: for tests of what the client makes of answers that
// a healthy server never gives.

import {
  readAll,
  type Transport,
  type TransportRequest,
  type TransportResponse,
} from '../transport.ts';

export interface ScriptedAnswer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Objects become JSON; a list is a stream of lines. */
  readonly body?: unknown;
  /** After the last line the stream stays open until the request is aborted. */
  readonly open?: boolean;
  /** Rejects in place of an answer; with a list of lines, after the last of them. */
  readonly error?: Error;
}
type Script =
  | readonly ScriptedAnswer[]
  | ((request: TransportRequest, nth: number) => ScriptedAnswer);

export interface ScriptedTransport extends Transport {
  readonly requests: readonly TransportRequest[];
}

export function createScriptedTransport(script: Script): ScriptedTransport {
  const requests: TransportRequest[] = [];
  return {
    requests,
    request(request) {
      const nth = requests.push(request) - 1;
      const answer = typeof script === 'function' ? script(request, nth) : script[nth];
      if (answer === undefined) return Promise.reject(new Error(`unexpected ${request.url}`));
      if (answer.error !== undefined && !Array.isArray(answer.body))
        return Promise.reject(answer.error);
      return Promise.resolve(toResponse(answer, request.signal));
    },
    close: () => {},
  };
}

function toResponse(answer: ScriptedAnswer, signal: AbortSignal | undefined): TransportResponse {
  const { status = 200, headers = {}, body, open = false, error } = answer;
  async function* chunks(): AsyncGenerator<Uint8Array> {
    if (Array.isArray(body)) {
      for (const line of body) yield Buffer.from(`${JSON.stringify(line)}\n`);
      if (error !== undefined) throw error;
      if (open) await aborted(signal);
      return;
    }
    yield Buffer.from(typeof body === 'string' ? body : JSON.stringify(body ?? {}));
  }
  return {
    status,
    header: (name) => headers[name],
    bytes: (bytesMax) => readAll(chunks(), bytesMax),
    chunks,
  };
}

function aborted(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal?.aborted === true) reject(signal.reason as Error);
    signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
}
