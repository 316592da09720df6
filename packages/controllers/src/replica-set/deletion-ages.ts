// What kube-controller-manager measures of scaling down: how old the pods are that go, as multiples
// of the age of the youngest one (KEP-2185 picks among ages of one magnitude by chance).

import type { Pod } from '@keelson/apimachinery/types/core.v1';
import { exponentialBuckets, type ControllerMetrics } from '../machinery/controller-metrics.ts';
import { isPodReady } from '../pods/pod-state.ts';

export interface ScaleDown {
  /** All pods, those that go first at the start. */
  readonly ranked: readonly Pod[];
  readonly going: readonly Pod[];
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** To be told of each scaling down. */
export function createDeletionAges(metrics: ControllerMetrics): (scaleDown: ScaleDown) => void {
  const ratio = metrics.histogram(
    'replicaset_controller_sorting_deletion_age_ratio',
    "[ALPHA] The ratio of chosen deleted pod's ages to the current youngest pod's age (at the time). Should be <2. The intent of this metric is to measure the rough efficacy of the LogarithmicScaleDown feature gate's effect on the sorting (and deletion) of pods when a replicaset scales down. This only considers Ready pods when calculating and reporting.",
    exponentialBuckets(0.25, 2, 6),
  );
  return (scaleDown) => ageRatios(scaleDown).forEach((value) => ratio.observe({}, value));
}

/** COMPAT: whole numbers, and nothing where all pods go. */
export function ageRatios({ ranked, going, now }: ScaleDown): readonly number[] {
  const ageOf = ({ metadata }: Pod) => now - Date.parse(metadata.creationTimestamp ?? '');
  const youngest = Math.min(...ranked.filter(isPodReady).map(ageOf));
  if (going.length === ranked.length || youngest <= 0) return [];
  return going.filter(isPodReady).map((pod) => Math.trunc(ageOf(pod) / youngest));
}
