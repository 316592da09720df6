// The hash that tells one set of static manifests, or one server, from another in metrics.

import { createHash } from 'node:crypto';

/** SHA-256 in hexadecimal; parts are told apart by their lengths. */
export function manifestHash(parts: readonly string[]): string {
  const digest = createHash('sha256');
  for (const part of parts) digest.update(`${part.length}\0`).update(part);
  return digest.digest('hex');
}
