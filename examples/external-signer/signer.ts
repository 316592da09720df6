// A signer of service account tokens beside the API server (KEP-740). The private key stays here:
//
//   node signer.ts --socket /run/signer.sock --key-file keys/           PEM files; the last one signs
//   node signer.ts --socket @signer --pkcs11-module libsofthsm2.so \
//                  --token-label signer --key-label sa                  a key in a PKCS #11 token
//
//   keelson up --service-account-signing-endpoint=/run/signer.sock
//
// The program needs nothing but Node. It speaks three unary calls of gRPC over a Unix socket
// (`grpc-server.ts`) and a handful of messages (`messages.ts`). Whoever can open the socket can have
// any token signed, so it is made for its owner only.

import { chmodSync, existsSync, unlinkSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { openKeyFiles } from './key-files.ts';
import { openPkcs11Token } from './pkcs11-token.ts';
import type { SigningKeys } from './signing-keys.ts';
import { createGrpcServer, GrpcError } from './grpc-server.ts';
import { readFields, text, writeFields } from './messages.ts';

export interface SignerOptions {
  readonly keys: SigningKeys;
  /** Seconds after which the API server asks for keys again. */
  readonly refreshSeconds: number;
  /** Seconds that a token may live. */
  readonly maxExpirationSeconds: number;
}

/** The three methods, as gRPC calls them: bytes in, bytes out. */
function createSigner({ keys, refreshSeconds, maxExpirationSeconds }: SignerOptions) {
  const methods: Readonly<Record<string, (request: Buffer) => Promise<Buffer>>> = {
    async Sign(request) {
      const claims = text(readFields(request).get(1));
      if (!/^[A-Za-z0-9_-]+$/.test(claims))
        throw new GrpcError('invalid-argument', 'claims must be base64url');
      const key = keys.signing();
      const header = encode({ alg: key.algorithm, kid: key.id, typ: 'JWT' });
      const signature = await keys.sign(Buffer.from(`${header}.${claims}`));
      return writeFields([
        [1, header],
        [2, signature.toString('base64url')],
      ]);
    },
    async FetchKeys() {
      const published = keys.all().map(({ id, publicKey, isExcluded }) =>
        writeFields([
          [1, id],
          [2, publicKey],
          [3, isExcluded ? 1 : 0],
        ]),
      );
      const timestamp = writeFields([[1, Math.floor(keys.changedAtMs() / 1000)]]);
      return writeFields([
        ...published.map((key) => [1, key] as const),
        [2, timestamp],
        [3, refreshSeconds],
      ]);
    },
    Metadata: async () => writeFields([[1, maxExpirationSeconds]]),
  };
  return createGrpcServer((path, request) => {
    const [, service = '', name = ''] = path.split('/');
    const known = service === 'v1.ExternalJWTSigner' || service === 'v1alpha1.ExternalJWTSigner';
    const method = known && Object.hasOwn(methods, name) ? methods[name] : undefined;
    if (method === undefined) throw new GrpcError('unimplemented', `no method ${path}`);
    return method(request);
  });
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      socket: { type: 'string' },
      'key-file': { type: 'string' },
      'pkcs11-module': { type: 'string' },
      'token-label': { type: 'string' },
      'key-label': { type: 'string' },
      'refresh-seconds': { type: 'string', default: '300' },
      'max-expiration-seconds': { type: 'string', default: '86400' },
    },
  });
  const { socket } = values;
  if (socket === undefined) throw new Error('--socket is required');
  const keys =
    values['pkcs11-module'] === undefined
      ? openKeyFiles(values['key-file'] ?? 'keys')
      : await openPkcs11Token({
          module: values['pkcs11-module'],
          tokenLabel: values['token-label'] ?? 'signer',
          keyLabel: values['key-label'] ?? 'sa',
        });
  const signer = createSigner({
    keys,
    refreshSeconds: Number(values['refresh-seconds']),
    maxExpirationSeconds: Number(values['max-expiration-seconds']),
  });
  const isAbstract = socket.startsWith('@');
  // What a killed predecessor left; a living one still has its clients, but gets no new ones.
  if (!isAbstract && existsSync(socket)) unlinkSync(socket);
  process.umask(0o077);
  signer.listen(isAbstract ? `\0${socket.slice(1)}` : socket, () => {
    if (!isAbstract) chmodSync(socket, 0o600);
    process.stdout.write(`signing on ${socket}\n`);
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(0));
}

if (import.meta.main) await main();
