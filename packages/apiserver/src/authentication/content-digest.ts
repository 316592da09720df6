// Digests that name what they are of, in metrics: of configurations and of this server's name.
// Never of secrets, which could be guessed from them.

import { hash } from 'node:crypto';

/** SHA-256 in hexadecimal. */
export function sha256Hex(text: string): string {
  return hash('sha256', text, 'hex');
}

const base32 = 'abcdefghijklmnopqrstuvwxyz234567';
const idBytes = 16;

/** The identity of a server on a host, as kube-apiserver makes it: `apiserver-…`. */
export function serverIdOf(hostName: string): string {
  const bytes = hash('sha256', hostName, 'buffer').subarray(0, idBytes);
  let text = '';
  let bits = 0;
  let held = 0;
  for (const byte of bytes) {
    held = ((held << 8) | byte) & 0xffff;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += base32[(held >> bits) & 31];
    }
  }
  if (bits > 0) text += base32[(held << (5 - bits)) & 31];
  return `apiserver-${text}`;
}
