// Token buckets by key. A bucket starts full, gains `qps` tokens a second up to `burst`, and gives
// one token for each admitted thing. Only so many buckets are kept: the least recently used is
// forgotten, and full again when its key comes back.

import type { Clock } from '@keelson/apimachinery';

export interface TokenBucketOptions {
  readonly qps: number;
  readonly burst: number;
  readonly bucketsMax: number;
}

export interface TokenBuckets {
  /** Takes a token of the key's bucket; false when there is none. */
  take(key: string): boolean;
}

interface Bucket {
  tokens: number;
  atMs: number;
}

export function createTokenBuckets(options: TokenBucketOptions, clock: Clock): TokenBuckets {
  const { qps, burst, bucketsMax } = options;
  /** In order of last use, because a Map remembers the order in which keys were set. */
  const buckets = new Map<string, Bucket>();
  return {
    take(key) {
      const atMs = clock.monotonic();
      const bucket = buckets.get(key) ?? { tokens: burst, atMs };
      buckets.delete(key);
      buckets.set(key, bucket);
      if (buckets.size > bucketsMax) {
        const oldest = buckets.keys().next();
        if (oldest.done !== true) buckets.delete(oldest.value);
      }
      bucket.tokens = Math.min(burst, bucket.tokens + ((atMs - bucket.atMs) / 1000) * qps);
      bucket.atMs = atMs;
      if (bucket.tokens < 1) return false;
      bucket.tokens -= 1;
      return true;
    },
  };
}
