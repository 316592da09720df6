// Keys of service account tokens: one signs, several may verify. A key's id is the SHA-256 of its
// public part, so a token's `kid` only selects among the keys that we have; it never names a place
// to fetch one from. The algorithm belongs to the key, never to the token.

import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto';

export interface VerificationKey {
  /** Selects the key, as `kid` of a token. */
  readonly id: string;
  /** SHA-256 of the key itself; two keys may have one id, but not one fingerprint. */
  readonly fingerprint: string;
  readonly algorithm: SignatureAlgorithm;
  readonly publicKey: KeyObject;
  /** It verifies tokens here and is not shown to others (an external signer may say so). */
  readonly isUnpublished?: boolean;
}
export interface SigningKey extends VerificationKey {
  readonly privateKey: KeyObject;
}
export type SignatureAlgorithm = 'RS256' | 'ES256' | 'ES384' | 'ES512';

const algorithmOfCurve: Readonly<Record<string, SignatureAlgorithm>> = {
  prime256v1: 'ES256',
  secp384r1: 'ES384',
  secp521r1: 'ES512',
};

/** A new key on P-256, for a cluster that was given none. */
export function createSigningKey(): SigningKey {
  return signingKeyOf(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey);
}

/** The first private key of a PEM text. Throws for keys that cannot sign tokens. */
export function parseSigningKey(pem: string): SigningKey {
  return signingKeyOf(createPrivateKey(pem));
}

/** PKCS #8, for the data directory. SECURITY: whoever has it can be any service account. */
export function formatSigningKey(key: SigningKey): string {
  return key.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/**
 * All keys of a PEM text: public keys, certificates or private keys, as
 * `--service-account-key-file`.
 */
export function parseVerificationKeys(pem: string): VerificationKey[] {
  const blocks = pem.match(/-----BEGIN ([A-Z0-9 ]+)-----[\s\S]*?-----END \1-----/g) ?? [];
  const keys = blocks
    // `EC PARAMETERS` precedes keys written by OpenSSL.
    .filter((block) => !block.startsWith('-----BEGIN EC PARAMETERS-----'))
    .map((block) => verificationKeyOf(createPublicKey(block)));
  if (keys.length === 0)
    throw new Error('data does not contain any valid RSA or ECDSA public keys');
  return keys;
}

function signingKeyOf(privateKey: KeyObject): SigningKey {
  return { ...verificationKeyOf(createPublicKey(privateKey)), privateKey };
}

/**
 * A key from its public part (PKIX, DER) under an id that somebody else gave it. Throws for what is
 * not an RSA or ECDSA key.
 */
export function parsePublicKey(
  der: Uint8Array,
  given: { readonly id: string; readonly isUnpublished: boolean },
): VerificationKey {
  const publicKey = createPublicKey({ key: Buffer.from(der), format: 'der', type: 'spki' });
  return { ...verificationKeyOf(publicKey), ...given };
}

function verificationKeyOf(publicKey: KeyObject): VerificationKey {
  const algorithm =
    publicKey.asymmetricKeyType === 'rsa'
      ? 'RS256'
      : algorithmOfCurve[publicKey.asymmetricKeyDetails?.namedCurve ?? ''];
  if (algorithm === undefined)
    throw new Error(
      'unknown private key type, must be *rsa.PrivateKey, *ecdsa.PrivateKey, or jose.OpaqueSigner',
    );
  const der = publicKey.export({ type: 'spki', format: 'der' });
  const id = createHash('sha256').update(der).digest('base64url');
  return { id, fingerprint: id, algorithm, publicKey };
}
