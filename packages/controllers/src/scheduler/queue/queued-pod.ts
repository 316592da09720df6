// A pod in the queue, and which of two is tried first.

import type { PodSummary } from '../snapshot/pod-summary.ts';

export interface QueuedPod {
  readonly uid: string;
  /** The newest that is known. */
  pod: PodSummary;
  attempts: number;
  /** When it came into the queue; milliseconds of the monotonic clock, as the others. */
  readonly addedAt: number;
  queuedAt: number;
  failedAt: number;
  /** Attempts that ended in an error since the last that ended in a decision. */
  errors: number;
  /** Attempts in which no node took it. */
  rejections: number;
  /** It must not be tried; what would have brought it back meanwhile is noted. */
  hold: { wokenBy?: string } | undefined;
  /** Who rejected it: their hints decide what may help. */
  rejectedBy: ReadonlySet<string>;
  place: 'active' | 'backoff' | 'unschedulable' | 'gated' | 'underway';
}

/** It goes behind those of its importance that have waited since. */
export function noteFailure(entry: QueuedPod, now: number): void {
  entry.failedAt = now;
  entry.queuedAt = now;
}

/** The plugin PrioritySort: the more important one, then the one that waits longer. */
export function comesFirst(a: QueuedPod, b: QueuedPod): boolean {
  if (a.pod.priority !== b.pod.priority) return a.pod.priority > b.pod.priority;
  return a.queuedAt < b.queuedAt;
}
