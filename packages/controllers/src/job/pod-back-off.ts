// How long a Job waits before it replaces failed pods: 10 s, doubled with each failure since the
// last success, at most 10 minutes.

import type { Pod } from '@keelson/apimachinery/types/core.v1';
import { finishedAt } from './job-pods.ts';

const firstDelayMs = 10_000;
const delayMaxMs = 600_000;

export interface BackOff {
  readonly failures: number;
  readonly lastFailureMs: number;
}
export const noBackOff: BackOff = { failures: 0, lastFailureMs: 0 };

/** After pods have ended that were not seen before. */
export function backOffAfter(
  before: BackOff,
  succeeded: readonly Pod[],
  failed: readonly Pod[],
): BackOff {
  const lastSuccessMs = Math.max(-Infinity, ...succeeded.map(finishedAt));
  const failures = failed.map(finishedAt).filter((time) => time > lastSuccessMs);
  const start = succeeded.length === 0 ? before : noBackOff;
  if (failures.length === 0) return start;
  return { failures: start.failures + failures.length, lastFailureMs: Math.max(...failures) };
}

/** Milliseconds until the next pod may be created; 0 when it may be now. */
export function remainingDelayMs({ failures, lastFailureMs }: BackOff, now: number): number {
  if (failures === 0) return 0;
  const delayMs = Math.min(firstDelayMs * 2 ** (failures - 1), delayMaxMs);
  return Math.max(0, lastFailureMs + delayMs - now);
}
