// Chance is injected: uids, generated names and keys come from a `Random`, so that a test or a
// simulation with a seed repeats itself.

import { randomBytes } from 'node:crypto';

export interface Random {
  bytes(count: number): Uint8Array;
  /** Uniform in [0, 1). */
  float(): number;
}

export const systemRandom: Random = {
  bytes: (count) => randomBytes(count),
  float: () => randomBytes(4).readUInt32BE(0) / 2 ** 32,
};

/** mulberry32: small, fast and good enough for tests; never for secrets. */
export function createSeededRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  };
  return {
    bytes: (count) => Uint8Array.from({ length: count }, () => next() & 0xff),
    float: () => next() / 2 ** 32,
  };
}

/** Random UUID, version 4 (RFC 9562). */
export function createUid(random: Random): string {
  const b = random.bytes(16);
  b[6] = ((b[6] ?? 0) & 0x0f) | 0x40;
  b[8] = ((b[8] ?? 0) & 0x3f) | 0x80;
  const hex = Array.from(b, (x) => x.toString(16).padStart(2, '0')).join('');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

// No vowels and no look-alikes, so that generated names spell nothing (as in Kubernetes).
const nameAlphabet = 'bcdfghjklmnpqrstvwxz2456789';

/** The suffix of `generateName`: `count` characters of Kubernetes' alphabet. */
export function randomNameSuffix(random: Random, count = 5): string {
  let out = '';
  for (let i = 0; i < count; i++)
    out += nameAlphabet[Math.floor(random.float() * nameAlphabet.length)];
  return out;
}
