// The two spellings of an ECDSA signature: DER, as OpenSSL writes it, and the two numbers one after the
// other, as tokens have it (RFC 7518, 3.4).

import {
  DerError,
  expectTag,
  readChildren,
  readDer,
  tag,
  type DerValue,
} from '../certificates/der.ts';

/** Bytes of one number. */
export const numberBytes = { ES256: 32, ES384: 48, ES512: 66 } as const;

/** Throws DerError for what is no signature with numbers of so many bytes. */
export function joinSignatureNumbers(der: Uint8Array, bytesOfNumber: number): Buffer {
  const joined = Buffer.alloc(2 * bytesOfNumber);
  const [r, s] = readChildren(readDer(der, tag.sequence).content, 2);
  joined.set(digitsOf(r, bytesOfNumber), 0);
  joined.set(digitsOf(s, bytesOfNumber), bytesOfNumber);
  return joined;
}

/** With zeros before it that fill its place; a set first bit has one zero more in DER. */
function digitsOf(value: DerValue | undefined, length: number): Uint8Array {
  const { content } = expectTag(value, tag.integer);
  const isLonger = content.length === length + 1 && content[0] === 0;
  const digits = isLonger ? content.subarray(1) : content;
  if (digits.length > length) throw new DerError('a number of the signature is too large');
  const filled = new Uint8Array(length);
  filled.set(digits, length - digits.length);
  return filled;
}
