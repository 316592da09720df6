// What controllers that evict by taints measure: how many pods they deleted, and how late.

import type { ControllerMetrics } from '../machinery/controller-metrics.ts';

/** COMPAT: the bounds of both controllers in Kubernetes. */
const buckets = [0.005, 0.025, 0.1, 0.5, 1, 2.5, 10, 30, 60, 120, 180, 240];

export interface DeletionMetricsOptions {
  readonly subsystem: string;
  readonly controller: string;
  /** From when to when, in Kubernetes' words. */
  readonly since: string;
}

/** To be told of each deletion how many milliseconds it came after it was due. */
export function createDeletionMetrics(
  metrics: ControllerMetrics,
  { subsystem, controller, since }: DeletionMetricsOptions,
): (lateMs: number) => void {
  const count = metrics.counter(
    `${subsystem}_pod_deletions_total`,
    `[ALPHA] Total number of Pods deleted by ${controller} since its start.`,
  );
  const seconds = metrics.histogram(
    `${subsystem}_pod_deletion_duration_seconds`,
    `[ALPHA] Latency, in seconds, between the time when ${since} via ${controller}.`,
    buckets,
  );
  return (lateMs) => {
    count.add({});
    seconds.observe({}, lateMs / 1000);
  };
}
