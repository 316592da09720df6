// What is no HTTP/1.1 is answered in a word, and then the connection ends. Node would do the same but
// destroy the connection at once: on a busy machine the answer is lost, and the client sees a
// connection that was closed without one.

import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** As node has them; what is not here is a bad request. */
const answers: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: '413 Payload Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
};
const badRequest = '400 Bad Request';

export interface MalformedAnswers {
  /** An answer that is given on the connection. */
  note(connection: object, answer: ServerResponse): void;
  /** For the event `clientError`. */
  answer(error: NodeJS.ErrnoException, connection: Socket): void;
}

export function createMalformedAnswers(): MalformedAnswers {
  const underWay = new WeakMap<object, Set<ServerResponse>>();
  return {
    note(connection, answer) {
      let all = underWay.get(connection);
      if (all === undefined) underWay.set(connection, (all = new Set()));
      const others = all;
      others.add(answer);
      answer.on('close', () => others.delete(answer));
    },
    answer({ code = '' }, connection) {
      const isBegun = [...(underWay.get(connection) ?? [])].some(({ headersSent }) => headersSent);
      // In the middle of another answer nothing can be said.
      if (!connection.writable || isBegun) return void connection.destroy();
      connection.write(`HTTP/1.1 ${answers[code] ?? badRequest}\r\nConnection: close\r\n\r\n`);
      connection.destroySoon();
    },
  };
}
