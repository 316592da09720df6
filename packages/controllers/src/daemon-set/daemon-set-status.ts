// The status of a DaemonSet, as nodes and pods are now.

import type { DaemonSetStatus } from '@keelson/apimachinery/types/apps.v1';
import { isPodAvailable, isPodReady } from '../pods/pod-state.ts';
import { isUpToDate } from './daemon-pod.ts';
import { oldestFirst, type DaemonNodes } from './plan-pods.ts';

export function daemonSetStatus(state: DaemonNodes, collisions: number): DaemonSetStatus {
  const { daemonSet, hash, now } = state;
  const { metadata, spec, status } = daemonSet;
  const entries = [...state.nodes].map(([node, { shouldRun }]) => ({
    shouldRun,
    pod: oldestFirst(state, state.pods.get(node) ?? [])[0],
  }));
  const desired = entries.filter(({ shouldRun }) => shouldRun);
  const pods = desired.flatMap(({ pod }) => pod ?? []);
  const available = pods.filter((pod) => isPodAvailable(pod, spec.minReadySeconds ?? 0, now));
  return {
    desiredNumberScheduled: desired.length,
    currentNumberScheduled: pods.length,
    numberMisscheduled: entries.filter(({ shouldRun, pod }) => !shouldRun && pod !== undefined)
      .length,
    numberReady: pods.filter(isPodReady).length,
    numberAvailable: available.length,
    numberUnavailable: desired.length - available.length,
    updatedNumberScheduled: pods.filter((pod) => isUpToDate(daemonSet, pod, hash)).length,
    ...(metadata.generation !== undefined && { observedGeneration: metadata.generation }),
    ...(collisions > 0 && { collisionCount: collisions }),
    ...(status?.conditions !== undefined && { conditions: status.conditions }),
  };
}
