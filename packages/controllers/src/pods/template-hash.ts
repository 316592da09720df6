// The hash of a pod template, which names what is made from it: the same text for the same template
// as in Kubernetes, so that its names can be compared, and none that could spell a word.

import { builtinType, dumpGoStruct, type JsonValue } from '@keelson/apimachinery';
import type { PodTemplateSpec } from '@keelson/apimachinery/types/core.v1';

/** `collisions` makes another hash of the same template, when the first one's name was taken. */
export function podTemplateHash(template: PodTemplateSpec, collisions?: number): string {
  const type = builtinType('io.k8s.api.core.v1.PodTemplateSpec');
  if (type === undefined) throw new TypeError('the schema has no PodTemplateSpec');
  const text = Buffer.from(dumpGoStruct(template as unknown as JsonValue, type));
  const suffix = Buffer.alloc(collisions === undefined ? 0 : 8);
  if (collisions !== undefined) suffix.writeUInt32LE(collisions);
  return safeText(String(fnv1a(Buffer.concat([text, suffix]))));
}

/** FNV-1a with 32 bits. */
function fnv1a(bytes: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

/** FNV-1 with 32 bits: multiplies first. */
export function fnv1(bytes: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash, 0x01000193) ^ byte;
  return hash >>> 0;
}

/** Without vowels and what looks like them. */
const alphabet = 'bcdfghjklmnpqrstvwxz2456789';

/** Letter by letter, as apimachinery's `rand.SafeEncodeString`. */
export function safeText(text: string): string {
  return Array.from(text, (c) => alphabet[c.charCodeAt(0) % alphabet.length]).join('');
}
