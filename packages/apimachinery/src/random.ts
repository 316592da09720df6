// Chance is injected: uids, generated names and keys come from a `Random`, so that a test or a
// simulation with a seed repeats itself.

import { randomBytes } from 'node:crypto';

export interface Random {
  bytes(count: number): Uint8Array;
  /** Uniform in [0, 1). */
  float(): number;
}

const poolBytes = 4096;

export const systemRandom: Random = createSystemRandom();

/** Asks the kernel for many bytes at once: a call for each uid costs more than making the uid. */
function createSystemRandom(): Random {
  let pool = Buffer.alloc(0);
  let used = 0;
  const take = (count: number): Uint8Array => {
    if (count > poolBytes) return randomBytes(count);
    if (used + count > pool.length) {
      pool = randomBytes(poolBytes);
      used = 0;
    }
    const bytes = Uint8Array.from(pool.subarray(used, used + count));
    // SECURITY: what has been handed out may be a key; it must not stay here too.
    pool.fill(0, used, used + count);
    used += count;
    return bytes;
  };
  return {
    bytes: take,
    float: () => new DataView(take(4).buffer).getUint32(0) / 2 ** 32,
  };
}

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

const hexOf = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** Random UUID, version 4 (RFC 9562). */
export function createUid(random: Random): string {
  const b = random.bytes(16);
  b[6] = ((b[6] ?? 0) & 0x0f) | 0x40;
  b[8] = ((b[8] ?? 0) & 0x3f) | 0x80;
  let hex = '';
  for (const byte of b) hex += hexOf[byte];
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
