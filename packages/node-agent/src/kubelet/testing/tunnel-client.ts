// A client that carries bytes through a WebSocket whose subprotocol has a slash in its name, as
// kubectl's has and client libraries do not let it have: binary messages, whole and masked.

import { request } from 'node:http';
import { Duplex } from 'node:stream';

export interface TunnelCall {
  readonly port: number;
  readonly path: string;
  readonly subprotocol: string;
}
export interface Tunnel {
  /** As the server answered it. */
  readonly subprotocol: string | undefined;
  readonly transport: Duplex;
}

/** Rejects with the status of a refusal. */
export function openTunnel({ port, path, subprotocol }: TunnelCall): Promise<Tunnel> {
  return new Promise((resolve, reject) => {
    const sent = request({
      host: '127.0.0.1',
      port,
      path,
      agent: false,
      headers: {
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': Buffer.alloc(16).toString('base64'),
        'sec-websocket-protocol': subprotocol,
      },
    });
    sent.on('error', reject);
    sent.on('response', (answer) => {
      answer.resume();
      reject(new Error(`status ${answer.statusCode}`));
    });
    sent.on('upgrade', (answer, socket, head) => {
      socket.on('error', () => {});
      socket.unshift(head);
      resolve({
        subprotocol: answer.headers['sec-websocket-protocol'],
        transport: framed(socket),
      });
    });
    sent.end();
  });
}

function framed(socket: Duplex): Duplex {
  const transport = new Duplex({
    read: () => void socket.resume(),
    write: (bytes: Buffer, _encoding, done) => void socket.write(masked(bytes), done),
    final: (done) => void socket.end(done),
    destroy: (error, done) => {
      socket.destroy();
      done(error);
    },
  });
  let kept: Buffer = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    kept = Buffer.concat([kept, chunk]);
    for (;;) {
      const short = kept.length < 2 ? 0 : kept.readUInt8(1) & 127;
      const head = short === 127 ? 10 : short === 126 ? 4 : 2;
      if (kept.length < head) return;
      const length =
        short === 127
          ? Number(kept.readBigUInt64BE(2))
          : short === 126
            ? kept.readUInt16BE(2)
            : short;
      if (kept.length < head + length) return;
      if ((kept.readUInt8(0) & 15) === 2) transport.push(kept.subarray(head, head + length));
      kept = kept.subarray(head + length);
    }
  });
  socket.on('close', () => transport.push(null));
  return transport;
}

/** A key of zeros changes nothing. */
function masked(bytes: Buffer): Buffer {
  const head = Buffer.alloc(14);
  head.writeUInt8(0x82, 0);
  head.writeUInt8(0x80 | 127, 1);
  head.writeBigUInt64BE(BigInt(bytes.length), 2);
  return Buffer.concat([head, bytes]);
}
