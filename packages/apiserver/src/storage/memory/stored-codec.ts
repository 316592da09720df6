// The one seam between objects and stored bytes. The stored form is the wire JSON of the storage
// version, with apiVersion, kind and resourceVersion, so that a read can send it untouched.

import { encodeJsonText, parseJson } from '@keelson/apimachinery';
import type { KubeObject } from '@keelson/apimachinery';

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });
// An integer that a number may not hold exactly has at least as many digits as 2^53.
const longInteger = /\d{16}/;

/**
 * Throws a TypeError for what JSON cannot hold. The bytes have a buffer of their own: small ones
 * out of Buffer's pool would each keep a slab of their former neighbours.
 */
export function encodeStored(object: KubeObject): Uint8Array {
  return encoder.encode(encodeJsonText(object));
}

/** Throws when the bytes are not an object with metadata. Long integers become bigints. */
export function decodeStored(bytes: Uint8Array): KubeObject {
  const text = decoder.decode(bytes);
  const value: unknown = longInteger.test(text) ? parseJson(text) : JSON.parse(text);
  if (!isKubeObject(value)) throw new TypeError('the stored value is not an object with metadata');
  return value;
}

/**
 * The apiVersion of stored bytes, without decoding them when `kind` and `apiVersion` come first;
 * undefined when they do not.
 */
export function peekApiVersion(bytes: Uint8Array): string | undefined {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 256));
  return /^\{(?:"kind":"[^"\\]*",)?"apiVersion":"([^"\\]*)"/.exec(head.toString('latin1'))?.[1];
}

function isKubeObject(value: unknown): value is KubeObject {
  return (
    typeof value === 'object' &&
    value !== null &&
    'metadata' in value &&
    typeof value.metadata === 'object' &&
    value.metadata !== null
  );
}
