// How soon a pod that failed is deleted, and so replaced: at once the first time on a node, then
// after 1 s, doubled each time, at most 15 minutes. A kubelet that refuses a pod would otherwise get
// the next one at once.

import { createRecentMap } from '../machinery/recent-map.ts';

export interface FailedPods {
  /** Milliseconds to wait; 0 when it may go now, which then counts. */
  delayMs(key: string, now: number): number;
}

const firstDelayMs = 1_000;
const delayMaxMs = 15 * 60_000;
/** After such a rest it starts over. */
const forgetMs = 2 * delayMaxMs;
/** Keys that are remembered; the oldest are forgotten first. */
const keysMax = 10_000;

export function createFailedPods(): FailedPods {
  const last = createRecentMap<{ readonly at: number; readonly delayMs: number }>(keysMax);
  return {
    delayMs(key, now) {
      const before = last.get(key);
      const isForgotten = before === undefined || now - before.at > forgetMs;
      const waitMs = isForgotten ? 0 : before.at + before.delayMs - now;
      if (waitMs > 0) return waitMs;
      const delayMs = isForgotten ? firstDelayMs : Math.min(before.delayMs * 2, delayMaxMs);
      last.put(key, { at: now, delayMs });
      return 0;
    },
  };
}
