// Signed tokens in their compact form (RFC 7515, 7519), by jose. The library is loaded with the
// first token, because a server that only knows certificates should not wait for it.
//
// SECURITY: the algorithm must be the one of the key; `none`, HMAC and everything that the header
// proposes otherwise is refused. `jku`, `jwk`, `x5u`, `x5c` are ignored, `crit` and unencoded
// payloads refused (jose knows neither here).

import { isJsonObject, type JsonObject } from '@keelson/apimachinery';
import { createTokenDigest } from '../token-digest.ts';
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
  const { CompactSign } = await import('jose/jws/compact/sign');
  return new CompactSign(new TextEncoder().encode(JSON.stringify(payload)))
    .setProtectedHeader({ alg: key.algorithm, kid: key.id })
    .sign(key.privateKey);
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
      const digest = digestOf(`${key.id}.${token}`);
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
  const { compactVerify } = await import('jose/jws/compact/verify');
  try {
    await compactVerify(token, key.publicKey, { algorithms: [key.algorithm] });
    return true;
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
