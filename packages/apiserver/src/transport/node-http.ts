// node:http requests (HTTP/1.1, and HTTP/2 through its compatibility API) as ApiRequest and
// ApiResponse.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { statusErrors } from '@keelson/apimachinery';
import { withMultiValues } from '../authentication/headers.ts';
import type { ApiRequest, ApiResponse } from '../http.ts';

type NodeRequest = IncomingMessage | Http2ServerRequest;
type NodeResponse = ServerResponse | Http2ServerResponse;

/** `signal` is aborted when the client goes away before the answer is complete. */
export function fromNodeRequest(
  req: NodeRequest,
  signal: AbortSignal,
  upgrade?: () => { socket: Duplex; head: Uint8Array },
): ApiRequest {
  return {
    method: req.method ?? 'GET',
    url: req.url ?? '/',
    headers: headersOf(req),
    rawHeaderValues: (name) => rawValues(req.rawHeaders, name),
    protocol: req.httpVersionMajor >= 2 ? 'HTTP/2.0' : 'HTTP/1.1',
    remoteAddress: req.socket.remoteAddress ?? '',
    tls: true,
    peerCertificates: () => peerCertificates(req.socket as TLSSocket),
    body: (bytesMax) => readBody(req, bytesMax),
    bodyStream: () => (hasBody(req) ? req : undefined),
    signal,
    ...(upgrade === undefined ? {} : { upgrade }),
  };
}

function hasBody(req: NodeRequest): boolean {
  if ('stream' in req) return !req.stream.endAfterHeaders;
  return (
    Number(req.headers['content-length'] ?? 0) > 0 || req.headers['transfer-encoding'] !== undefined
  );
}

function headersOf({ headers, rawHeaders }: NodeRequest): ApiRequest['headers'] {
  const given = withMultiValues(headers, rawHeaders);
  const authority = headers[':authority'];
  if (headers.host !== undefined || authority === undefined) return given;
  return { ...given, host: authority };
}

function rawValues(rawHeaders: readonly string[], name: string): string[] {
  const values: string[] = [];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const raw = rawHeaders[i] ?? '';
    if (raw.length === name.length && raw.toLowerCase() === name)
      values.push(rawHeaders[i + 1] ?? '');
  }
  return values;
}

/** DER certificates of the other side, leaf first, not verified; none when it showed none. */
export function peerCertificates(socket: TLSSocket): Uint8Array[] {
  const chain: Uint8Array[] = [];
  let certificate = socket.getPeerX509Certificate?.();
  // Ten: far more than any real chain; a peer cannot make us loop.
  while (certificate !== undefined && chain.length < 10) {
    chain.push(certificate.raw);
    certificate = certificate.issuerCertificate;
  }
  return chain;
}

function readBody(req: NodeRequest, bytesMax: number): Promise<Uint8Array> {
  const tooLarge = () => statusErrors.requestEntityTooLarge(`limit is ${bytesMax}`);
  const declared = Number(req.headers['content-length'] ?? 0);
  if (declared > bytesMax) return Promise.reject(tooLarge());
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    req.on('data', (chunk: Buffer) => {
      size += chunk.byteLength;
      if (size > bytesMax) {
        req.removeAllListeners('data');
        req.resume();
        reject(tooLarge());
        return;
      }
      chunks.push(chunk);
    });
    req.on('end', () =>
      resolve(
        chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks, size),
      ),
    );
    req.on('error', reject);
    req.on('aborted', () =>
      reject(statusErrors.badRequest('the client went away while it was sending the request')),
    );
  });
}

/** Node writes headers one byte per character; as in Go, what is on the wire is UTF-8. */
function headerText(value: string): string {
  return /[^\u0000-\u007f]/.test(value) ? Buffer.from(value).toString('latin1') : value;
}

/** Text would make node write the headers, which may go out with it, in the encoding of the text. */
function toBytes(chunk: Uint8Array | string): Uint8Array {
  return typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
}

export function fromNodeResponse(req: NodeRequest, res: NodeResponse): ApiResponse {
  const response = res as ServerResponse;
  return {
    get headersSent() {
      return response.headersSent;
    },
    get status() {
      return response.statusCode;
    },
    set status(code) {
      response.statusCode = code;
    },
    setHeader(name, value) {
      response.setHeader(
        name,
        typeof value === 'string' ? headerText(value) : value.map(headerText),
      );
    },
    write(chunk) {
      // An empty write is how a caller asks for the headers to go out now.
      if (chunk.length === 0) {
        response.flushHeaders();
        return true;
      }
      return response.write(toBytes(chunk));
    },
    drained: () =>
      new Promise((resolve) => {
        const done = () => {
          response.off('drain', done);
          response.off('close', done);
          resolve();
        };
        response.once('drain', done);
        response.once('close', done);
      }),
    writeShared: (chunk) =>
      new Promise((resolve) => {
        const done = () => {
          response.off('close', done);
          resolve();
        };
        response.once('close', done);
        response.write(chunk, done);
      }),
    end(chunk) {
      // A body that nobody read would keep an HTTP/1.1 connection from its next request.
      if (!req.readableEnded) req.resume();
      if (chunk === undefined) response.end();
      else response.end(toBytes(chunk));
    },
    ...('stream' in res
      ? {
          // Streams that are open may end; the client sees GOAWAY and sends no more.
          endConnection: () => {
            const { session } = res.stream;
            res.once('finish', () => {
              if (session === undefined || session.destroyed) return;
              session.goaway();
              session.close();
            });
          },
        }
      : {}),
    abort: () => {
      if ('stream' in res) res.stream.close();
      else res.destroy();
    },
  };
}
