// An identity provider for tests: OpenID discovery, keys and distributed claims over real HTTPS
// on a free port, with real keys that can be rotated, and ways to misbehave.

import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { createServer, type Server } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { systemClock, systemRandom, type JsonObject } from '@keelson/apimachinery';
import { createCertificateAuthority } from '@keelson/apiserver';

export interface ProviderKey {
  readonly id: string;
  readonly algorithm: 'RS256' | 'ES256' | 'PS256';
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

export type ProviderMode =
  | 'well'
  /** Every answer is a 503. */
  | 'broken'
  /** Discovery names another issuer. */
  | 'another-issuer'
  /** The answer is no JSON. */
  | 'garbage'
  /** Every answer leads elsewhere. */
  | 'redirecting'
  /** Discovery names no keys, or keys without TLS. */
  | 'no-keys'
  | 'plain-keys'
  /** More than anybody reads. */
  | 'endless'
  /** Connections are taken and never answered. */
  | 'silent';

export interface IdentityProvider {
  readonly url: string;
  readonly port: number;
  /** Who vouches for its certificate. */
  readonly authorityPem: string;
  readonly key: ProviderKey;
  mode: ProviderMode;
  /** Paths that were asked for, in order. */
  readonly requests: readonly string[];
  /** Authorization headers that came with them. */
  readonly credentials: readonly string[];
  /** A new key that signs from now on; `keep` publishes the old one too. */
  rotate(options?: { readonly keep?: boolean; readonly id?: string }): ProviderKey;
  /**
   * A token of this issuer for `audience`, for an hour. Changed claims replace, undefined removes.
   */
  token(claims?: Claims, header?: Claims, key?: ProviderKey): string;
  /** Serves a text below /claims/, for distributed claims. */
  publish(path: string, text: string): string;
  close(): Promise<void>;
}

export type Claims = Readonly<Record<string, unknown>>;

export const audience = 'kubernetes';

export function createProviderKey(
  id: string,
  algorithm: ProviderKey['algorithm'] = 'ES256',
): ProviderKey {
  const pair =
    algorithm === 'ES256'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { id, algorithm, ...pair };
}

/** Signs whatever it is given, also what no provider would. */
export function signJwt(header: Claims, claims: Claims | string, key: ProviderKey): string {
  const encode = (part: Claims | string) =>
    Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url');
  const text = `${encode(header)}.${encode(claims)}`;
  const options =
    key.algorithm === 'ES256'
      ? { key: key.privateKey, dsaEncoding: 'ieee-p1363' as const }
      : key.algorithm === 'PS256'
        ? { key: key.privateKey, padding: 6, saltLength: 32 }
        : { key: key.privateKey };
  return `${text}.${sign('sha256', Buffer.from(text), options).toString('base64url')}`;
}

const authority = createCertificateAuthority(
  { clock: systemClock, random: systemRandom },
  { commonName: 'identity-provider-ca' },
);

export async function startIdentityProvider(
  options: {
    readonly nowMs?: () => number;
    readonly algorithm?: ProviderKey['algorithm'];
    /** To take the place of one that was closed. */
    readonly port?: number;
  } = {},
): Promise<IdentityProvider> {
  const { nowMs = () => systemClock.now(), algorithm = 'ES256' } = options;
  let key = createProviderKey('key-1', algorithm);
  let published = [key];
  let count = 1;
  const requests: string[] = [];
  const credentials: string[] = [];
  const documents = new Map<string, string>();
  const serving = authority.issueServing({
    commonName: 'identity-provider',
    dnsNames: ['localhost'],
    ipAddresses: ['127.0.0.1'],
  });
  const server = createServer({ cert: serving.certificatePem, key: serving.privateKeyPem });
  const port = await listen(server, options.port ?? 0);
  const provider: IdentityProvider = {
    url: `https://127.0.0.1:${port}`,
    port,
    authorityPem: authority.certificatePem,
    mode: 'well',
    requests,
    credentials,
    get key() {
      return key;
    },
    rotate({ keep = false, id = `key-${++count}` } = {}) {
      key = createProviderKey(id, algorithm);
      published = keep ? [...published, key] : [key];
      return key;
    },
    token(claims = {}, header = {}, by = key) {
      const now = Math.floor(nowMs() / 1000);
      const usual = { iss: provider.url, aud: audience, sub: 'jane', iat: now, exp: now + 3600 };
      return signJwt({ alg: by.algorithm, kid: by.id, ...header }, { ...usual, ...claims }, by);
    },
    publish(path, text) {
      documents.set(`/claims/${path}`, text);
      return `${provider.url}/claims/${path}`;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const path = request.url ?? '';
    requests.push(path);
    if (request.headers.authorization !== undefined)
      credentials.push(request.headers.authorization);
    answer(response, path, { provider, published, documents });
  });
  return provider;
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}

interface Published {
  readonly provider: IdentityProvider;
  readonly published: readonly ProviderKey[];
  readonly documents: ReadonlyMap<string, string>;
}

function answer(response: ServerResponse, path: string, parts: Published): void {
  const { provider, documents } = parts;
  switch (provider.mode) {
    case 'silent':
      return;
    case 'broken':
      return void response.writeHead(503).end('out of order');
    case 'redirecting':
      return void response.writeHead(302, { location: `${provider.url}/elsewhere` }).end();
    case 'garbage':
      return void response.end('<html>');
    case 'endless':
      return void response.end(Buffer.alloc(2 * 1024 * 1024, 0x20));
    default:
  }
  const text = documents.get(path);
  if (text !== undefined) response.end(text);
  else if (path === '/keys') response.end(JSON.stringify({ keys: keysOf(parts.published) }));
  else if (path.endsWith('/openid-configuration') || path === '/elsewhere')
    response.end(JSON.stringify(configurationOf(provider)));
  else response.writeHead(404).end();
}

function configurationOf(provider: IdentityProvider): JsonObject {
  const issuer = provider.mode === 'another-issuer' ? 'https://somebody.test' : provider.url;
  if (provider.mode === 'no-keys') return { issuer };
  const keys = `${provider.url}/keys`;
  return {
    issuer,
    jwks_uri: provider.mode === 'plain-keys' ? keys.replace('https', 'http') : keys,
  };
}

function keysOf(keys: readonly ProviderKey[]) {
  return keys.map(({ id, algorithm, publicKey }) => ({
    ...publicKey.export({ format: 'jwk' }),
    kid: id,
    alg: algorithm,
    use: 'sig',
  }));
}
