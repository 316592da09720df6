/**
 * `base64.encode(bytes)` and `base64.decode(string)`, with or without padding.
 */

import { celTypes } from '../../types/type.ts';
import { celError } from '../../values/error.ts';
import type { CelResult } from '../../values/value.ts';
import { declareFunction, globalOverload } from '../library.ts';
import type { Library } from '../library.ts';

const { bytes, string } = celTypes;

/** Base64. */
export const encodersLibrary: Library = {
  name: 'cel.ext.encoders',
  functions: [
    declareFunction(
      'base64.decode',
      globalOverload('base64_decode_string', [[string], bytes], decode),
    ),
    declareFunction(
      'base64.encode',
      globalOverload('base64_encode_bytes', [[bytes], string], encode),
    ),
  ],
};

function encode(value: Uint8Array): string {
  let binary = '';
  for (const byte of value) binary += String.fromCharCode(byte);
  return btoa(binary);
}

function decode(text: string): CelResult {
  const body = text.replaceAll(/[\r\n]/g, '');
  const isValid = /^[A-Za-z0-9+/]*={0,2}$/.test(body) && isWholeLength(body);
  if (!isValid) return celError('illegal base64 data');
  return Uint8Array.from(atob(body.replace(/=+$/, '')), (character) => character.charCodeAt(0));
}

// Padded to a multiple of four, or not padded at all.
function isWholeLength(text: string): boolean {
  return text.includes('=') ? text.length % 4 === 0 : text.length % 4 !== 1;
}
