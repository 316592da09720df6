// Has tokens signed by an external signer and believes nothing it says: the header must be one that
// we would have written, its key one that the signer publishes, and the signature one that this key
// verifies. A signer that answers otherwise makes no token.
//
// COMPAT: the texts are kube-apiserver's, which looks at the header only; the signature is checked
// here too.

import { isJsonObject, type JsonObject } from '@keelson/apimachinery';
import { encodePart, type SignatureVerifier } from '../json-web-token.ts';
import type { VerificationKey } from '../signing-keys.ts';
import type { TokenKeys } from '../token-keys.ts';
import type { TokenSigner } from '../token-signer.ts';
import { keyIdBytesMax } from './key-cache.ts';
import type { SignerClient } from './signer-client.ts';

export interface ExternalTokenSignerOptions {
  readonly client: Pick<SignerClient, 'sign'>;
  readonly keys: TokenKeys;
  readonly verifier: SignatureVerifier;
}

/** A request that waits for a token waits no longer than this. */
const signTimeoutMs = 10_000;

export function createExternalTokenSigner(options: ExternalTokenSignerOptions): TokenSigner {
  const { client, keys, verifier } = options;
  return {
    async sign(payload) {
      const claims = encodePart(payload);
      const { header, signature } = await prefixed('while signing jwt', () =>
        client.sign(claims, signTimeoutMs),
      );
      const candidates = await prefixed('while validating header', () => checkHeader(header, keys));
      if (signature === '') throw new Error('empty signature returned');
      const token = `${header}.${claims}.${signature}`;
      for (const key of candidates) if (await verifier.verify(token, key)) return token;
      throw new Error('the signature is not one of a published key');
    },
  };
}

const algorithms: ReadonlySet<unknown> = new Set(['RS256', 'ES256', 'ES384', 'ES512']);
const members: ReadonlySet<string> = new Set(['alg', 'kid', 'typ']);

/** Answers the keys that may have signed. */
async function checkHeader(encoded: string, keys: TokenKeys): Promise<readonly VerificationKey[]> {
  const header = readHeader(encoded);
  const { alg, kid, typ } = header;
  if (typ !== 'JWT') throw new Error('bad type');
  if (typeof kid !== 'string' || kid === '') throw new Error('key id missing');
  if (Buffer.byteLength(kid) > keyIdBytesMax) throw new Error('key id longer than 1 kb');
  if (!algorithms.has(alg)) throw new Error(`bad signing algorithm ${JSON.stringify(alg ?? '')}`);
  const candidates = await keys.find(kid);
  if (candidates.some((key) => key.isUnpublished === true))
    throw new Error(`key used for signing JWT (kid: ${kid}) is excluded from OIDC discovery docs`);
  return candidates;
}

function readHeader(encoded: string): JsonObject {
  if (!/^[A-Za-z0-9_-]*$/.test(encoded))
    throw new Error('while unwrapping header: illegal base64 data');
  let header: unknown;
  try {
    header = JSON.parse(Buffer.from(encoded, 'base64url').toString('utf8'));
  } catch (cause) {
    throw new Error('while parsing header JSON: it is not JSON', { cause });
  }
  if (!isJsonObject(header)) throw new Error('while parsing header JSON: it is not an object');
  const unknown = Object.keys(header).find((name) => !members.has(name));
  if (unknown !== undefined)
    throw new Error(`while parsing header JSON: json: unknown field ${JSON.stringify(unknown)}`);
  return header;
}

async function prefixed<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw new Error(`${what}: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    });
  }
}
