// Addresses that no endpoint can have: unspecified, loopback, link-local.

import { fieldError, parseIp, type ParsedIp } from '@keelson/apimachinery';
import type { Errors } from './checks.ts';

/**
 * An address that something outside a host can be reached at. `path` and `value` as in the object;
 * a text that is no address gets an error of its own.
 */
export function nonSpecialIp(errors: Errors, path: string, value: string): boolean {
  const ip = parseIp(value);
  const sentence = ip === undefined ? 'must be a valid IP address' : specialSentence(ip, value);
  if (sentence === undefined) return true;
  errors.push(fieldError.invalid(path, value, sentence));
  return false;
}

function specialSentence(ip: ParsedIp, text: string): string | undefined {
  const top = (bits: number) => ip.value >> BigInt((ip.family === 4 ? 32 : 128) - bits);
  if (ip.value === 0n) return `may not be unspecified (${text})`;
  if (ip.family === 4 ? top(8) === 127n : ip.value === 1n) {
    return 'may not be in the loopback range (127.0.0.0/8, ::1/128)';
  }
  if (ip.family === 4 ? top(16) === 0xa9fen : top(10) === 0x3fan) {
    return 'may not be in the link-local range (169.254.0.0/16, fe80::/10)';
  }
  if (ip.family === 4 ? top(24) === 0xe00000n : isLinkLocalMulticast6(ip)) {
    return 'may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)';
  }
  return undefined;
}

/** `ffx2::/16`: multicast of link-local scope. */
function isLinkLocalMulticast6(ip: ParsedIp): boolean {
  const word = ip.value >> 112n;
  return word >> 8n === 0xffn && (word & 0xfn) === 2n;
}
