// CrashLoopBackOff: a container that ended is started again at once the first time, then after
// 10 s, 20 s and so on up to five minutes; all is forgotten when it ran for twice as long.

import type { ContainerRecord } from './pod-record.ts';

export interface CrashBackoff {
  readonly firstMs: number;
  readonly maxMs: number;
}

export const crashBackoffs = {
  usual: { firstMs: 10_000, maxMs: 300_000 },
  /** Gate ReduceDefaultCrashLoopBackOffDecay. */
  reduced: { firstMs: 1_000, maxMs: 60_000 },
} as const satisfies Record<string, CrashBackoff>;

/** When the container may run again that ended at `finishedAt`. */
export function restartAllowedAt(
  { crash }: ContainerRecord,
  finishedAt: number,
  { maxMs }: CrashBackoff,
): number {
  const isForgotten = finishedAt - crash.updatedAt > 2 * maxMs;
  return crash.delayMs === 0 || isForgotten ? finishedAt : finishedAt + crash.delayMs;
}

/** It runs again: the next time takes longer. */
export function lengthenBackoff(
  { crash }: ContainerRecord,
  finishedAt: number,
  { now, backoff }: { readonly now: number; readonly backoff: CrashBackoff },
): void {
  const isForgotten = finishedAt - crash.updatedAt > 2 * backoff.maxMs;
  const next = crash.delayMs === 0 || isForgotten ? backoff.firstMs : crash.delayMs * 2;
  crash.delayMs = Math.min(next, backoff.maxMs);
  crash.updatedAt = now;
}
