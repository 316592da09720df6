// Signed tokens in their compact form (RFC 7515, 7519), by jose. The library is loaded with the
// first token, because a server that only knows certificates should not wait for it.
//
// SECURITY: the algorithm must be the one of the key; `none`, HMAC and everything that the header
// proposes otherwise is refused. `jku`, `jwk`, `x5u`, `x5c` are ignored, critical members refused,
// and with them unencoded payloads (RFC 7797), which jose would take. A token has one spelling:
// members that are there twice and base64 with spare bits are refused, so that nobody reads another
// token than we do.

import { sign as signBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { isJsonObject, parseJsonObject, type JsonObject } from '@keelson/apimachinery';
import { createTokenDigest } from '../token-digest.ts';
import { joinSignatureNumbers, numberBytes } from './ecdsa-signature.ts';
import type { SigningKey, VerificationKey } from './signing-keys.ts';

export interface UnverifiedToken {
  readonly algorithm: string;
  /** Empty when the header has none. */
  readonly keyId: string;
  readonly payload: JsonObject;
}

// A service account token is about a kilobyte; nothing legitimate comes near this.
const tokenLengthMax = 16 * 1024;

/**
 * Looks into a token without believing it. Undefined when it is not a compact JWS with JSON inside.
 */
export function peekToken(token: string): UnverifiedToken | undefined {
  if (token.length > tokenLengthMax) return undefined;
  const match = /^([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]*)$/.exec(token);
  const header = decodePart(match?.[1]);
  const payload = decodePart(match?.[2]);
  if (header === undefined || payload === undefined) return undefined;
  const { alg, kid = '' } = header;
  if (typeof alg !== 'string' || typeof kid !== 'string') return undefined;
  return { algorithm: alg, keyId: kid, payload };
}

/** Signs a payload; the header has `alg` and `kid` only, as kube-apiserver's. */
export async function signToken(payload: JsonObject, key: SigningKey): Promise<string> {
  const input = `${encodedHeader(key)}.${encodePart(payload)}`;
  const bytes = Buffer.from(input, 'latin1');
  const { algorithm, privateKey } = key;
  const digest = digests[algorithm];
  // ECDSA takes less time than a thread would take to begin; RSA would hold up everyone else. With
  // `dsaEncoding` node:crypto would take twice the time, most of it for reading its options.
  const signature =
    algorithm === 'RS256'
      ? await signOnThread(digest, bytes, privateKey)
      : joinSignatureNumbers(signBytes(digest, bytes, privateKey), numberBytes[algorithm]);
  return `${input}.${signature.toString('base64url')}`;
}

const signOnThread = promisify<string, Uint8Array, SigningKey['privateKey'], Buffer>(signBytes);
const digests = { RS256: 'sha256', ES256: 'sha256', ES384: 'sha384', ES512: 'sha512' } as const;
const headers = new WeakMap<SigningKey, string>();

function encodedHeader(key: SigningKey): string {
  const known = headers.get(key);
  if (known !== undefined) return known;
  const header = encodePart({ alg: key.algorithm, kid: key.id });
  headers.set(key, header);
  return header;
}

/** A part of a token: unpadded base64url of JSON. */
export function encodePart(value: JsonObject): string {
  return Buffer.from(JSON.stringify(value), 'utf8').toString('base64url');
}

/** Checks signatures. Whoever asks twice about the same token and key waits for one check. */
export interface SignatureVerifier {
  verify(token: string, key: VerificationKey): Promise<boolean>;
}

// Good signatures stay good, so the check is remembered; what the token says is judged every time.
const rememberedMax = 4096;

export function createSignatureVerifier(): SignatureVerifier {
  // SECURITY: so that a memory dump of the table holds no usable token.
  const digestOf = createTokenDigest();
  const good = new Map<string, Promise<boolean>>();
  return {
    verify(token, key) {
      const digest = digestOf(`${key.fingerprint}.${token}`);
      const known = good.get(digest);
      if (known !== undefined) return known;
      if (good.size >= rememberedMax) good.delete(good.keys().next().value ?? '');
      const check = isSigned(token, key).then((isGood) => {
        if (!isGood) good.delete(digest);
        return isGood;
      });
      good.set(digest, check);
      return check;
    },
  };
}

async function isSigned(token: string, key: VerificationKey): Promise<boolean> {
  if (!isUnambiguous(token)) return false;
  const { compactVerify } = await import('jose/jws/compact/verify');
  try {
    await compactVerify(token, key.publicKey, { algorithms: [key.algorithm] });
    return true;
  } catch {
    return false;
  }
}

/** SECURITY: what jose or `JSON.parse` would take, and others might read otherwise. */
function isUnambiguous(token: string): boolean {
  const parts = token.split('.');
  const isCanonical = (part: string) =>
    Buffer.from(part, 'base64url').toString('base64url') === part;
  const header = decodePart(parts[0]);
  return (
    header !== undefined &&
    !Object.hasOwn(header, 'crit') &&
    parts.every(isCanonical) &&
    parts.slice(0, 2).every(hasDistinctMembers)
  );
}

function hasDistinctMembers(part: string): boolean {
  try {
    const bytes = Buffer.from(part, 'base64url');
    return parseJsonObject(bytes, { strict: true }).strictErrors.length === 0;
  } catch {
    return false;
  }
}

function decodePart(part: string | undefined): JsonObject | undefined {
  if (part === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
