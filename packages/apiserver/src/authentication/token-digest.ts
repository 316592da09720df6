// Tokens are looked up by digest, so that neither the time of a look-up nor a dump of the table
// tells one. The digest is keyed with chance that never leaves the process.

import { hash, randomBytes } from 'node:crypto';

/** Digests of one table; another table has other digests. */
export function createTokenDigest(): (token: string) => string {
  const key = randomBytes(32).toString('hex');
  return (token) => hash('sha256', key + token, 'base64');
}
