// Public keys that somebody hands in (SubjectPublicKeyInfo, RFC 5280): what kind they are, and
// whether their holder has signed something.

import { constants, createPublicKey, verify, type KeyObject } from 'node:crypto';

export interface PublicKey {
  /** `ed25519`, `ec`, `rsa` …, as OpenSSL names it. */
  readonly type: string;
  /** Of an elliptic curve key, as OpenSSL names it. */
  readonly curve: string | undefined;
  /** Of an RSA key. */
  readonly modulusBits: number | undefined;
  /** The key in its canonical encoding. */
  readonly spki: Uint8Array;
  /**
   * Whether the holder of the key signed the content: ECDSA with SHA-256 (SEC 1), RSASSA-PSS with
   * SHA-256 (RFC 8017) or Ed25519.
   */
  hasSigned(content: Uint8Array, signature: Uint8Array): boolean;
}

/** Undefined when the bytes are no key. */
export function readPublicKey(spki: Uint8Array): PublicKey | undefined {
  let key: KeyObject;
  try {
    key = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
  } catch {
    // OpenSSL does not tell unreadable from unknown; to the caller both are no key.
    return undefined;
  }
  return {
    type: key.asymmetricKeyType ?? '',
    curve: key.asymmetricKeyDetails?.namedCurve,
    modulusBits: key.asymmetricKeyDetails?.modulusLength,
    spki: key.export({ type: 'spki', format: 'der' }),
    hasSigned: (content, signature) => hasSigned(key, content, signature),
  };
}

function hasSigned(key: KeyObject, content: Uint8Array, signature: Uint8Array): boolean {
  switch (key.asymmetricKeyType) {
    case 'ed25519':
      return verify(null, content, key, signature);
    case 'ec':
      return verify('sha256', content, key, signature);
    case 'rsa':
      return verify('sha256', content, { key, ...pss }, signature);
    default:
      return false;
  }
}

const pss = {
  padding: constants.RSA_PKCS1_PSS_PADDING,
  saltLength: constants.RSA_PSS_SALTLEN_AUTO,
};
