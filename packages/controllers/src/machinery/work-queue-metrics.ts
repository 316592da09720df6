// How queues of controllers fare, as client-go measures them: `workqueue_*` by the queue's name.

import type { Clock } from '@keelson/apimachinery';
import { exponentialBuckets, type MetricsRegistry } from './controller-metrics.ts';

/** Told by a queue what happens to its keys. */
export interface WorkQueueMeter {
  /** The key begins to wait. */
  added(key: unknown): void;
  /** Work on it begins. */
  taken(key: unknown): void;
  done(key: unknown): void;
  /** It is to come again, later. */
  retried(): void;
  /** The queue is no more. */
  close(): void;
}

/** COMPAT: computed by multiplying, so some bounds are what binary fractions make of them. */
const buckets = exponentialBuckets(10e-9, 10, 10);

interface LiveQueue {
  readonly name: string;
  readonly waitingSince: Map<unknown, number>;
  readonly workedOnSince: Map<unknown, number>;
}

export function createWorkQueueMetrics(
  registry: MetricsRegistry,
  clock: Clock,
): (name: string) => WorkQueueMeter {
  const names = new Set<string>();
  const live = new Set<LiveQueue>();
  const secondsSince = (startMs: number) => (clock.monotonic() - startMs) / 1000;
  const { adds, waits, retries, works } = registerFamilies(registry, secondsSince, (of, sum) =>
    [...names].map((name) => {
      const values = [...live].filter((one) => one.name === name).map(of);
      return [{ name }, values.reduce(sum, 0)] as const;
    }),
  );
  return (name) => {
    names.add(name);
    const labels = { name };
    const queue: LiveQueue = { name, waitingSince: new Map(), workedOnSince: new Map() };
    const { waitingSince, workedOnSince } = queue;
    live.add(queue);
    return {
      added(key) {
        if (waitingSince.has(key)) return;
        waitingSince.set(key, clock.monotonic());
        adds.add(labels);
      },
      taken(key) {
        const since = waitingSince.get(key);
        if (since !== undefined) waits.observe(labels, secondsSince(since));
        waitingSince.delete(key);
        workedOnSince.set(key, clock.monotonic());
      },
      done(key) {
        const since = workedOnSince.get(key);
        if (since !== undefined) works.observe(labels, secondsSince(since));
        workedOnSince.delete(key);
      },
      retried: () => retries.add(labels),
      close: () => void live.delete(queue),
    };
  };
}

type Sum = (a: number, b: number) => number;
const add: Sum = (a, b) => a + b;

/** What the queues of each name come to now. */
type ByName = (
  of: (queue: LiveQueue) => number,
  sum: Sum,
) => readonly (readonly [{ readonly name: string }, number])[];

function registerFamilies(
  registry: MetricsRegistry,
  secondsSince: (startMs: number) => number,
  byName: ByName,
) {
  const gauge = (name: string, help: string, read: () => ReturnType<ByName>) =>
    registry.gauge(`workqueue_${name}`, `[BETA] ${help}`).collect(read);
  const counter = (name: string, help: string) =>
    registry.counter(`workqueue_${name}`, `[BETA] ${help}`);
  const histogram = (name: string, help: string) =>
    registry.histogram(`workqueue_${name}`, `[BETA] ${help}`, buckets);
  const secondsOfWork = ({ workedOnSince }: LiveQueue) =>
    [...workedOnSince.values()].map(secondsSince);
  gauge('depth', 'Current depth of workqueue', () =>
    byName(({ waitingSince }) => waitingSince.size, add),
  );
  gauge(
    'longest_running_processor_seconds',
    'How many seconds has the longest running processor for workqueue been running.',
    () => byName((queue) => Math.max(0, ...secondsOfWork(queue)), Math.max),
  );
  gauge(
    'unfinished_work_seconds',
    "How many seconds of work has done that is in progress and hasn't been observed by work_duration. Large values indicate stuck threads. One can deduce the number of stuck threads by observing the rate at which this increases.",
    () => byName((queue) => secondsOfWork(queue).reduce(add, 0), add),
  );
  return {
    adds: counter('adds_total', 'Total number of adds handled by workqueue'),
    retries: counter('retries_total', 'Total number of retries handled by workqueue'),
    waits: histogram(
      'queue_duration_seconds',
      'How long in seconds an item stays in workqueue before being requested.',
    ),
    works: histogram(
      'work_duration_seconds',
      'How long in seconds processing an item from workqueue takes.',
    ),
  };
}
