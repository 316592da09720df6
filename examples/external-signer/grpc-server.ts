// Unary gRPC over HTTP/2 without TLS (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md):
// a message is a flag, four bytes of length and its bytes; the outcome is in the trailers.

import { createServer, type Http2Server, type ServerHttp2Stream } from 'node:http2';

const statuses = { 'invalid-argument': 3, unimplemented: 12, internal: 13 } as const;

export class GrpcError extends Error {
  readonly status: keyof typeof statuses;
  constructor(status: keyof typeof statuses, message: string) {
    super(message);
    this.status = status;
  }
}

/** A request with the claims of one token is about a kilobyte. */
const requestBytesMax = 64 * 1024;

export function createGrpcServer(
  handle: (path: string, request: Buffer) => Promise<Buffer>,
): Http2Server {
  const server = createServer();
  server.on('stream', (stream, headers) => {
    // A client that goes away in the middle is no reason to end.
    stream.on('error', () => stream.destroy());
    const { ':path': path = '' } = headers;
    void readMessage(stream)
      .then((request) => handle(path, request))
      .then(
        (answer) => respond(stream, answer),
        (error: unknown) => refuse(stream, error),
      );
  });
  return server;
}

async function readMessage(stream: ServerHttp2Stream): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > requestBytesMax) throw new GrpcError('invalid-argument', 'the request is too large');
    chunks.push(chunk);
  }
  const bytes = Buffer.concat(chunks);
  if (bytes.length < 5 || bytes[0] !== 0 || bytes.readUInt32BE(1) !== bytes.length - 5)
    throw new GrpcError('invalid-argument', 'one uncompressed message is expected');
  return bytes.subarray(5);
}

function respond(stream: ServerHttp2Stream, message: Buffer): void {
  if (stream.destroyed) return;
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
  stream.end(Buffer.concat([head, message]));
}

function refuse(stream: ServerHttp2Stream, error: unknown): void {
  if (stream.destroyed) return;
  const status = error instanceof GrpcError ? error.status : 'internal';
  const message = error instanceof Error ? error.message : String(error);
  stream.respond(
    {
      ':status': 200,
      'content-type': 'application/grpc',
      'grpc-status': String(statuses[status]),
      'grpc-message': encodeURIComponent(message),
    },
    { endStream: true },
  );
}
