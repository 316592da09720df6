// Hashes of public documents, for their ETag, which clients compare.

import { createHash } from 'node:crypto';

const kept = new WeakMap<Uint8Array, Buffer>();

function digestOf(chunk: Uint8Array): Buffer {
  let digest = kept.get(chunk);
  if (digest === undefined) kept.set(chunk, (digest = createHash('sha512').update(chunk).digest()));
  return digest;
}

/**
 * Hexadecimal, of a document in parts. Parts that were hashed before cost nothing, so a large
 * document of which little has changed is hashed quickly.
 */
export function contentHash(chunks: readonly Uint8Array[]): string {
  const [only] = chunks;
  if (only !== undefined && chunks.length === 1) return toText(digestOf(only));
  const whole = createHash('sha512');
  for (const chunk of chunks) whole.update(digestOf(chunk));
  return toText(whole.digest());
}

/** The same of a text that stands for the document. */
export function textHash(text: string): string {
  return toText(createHash('sha256').update(text).digest());
}

const toText = (digest: Buffer) => digest.toString('hex').toUpperCase();
