// Standard base64 as Go's `encoding/base64` reads it: padded, line breaks ignored, with the
// position of the first wrong byte in its message.

import { DecodeError } from './decode-error.ts';

/** The same bytes as canonical base64 text, or throws Go's `illegal base64 data`. */
export function canonicalBase64(text: string): string {
  const clean = /[\r\n]/.test(text) ? text.replace(/[\r\n]/g, '') : text;
  if (!isPadded(clean)) {
    throw new DecodeError(`illegal base64 data at input byte ${wrongByte(text)}`);
  }
  // Trailing bits that belong to no byte are ignored by Go; written again they are zero.
  return /[^AQgw]==$|[^AEIMQUYcgkosw048]=$/.test(clean)
    ? Buffer.from(clean, 'base64').toString('base64')
    : clean;
}

function isPadded(text: string): boolean {
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  return text.length % 4 === 0 && !/[^A-Za-z0-9+/]/.test(text.slice(0, text.length - padding));
}

/**
 * Go reports the wrong character, the character after bad padding, or where the text ended too
 * early.
 */
function wrongByte(text: string): number {
  const bytes = new TextEncoder().encode(text);
  let inQuantum = 0;
  for (let i = 0; i < bytes.length; i++) {
    const code = bytes[i] ?? 0;
    if (code === 0x0a || code === 0x0d) continue;
    if (code === 0x3d) return wrongPadding(bytes, i, inQuantum);
    if (!isAlphabet(code)) return i;
    inQuantum = (inQuantum + 1) % 4;
  }
  // Go points at the start of the quantum that the end of the text cut short.
  return bytes.length - inQuantum;
}

function wrongPadding(bytes: Uint8Array, at: number, inQuantum: number): number {
  if (inQuantum < 2) return at;
  let next = skipBreaks(bytes, at + 1);
  if (inQuantum === 2) {
    if (next >= bytes.length) return bytes.length;
    if (bytes[next] !== 0x3d) return next - 1;
    next = skipBreaks(bytes, next + 1);
  }
  return next;
}

function skipBreaks(bytes: Uint8Array, start: number): number {
  let at = start;
  while (bytes[at] === 0x0a || bytes[at] === 0x0d) at++;
  return at;
}

function isAlphabet(code: number): boolean {
  const letter = (code | 0x20) >= 0x61 && (code | 0x20) <= 0x7a;
  return letter || (code >= 0x30 && code <= 0x39) || code === 0x2b || code === 0x2f;
}
