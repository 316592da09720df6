// Calls an external signer over a Unix socket; `@name` is an abstract one, which Linux has without
// a file. A socket that is not there yet is waited for until the call's time is up, as gRPC's
// wait-for-ready does.
//
// SECURITY: the socket is the only thing that protects the signer, so there is no TLS on it. What
// comes back is bounded in size and time, and judged by who asked.

import { connect } from 'node:net';
import type { DescMethodUnary, Message } from '@bufbuild/protobuf';
import { sleep, type Clock } from '@keelson/apimachinery';
import type { SignerVersion } from './signer-service.ts';
import type { SignerMethod, SignerMetrics } from './signer-metrics.ts';

export interface SignedParts {
  /** base64url of the protected header. */
  readonly header: string;
  /** base64url. */
  readonly signature: string;
}

export interface FetchedKey {
  readonly id: string;
  /** PKIX, DER. */
  readonly key: Uint8Array;
  readonly excludeFromOidcDiscovery: boolean;
}

export interface FetchedKeys {
  readonly keys: readonly FetchedKey[];
  /** When the signer's own data is from, in seconds; undefined when it did not say. */
  readonly dataTimestampSeconds: number | undefined;
  readonly refreshHintSeconds: number;
}

/** All methods reject with SignerError. */
export interface SignerClient {
  sign(claims: string, timeoutMs: number): Promise<SignedParts>;
  fetchKeys(timeoutMs: number): Promise<FetchedKeys>;
  maxTokenExpirationSeconds(timeoutMs: number): Promise<number>;
  close(): void;
}

/** The signer did not answer, or with an error. The message is gRPC's. */
export class SignerError extends Error {
  /** Of gRPC, as `DeadlineExceeded`. */
  readonly code: string;
  constructor(code: string, message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'SignerError';
    this.code = code;
  }
}

export interface SignerClientOptions {
  /** A path, or `@name`. */
  readonly endpoint: string;
  readonly version: SignerVersion;
  readonly clock: Clock;
  readonly metrics?: SignerMetrics;
}

/** An answer is a few keys or one signature. */
const answerBytesMax = 1024 * 1024;
/** Between attempts to reach a socket that nobody listens on. */
const reconnectDelayMs = 100;

export async function createSignerClient(options: SignerClientOptions): Promise<SignerClient> {
  const { version, clock, metrics } = options;
  // Only whoever has an external signer waits for the libraries.
  const { create } = await import('@bufbuild/protobuf');
  const { signerService } = await import('./signer-service.ts');
  const connection = await createConnection(options);
  const { sign, fetchKeys, metadata } = signerService(version);
  const call = async (
    name: SignerMethod,
    method: DescMethodUnary,
    { fields = {}, timeoutMs }: { readonly fields?: Fields; readonly timeoutMs: number },
  ) => {
    const startedMs = clock.monotonic();
    let code = 'OK';
    try {
      return await connection.call(method, create(method.input, fields), timeoutMs);
    } catch (error) {
      code = error instanceof SignerError ? error.code : 'unknown-non-grpc';
      throw error;
    } finally {
      metrics?.called(name, code, (clock.monotonic() - startedMs) / 1000);
    }
  };
  return {
    async sign(claims, timeoutMs) {
      const answer = await call('Sign', sign, { fields: { claims }, timeoutMs });
      return { header: String(answer['header']), signature: String(answer['signature']) };
    },
    fetchKeys: async (timeoutMs) =>
      toFetchedKeys(await call('FetchKeys', fetchKeys, { timeoutMs })),
    async maxTokenExpirationSeconds(timeoutMs) {
      const answer = await call('Metadata', metadata, { timeoutMs });
      return Number(answer['maxTokenExpirationSeconds']);
    },
    close: connection.close,
  };
}

type Fields = Record<string, unknown>;

interface Connection {
  /** Waits for the socket, if it is not there. Rejects with SignerError. */
  call(method: DescMethodUnary, request: Message, timeoutMs: number): Promise<Readonly<Fields>>;
  close(): void;
}

async function createConnection({ endpoint, clock }: SignerClientOptions): Promise<Connection> {
  const { Code, ConnectError } = await import('@connectrpc/connect');
  const { createGrpcTransport, Http2SessionManager } = await import('@connectrpc/connect-node');
  const path = endpoint.startsWith('@') ? `\0${endpoint.slice(1)}` : endpoint;
  const baseUrl = 'http://localhost';
  const socket = { createConnection: () => connect({ path }) };
  const sessionManager = new Http2SessionManager(baseUrl, {}, socket);
  const transport = createGrpcTransport({
    baseUrl,
    sessionManager,
    acceptCompression: [],
    readMaxBytes: answerBytesMax,
    writeMaxBytes: answerBytesMax,
  });
  return {
    async call(method, request, timeoutMs) {
      const endsAt = clock.monotonic() + timeoutMs;
      for (;;) {
        const leftMs = Math.max(Math.ceil(endsAt - clock.monotonic()), 1);
        try {
          const answer = transport.unary(method, undefined, leftMs, undefined, request);
          return (await answer).message as unknown as Readonly<Fields>;
        } catch (cause) {
          const error = ConnectError.from(cause);
          const isThere = error.code !== Code.Unavailable && !isUnreachable(cause);
          if (isThere || leftMs <= reconnectDelayMs)
            throw new SignerError(Code[error.code] ?? 'Unknown', error.message, cause);
        }
        await sleep(clock, reconnectDelayMs);
      }
    },
    close: () => sessionManager.abort(),
  };
}

/** Nobody listens on the socket, or there is none. The library wraps the system's error. */
function isUnreachable(error: unknown): boolean {
  for (let inner = error, depth = 0; inner instanceof Error && depth < 5; depth++) {
    if ('code' in inner && unreachable.has(inner.code)) return true;
    inner = inner.cause;
  }
  return false;
}
const unreachable: ReadonlySet<unknown> = new Set(['ENOENT', 'ECONNREFUSED', 'ECONNRESET']);

/** The names are those of the descriptor, in camel case. */
function toFetchedKeys(answer: Readonly<Record<string, unknown>>): FetchedKeys {
  const keys = answer['keys'] as readonly {
    readonly keyId: string;
    readonly key: Uint8Array;
    readonly excludeFromOidcDiscovery: boolean;
  }[];
  const time = answer['dataTimestamp'] as { readonly seconds: bigint } | undefined;
  return {
    keys: keys.map(({ keyId, key, excludeFromOidcDiscovery }) => ({
      id: keyId,
      key,
      excludeFromOidcDiscovery,
    })),
    dataTimestampSeconds: time === undefined ? undefined : Number(time.seconds),
    refreshHintSeconds: Number(answer['refreshHintSeconds']),
  };
}
