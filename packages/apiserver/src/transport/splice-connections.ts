// After a protocol change the proxy only carries bytes, both ways, until either side ends.

import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { ApiRequest } from '../http.ts';

export interface UpgradedConnection {
  readonly message: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Uint8Array;
}

/** Answers the client as the server behind did, and joins the two; resolves when both have ended. */
export function spliceConnections(request: ApiRequest, behind: UpgradedConnection): Promise<void> {
  const client = request.upgrade?.();
  if (client === undefined) {
    behind.socket.destroy();
    return Promise.reject(new Error('the connection cannot be taken over'));
  }
  const { message, socket } = behind;
  client.socket.write(headOf(message));
  if (behind.head.byteLength > 0) client.socket.write(behind.head);
  if (client.head.byteLength > 0) socket.write(client.head);
  return joinStreams(client.socket, socket);
}

/** Carries bytes both ways until either side has closed; resolves when both have. */
export function joinStreams(client: Duplex, behind: Duplex): Promise<void> {
  return new Promise((resolve) => {
    let open = 2;
    const closed = (other: Duplex) => () => {
      other.destroy();
      if (--open === 0) resolve();
    };
    client.once('close', closed(behind));
    behind.once('close', closed(client));
    // An error is followed by close, which is what counts.
    client.on('error', () => {});
    behind.on('error', () => {});
    client.pipe(behind);
    behind.pipe(client);
    client.resume();
  });
}

function headOf(message: IncomingMessage): string {
  const lines = [`HTTP/1.1 101 ${message.statusMessage ?? 'Switching Protocols'}`];
  for (let i = 0; i + 1 < message.rawHeaders.length; i += 2)
    lines.push(`${message.rawHeaders[i]}: ${message.rawHeaders[i + 1]}`);
  return `${lines.join('\r\n')}\r\n\r\n`;
}
