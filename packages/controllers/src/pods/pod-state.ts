// What state a pod is in, as controllers see it.

import { findCondition } from '@keelson/apimachinery';
import type { Pod } from '@keelson/apimachinery/types/core.v1';

/** It ended, with or without success, and never runs again. */
export function isPodFinished({ status }: Pod): boolean {
  return status?.phase === 'Succeeded' || status?.phase === 'Failed';
}
/** It ended, or is going and nothing of it runs any more. */
export function isPodTerminated(pod: Pod): boolean {
  if (isPodFinished(pod)) return true;
  const isIdle = (pod.status?.containerStatuses ?? []).every(
    ({ state }) => state?.terminated !== undefined || state?.waiting !== undefined,
  );
  return pod.metadata.deletionTimestamp !== undefined && isIdle;
}
export function isPodTerminating(pod: Pod): boolean {
  return pod.metadata.deletionTimestamp !== undefined && !isPodFinished(pod);
}
/** Neither ended nor on its way out. */
export function isPodActive(pod: Pod): boolean {
  return !isPodFinished(pod) && pod.metadata.deletionTimestamp === undefined;
}

export function isPodReady(pod: Pod): boolean {
  return readyCondition(pod)?.status === 'True';
}
/** Milliseconds since 1970; undefined when it is not ready, or nobody says since when. */
export function readySince(pod: Pod): number | undefined {
  const condition = readyCondition(pod);
  if (condition?.status !== 'True') return undefined;
  const time = Date.parse(condition.lastTransitionTime ?? '');
  return Number.isNaN(time) ? undefined : time;
}

/** Milliseconds until the pod counts as available; undefined when it is not ready. */
function availableInMs(pod: Pod, minReadySeconds: number, now: number): number | undefined {
  if (!isPodReady(pod)) return undefined;
  if (minReadySeconds <= 0) return 0;
  const since = readySince(pod);
  return since === undefined ? undefined : Math.max(0, since + minReadySeconds * 1000 - now);
}
export function isPodAvailable(pod: Pod, minReadySeconds: number, now: number): boolean {
  return availableInMs(pod, minReadySeconds, now) === 0;
}
/**
 * Milliseconds until the next of the pods becomes available, which is no event; undefined when none
 * is about to.
 */
export function nextAvailableInMs(
  pods: readonly Pod[],
  minReadySeconds: number,
  now: number,
): number | undefined {
  const waits = pods
    .map((pod) => availableInMs(pod, minReadySeconds, now) ?? 0)
    .filter((ms) => ms > 0);
  return waits.length === 0 ? undefined : Math.min(...waits);
}

function readyCondition({ status }: Pod) {
  return findCondition(status?.conditions, 'Ready');
}
