// The keys of an issuer, fetched when first needed and again when a signature fits none of them:
// that is how a provider's new key becomes known. COMPAT: as go-oidc does it, keys do not age.
//
// SECURITY: the key id only selects among the issuer's keys; `jwk`, `jku`, `x5u` and `x5c` of a
// token are never looked at. A key checks only algorithms of its own type, so that a public key
// is no HMAC secret. Whoever sends tokens with invented key ids makes the server fetch keys no
// more often than every few seconds.

import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import {
  getOwn,
  isJsonObject,
  parseJsonObject,
  type Clock,
  type JsonObject,
} from '@keelson/apimachinery';
import type { DocumentClient } from './document-client.ts';
import type { UnverifiedJwt } from './compact-token.ts';
import { createTokenDigest } from '../token-digest.ts';
import { sha256Label } from './jwt-metrics.ts';

export interface KeySet {
  /** Undefined when a key of the issuer signed the token; else why that could not be found. */
  signatureProblem(token: string, jwt: UnverifiedJwt): Promise<string | undefined>;
}

export interface KeySetOptions {
  readonly client: DocumentClient;
  readonly url: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Told after each fetch; `keySetHash` is there when it brought keys. */
  readonly onFetch?: (keySetHash: string | undefined) => void;
}

interface IssuerKey {
  readonly id: string;
  /** Empty: whatever suits the key. */
  readonly algorithm: string;
  readonly publicKey: KeyObject;
}

// Providers have two or three.
const keysMax = 100;
const refetchIntervalMinMs = 5_000;
const notSigned = 'failed to verify id token signature';

export function createKeySet(options: KeySetOptions): KeySet {
  const { clock } = options;
  let current: Generation = { keys: [], signed: createSignedTokens() };
  let lastFetchMs: number | undefined;
  let fetching: Promise<string | undefined> | undefined;

  const refetch = (): Promise<string | undefined> => {
    if (fetching !== undefined) return fetching;
    const nowMs = clock.monotonic();
    if (lastFetchMs !== undefined && nowMs - lastFetchMs < refetchIntervalMinMs)
      return Promise.resolve(notSigned);
    lastFetchMs = nowMs;
    fetching = fetchKeys(options)
      .then((found) => {
        // What a withdrawn key has signed is not signed any more.
        current = { keys: found, signed: createSignedTokens() };
        return undefined;
      })
      .catch((error: unknown) => `fetching keys ${messageOf(error)}`)
      .finally(() => (fetching = undefined));
    return fetching;
  };
  return {
    async signatureProblem(token, jwt) {
      const known = current;
      if (known.signed.has(token)) return undefined;
      if (await isSignedByOne(token, jwt, known.keys)) return known.signed.add(token);
      const problem = await refetch();
      if (problem !== undefined) return problem;
      const fresh = current;
      if (await isSignedByOne(token, jwt, fresh.keys)) return fresh.signed.add(token);
      return notSigned;
    },
  };
}

// Callers use one token for many requests; a signature is a hundred times the work of looking it
// up.
const rememberedMax = 4096;

/** The keys of one fetch, and what they were found to have signed. */
interface Generation {
  readonly keys: readonly IssuerKey[];
  readonly signed: ReturnType<typeof createSignedTokens>;
}

/** Tokens whose signature was found good, by digest. What they say is judged every time. */
function createSignedTokens() {
  const digestOf = createTokenDigest();
  const known = new Set<string>();
  return {
    has: (token: string) => known.size > 0 && known.has(digestOf(token)),
    add(token: string): undefined {
      if (known.size >= rememberedMax) known.delete(known.values().next().value ?? '');
      known.add(digestOf(token));
    },
  };
}

async function isSignedByOne(
  token: string,
  { keyId, algorithm }: UnverifiedJwt,
  keys: readonly IssuerKey[],
): Promise<boolean> {
  for (const key of keys) {
    if (keyId !== '' && key.id !== keyId) continue;
    if (key.algorithm !== '' && key.algorithm !== algorithm) continue;
    if (await isSigned(token, algorithm, key.publicKey)) return true;
  }
  return false;
}

async function isSigned(token: string, algorithm: string, key: KeyObject): Promise<boolean> {
  const { compactVerify } = await import('jose/jws/compact/verify');
  try {
    await compactVerify(token, key, { algorithms: [algorithm] });
    return true;
  } catch {
    // The library throws for a wrong signature as for a key that does not suit the algorithm.
    return false;
  }
}

async function fetchKeys({ client, url, signal, onFetch }: KeySetOptions): Promise<IssuerKey[]> {
  try {
    const { status, body } = await client.get({ url, signal });
    if (status !== 200) throw new Error(`get keys failed: status ${status}`);
    const keys = readKeys(body);
    onFetch?.(sha256Label(body));
    return keys;
  } catch (error) {
    onFetch?.(undefined);
    throw error;
  }
}

function readKeys(body: Uint8Array): IssuerKey[] {
  const list = getOwn(parseJsonObject(body).value, 'keys');
  if (!Array.isArray(list))
    throw new Error('oidc: failed to decode keys: there is no list of keys');
  if (list.length > keysMax) throw new Error(`oidc: there are more than ${keysMax} keys`);
  return list.flatMap((jwk) => {
    const key = isJsonObject(jwk) ? readKey(jwk) : undefined;
    return key === undefined ? [] : [key];
  });
}

/** Undefined for keys that are of no use here; one such key does not spoil the others. */
function readKey(jwk: JsonObject): IssuerKey | undefined {
  const { kty, kid = '', alg = '', use = 'sig', n, e, crv, x, y } = jwk;
  if (typeof kid !== 'string' || typeof alg !== 'string' || use !== 'sig') return undefined;
  const members = kty === 'RSA' ? { n, e } : kty === 'EC' ? { crv, x, y } : undefined;
  if (members === undefined) return undefined;
  const key: JsonWebKey = { kty: String(kty) };
  for (const [name, value] of Object.entries(members)) {
    if (typeof value !== 'string') return undefined;
    key[name] = value;
  }
  try {
    return { id: kid, algorithm: alg, publicKey: createPublicKey({ key, format: 'jwk' }) };
  } catch {
    return undefined;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
