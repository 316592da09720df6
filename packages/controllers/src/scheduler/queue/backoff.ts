// Pods that have failed a moment ago: each waits twice as long as before, from one second to ten.

import type { Clock } from '@keelson/apimachinery';
import type { PodSummary } from '../snapshot/pod-summary.ts';
import { createHeap } from './pod-heap.ts';
import { comesFirst, type QueuedPod } from './queued-pod.ts';

export interface BackoffOptions {
  readonly clock: Clock;
  readonly gateOf: (pod: PodSummary) => unknown;
  readonly backoffMinMs: number;
  readonly backoffMaxMs: number;
}

export interface Backoff {
  add(entry: QueuedPod): void;
  remove(entry: QueuedPod): void;
  isOver(entry: QueuedPod): boolean;
  /**
   * One that may be tried although its time has not come, since there is nothing else to do: its
   * last attempt was no error.
   */
  earliest(): QueuedPod | undefined;
  stop(): void;
}

/** COMPAT: pods whose back-off ends in the same second are in order of importance. */
const backoffWindowMs = 1_000;

export function createBackoff(
  { clock, gateOf, backoffMinMs, backoffMaxMs }: BackoffOptions,
  onOver: (entry: QueuedPod) => void,
): Backoff {
  // Errors in a row count by themselves: what was decided before says nothing about them.
  const endOf = ({ errors, rejections, failedAt }: QueuedPod) => {
    const failures = errors > 0 ? errors : rejections;
    if (failures === 0) return failedAt;
    return failedAt + Math.min(backoffMinMs * 2 ** (failures - 1), backoffMaxMs);
  };
  const windowOf = (entry: QueuedPod) => Math.ceil(endOf(entry) / backoffWindowMs);
  const isBefore = (a: QueuedPod, b: QueuedPod) => {
    const gap = windowOf(a) - windowOf(b);
    return gap === 0 ? comesFirst(a, b) : gap < 0;
  };
  const heap = createHeap<QueuedPod>(isBefore);
  let cancel: (() => void) | undefined;
  const setTimer = () => {
    cancel?.();
    const first = heap.peek();
    const waitMs = first && Math.max(0, windowOf(first) * backoffWindowMs - clock.monotonic());
    cancel = waitMs === undefined ? undefined : clock.after(waitMs, flush);
  };
  const flush = () => {
    for (;;) {
      const first = heap.peek();
      if (first === undefined || endOf(first) > clock.monotonic()) break;
      heap.remove(first);
      onOver(first);
    }
    setTimer();
  };
  return {
    add(entry) {
      heap.push(entry);
      setTimer();
    },
    remove: (entry) => void heap.remove(entry),
    isOver: (entry) => endOf(entry) <= clock.monotonic(),
    earliest() {
      const mayBeTried = (entry: QueuedPod) =>
        entry.errors === 0 && gateOf(entry.pod) === undefined;
      const first = heap.peek();
      if (first === undefined || mayBeTried(first)) return first;
      let best: QueuedPod | undefined;
      for (const entry of heap.items())
        if (mayBeTried(entry) && (best === undefined || isBefore(entry, best))) best = entry;
      return best;
    },
    stop: () => cancel?.(),
  };
}
