// How metrics tell the servers of a cluster apart. COMPAT: kube-apiserver's name in its leases is
// `apiserver-` and a hash of the host; metrics show a hash of that.

import { createHash } from 'node:crypto';
import { sha256Label } from './jwt/jwt-metrics.ts';

/** `apiserver_id_hash` of the server on a host. */
export function serverIdHash(hostname: string): string {
  const digest = createHash('sha256').update(hostname).digest().subarray(0, 16);
  return sha256Label(`apiserver-${base32(digest)}`);
}

/** RFC 4648 in lower case, without padding. */
function base32(bytes: Uint8Array): string {
  const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';
  const bits = Array.from(bytes, (byte) => byte.toString(2).padStart(8, '0')).join('');
  return (bits.match(/.{1,5}/g) ?? [])
    .map((chunk) => alphabet[Number.parseInt(chunk.padEnd(5, '0'), 2)])
    .join('');
}
