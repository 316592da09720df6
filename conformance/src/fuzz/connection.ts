// One HTTP/1.1 connection over TLS, by hand: node's client refuses to send what a fuzz test must
// send. Requests go one after the other; answers are read with content-length or chunked framing.

import { connect, type TLSSocket } from 'node:tls';

export interface Answer {
  readonly status: number;
  /** Lower-case names; the last of repeated headers. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
  /** The server ended the connection, or said that it will. */
  readonly closed: boolean;
  /** The body was still coming when `patienceMs` had passed (a watch), and was left. */
  readonly cut: boolean;
}
export interface Connection {
  /** Undefined when the server closed the connection without an answer. */
  send(
    request: Uint8Array,
    options: { readonly isHead: boolean; readonly patienceMs: number },
  ): Promise<Answer | undefined>;
  readonly usable: boolean;
  close(): void;
}
export interface Target {
  readonly host: string;
  readonly port: number;
}

export function openConnection(target: Target): Promise<Connection> {
  return new Promise((resolve, reject) => {
    const socket = connect({ ...target, rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] });
    socket.setNoDelay(true);
    socket.once('error', reject);
    socket.once('secureConnect', () => {
      socket.off('error', reject);
      socket.on('error', () => {});
      resolve(createConnection(socket));
    });
  });
}

/** How many times the patience of a request its head may take. */
const headPatience = 20;

interface Waiting {
  readonly isHead: boolean;
  readonly finish: (answer: Answer | undefined) => void;
}

function createConnection(socket: TLSSocket): Connection {
  let buffered: Buffer = Buffer.alloc(0);
  let waiting: Waiting | undefined;
  let ended = false;
  const settle = (isEnd: boolean, isCut: boolean) => {
    if (waiting === undefined) return;
    const answer = parseAnswer(buffered, waiting.isHead, isEnd, isCut);
    if (answer === 'incomplete') return;
    const { finish } = waiting;
    waiting = undefined;
    buffered = Buffer.alloc(0);
    finish(answer);
  };
  socket.on('data', (chunk: Buffer) => {
    buffered = buffered.length === 0 ? chunk : Buffer.concat([buffered, chunk]);
    settle(false, false);
  });
  socket.on('close', () => {
    ended = true;
    settle(true, false);
  });
  return {
    get usable() {
      return !ended && socket.writable;
    },
    send(request, { isHead, patienceMs }) {
      return new Promise((resolve) => {
        let timer = setTimeout(losePatience, patienceMs);
        // Patience counts from the head of the answer on; a busy server may take longer to that.
        let rounds = 0;
        function losePatience() {
          if (!buffered.includes('\r\n\r\n') && ++rounds < headPatience)
            timer = setTimeout(losePatience, patienceMs);
          else settle(false, true);
        }
        waiting = {
          isHead,
          finish(answer) {
            clearTimeout(timer);
            if (answer === undefined || answer.closed || answer.cut) socket.destroy();
            resolve(answer);
          },
        };
        if (ended) settle(true, false);
        else socket.write(request);
      });
    },
    close: () => socket.destroy(),
  };
}

function parseAnswer(
  bytes: Buffer,
  isHead: boolean,
  isEnd: boolean,
  isCut: boolean,
): Answer | undefined | 'incomplete' {
  const headEnd = bytes.indexOf('\r\n\r\n');
  if (headEnd < 0) return isEnd || isCut ? undefined : 'incomplete';
  const [statusLine = '', ...lines] = bytes.subarray(0, headEnd).toString('latin1').split('\r\n');
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(statusLine)?.[1] ?? NaN);
  if (status === 100) return parseAnswer(bytes.subarray(headEnd + 4), isHead, isEnd, isCut);
  const headers = new Map(
    lines.map((line) => [
      line.slice(0, line.indexOf(':')).toLowerCase(),
      line.slice(line.indexOf(':') + 1).trim(),
    ]),
  );
  const rest = bytes.subarray(headEnd + 4);
  const closed = isEnd || headers.get('connection')?.toLowerCase() === 'close';
  const answer = (body: Buffer, cut = false): Answer => ({ status, headers, body, closed, cut });
  if (isHead || status === 204 || status === 304) return answer(Buffer.alloc(0));
  const length = headers.get('content-length');
  if (length !== undefined && rest.length >= Number(length))
    return answer(rest.subarray(0, Number(length)));
  if (headers.get('transfer-encoding') === 'chunked') {
    const { body, complete } = unchunk(rest);
    if (complete) return answer(body);
    if (isEnd || isCut) return answer(body, true);
  }
  if (isEnd || isCut) return answer(rest, true);
  return 'incomplete';
}

function unchunk(bytes: Buffer): { body: Buffer; complete: boolean } {
  const parts: Buffer[] = [];
  for (let at = 0; ;) {
    const lineEnd = bytes.indexOf('\r\n', at);
    const size =
      lineEnd < 0 ? NaN : Number.parseInt(bytes.subarray(at, lineEnd).toString('latin1'), 16);
    if (Number.isNaN(size)) return { body: Buffer.concat(parts), complete: false };
    if (size === 0) return { body: Buffer.concat(parts), complete: true };
    parts.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + size));
    at = lineEnd + 2 + size + 2;
  }
}

/**
 * Sends `bytes` on a connection of its own and leaves it half open for `holdMs`; what comes back
 * does not matter.
 */
export async function sendAndAbandon(
  target: Target,
  bytes: Uint8Array,
  holdMs: number,
): Promise<void> {
  const socket = connect({ ...target, rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] });
  socket.on('error', () => {});
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, holdMs);
    socket.once('close', () => {
      clearTimeout(timer);
      resolve();
    });
    socket.once('secureConnect', () => {
      socket.on('data', () => {});
      socket.write(bytes);
    });
  });
  socket.destroy();
}
