// Answers of one webhook, kept for as long as the configuration says. The least recently used one
// goes when there are too many.

import type { Clock } from '@keelson/apimachinery';
import type { ReviewStatus } from './access-review.ts';

export interface DecisionCache {
  get(key: string): ReviewStatus | undefined;
  /** `ttlMs` of 0 keeps nothing. */
  set(key: string, status: ReviewStatus, ttlMs: number): void;
}

/** As kube-apiserver. */
export const cachedDecisionsMax = 8192;

export function createDecisionCache(clock: Clock, entriesMax = cachedDecisionsMax): DecisionCache {
  const entries = new Map<string, { readonly status: ReviewStatus; readonly endsAtMs: number }>();
  return {
    get(key) {
      const entry = entries.get(key);
      if (entry === undefined) return undefined;
      entries.delete(key);
      if (entry.endsAtMs <= clock.monotonic()) return undefined;
      // Maps keep the order of insertion, so the first one is that which was used longest ago.
      entries.set(key, entry);
      return entry.status;
    },
    set(key, status, ttlMs) {
      entries.delete(key);
      if (ttlMs <= 0) return;
      entries.set(key, { status, endsAtMs: clock.monotonic() + ttlMs });
      const [oldest] = entries.keys();
      if (entries.size > entriesMax && oldest !== undefined) entries.delete(oldest);
    },
  };
}
