// Metrics of controllers, under Kubernetes' names. Controllers may be created many times in the
// life of a process (whenever a lease is won); a family is registered once, by who asks first.

import type { Clock } from '@keelson/apimachinery';
import { createWorkQueueMetrics, type WorkQueueMeter } from './work-queue-metrics.ts';

export type MetricLabels = Readonly<Record<string, string>>;

/** One label set of a gauge with its value. */
export type Reading = readonly [MetricLabels, number];

/** Where families are registered; the server's own registry, or any other. */
export interface MetricsRegistry {
  counter(name: string, help: string): Counter;
  gauge(name: string, help: string): { collect(read: () => readonly Reading[]): void };
  histogram(name: string, help: string, buckets: readonly number[]): Histogram;
}
export interface Counter {
  add(labels: MetricLabels, by?: number): void;
}
export interface Histogram {
  observe(labels: MetricLabels, value: number): void;
}
export interface Gauge {
  set(labels: MetricLabels, value: number): void;
  /** The label set is not shown any more. */
  remove(labels: MetricLabels): void;
}

export interface ControllerMetrics {
  counter(name: string, help: string): Counter;
  gauge(name: string, help: string): Gauge;
  histogram(name: string, help: string, buckets: readonly number[]): Histogram;
  /**
   * A gauge that is counted when somebody asks for it; whoever came last counts. Returns what ends
   * it: nothing is shown then.
   */
  counted(name: string, help: string, read: () => readonly Reading[]): () => void;
  /** For one queue; those of one name are counted together. */
  workQueue(name: string): WorkQueueMeter;
}

export function createControllerMetrics(
  registry: MetricsRegistry,
  clock: Clock,
): ControllerMetrics {
  const families = new Map<string, unknown>();
  const once = <T>(name: string, create: () => T): T => {
    if (!families.has(name)) families.set(name, create());
    return families.get(name) as T;
  };
  const queues = createWorkQueueMetrics(registry, clock);
  return {
    counter: (name, help) => once(name, () => registry.counter(name, help)),
    gauge: (name, help) => once(name, () => createGauge(registry, name, help)),
    histogram: (name, help, buckets) => once(name, () => registry.histogram(name, help, buckets)),
    counted(name, help, read) {
      const readers = once(name, () => createReaders(registry, name, help));
      readers.push(read);
      return () => void readers.splice(readers.indexOf(read), 1);
    },
    workQueue: queues,
  };
}

/** Label sets of one gauge: users must not fill the memory with names of their pods. */
const labelSetsMax = 5_000;

function createReaders(
  registry: MetricsRegistry,
  name: string,
  help: string,
): (() => readonly Reading[])[] {
  const readers: (() => readonly Reading[])[] = [];
  registry.gauge(name, help).collect(() => readers.at(-1)?.().slice(0, labelSetsMax) ?? []);
  return readers;
}

/** How many of the items have each label set. */
export function countBy<T>(
  items: readonly T[],
  labelsOf: (item: T) => MetricLabels,
): readonly Reading[] {
  const counts = new Map<string, Reading>();
  for (const item of items) {
    const labels = labelsOf(item);
    const key = JSON.stringify(labels);
    counts.set(key, [labels, (counts.get(key)?.[1] ?? 0) + 1]);
  }
  return [...counts.values()];
}

function createGauge(registry: MetricsRegistry, name: string, help: string): Gauge {
  const values = new Map<string, Reading>();
  registry.gauge(name, help).collect(() => [...values.values()]);
  return {
    set(labels, value) {
      const key = JSON.stringify(labels);
      if (values.size < labelSetsMax || values.has(key)) values.set(key, [labels, value]);
    },
    remove: (labels) => void values.delete(JSON.stringify(labels)),
  };
}

/** `count` bounds, each `factor` times the one before, as Prometheus' ExponentialBuckets. */
export function exponentialBuckets(start: number, factor: number, count: number): number[] {
  let bound = start;
  return Array.from({ length: count }, () => {
    const here = bound;
    bound *= factor;
    return here;
  });
}

/** Of most durations of controllers: 1 ms to 16 s. */
export const durationBuckets: readonly number[] = exponentialBuckets(0.001, 2, 15);
