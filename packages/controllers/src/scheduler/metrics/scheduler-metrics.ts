// The metrics of kube-scheduler: names, types, labels and help are Kubernetes'. Where a plugin's
// `preFilter` and `filter`, or `preScore` and `score`, are one step here, the step has the name of the
// one that costs: what depends on the pod is PreFilter, what is asked of nodes is Filter and Score.

import type { Clock } from '@keelson/apimachinery';
import { exponentialBuckets, type MetricsRegistry } from '../../machinery/controller-metrics.ts';

export type AttemptResult = 'scheduled' | 'unschedulable' | 'error';
export type TimedPoint =
  | 'PreFilter'
  | 'Filter'
  | 'PostFilter'
  | 'Score'
  | 'Reserve'
  | 'PreBind'
  | 'Bind';
export type PointStatus = 'Success' | 'Unschedulable' | 'Error';

export interface ScheduledPod {
  readonly attempts: number;
  /** Since it came into the queue. */
  readonly waitedMs: number;
}

/** What is read when somebody asks for the metrics. */
export interface SchedulerState {
  pendingPods(): Readonly<Record<'active' | 'backoff' | 'unschedulable' | 'gated', number>>;
  /** Pods that wait, by plugin and profile. */
  unschedulablePods(): readonly { plugin: string; profile: string; count: number }[];
  cacheSize(): Readonly<Record<'nodes' | 'pods' | 'assumed_pods', number>>;
}

export interface SchedulerMetrics {
  /** Milliseconds of a clock that never goes back. */
  now(): number;
  attempt(result: AttemptResult, profile: string, tookMs: number): void;
  algorithm(tookMs: number): void;
  scheduled(pod: ScheduledPod): void;
  point(point: TimedPoint, status: PointStatus, profile: string, tookMs: number): void;
  plugin(plugin: string, point: TimedPoint, status: PointStatus, tookMs: number): void;
  /** One evaluation of a plugin. */
  evaluated(plugin: string, point: TimedPoint, profile: string): void;
  preemptionAttempt(): void;
  preemptionVictims(count: number): void;
  incoming(queue: string, event: string): void;
  /** A claim for extended resources. */
  claimCreated(status: 'success' | 'failure'): void;
  /** From now on it is this scheduler's; there may have been one before, whose lease was lost. */
  follow(state: SchedulerState): void;
}

/** As kube-scheduler labels them: more attempts are one label. */
const attemptsMax = 15;

export function createSchedulerMetrics(
  registry: MetricsRegistry,
  clock: Pick<Clock, 'monotonic'>,
): SchedulerMetrics {
  return {
    now: () => clock.monotonic(),
    ...attemptMetrics(registry),
    ...pluginMetrics(registry),
    ...queueMetrics(registry),
  };
}

function attemptMetrics(registry: MetricsRegistry) {
  const attempts = registry.counter(
    'scheduler_schedule_attempts_total',
    "Number of attempts to schedule pods, by the result. 'unschedulable' means a pod could not be scheduled, while 'error' means an internal scheduler problem.",
  );
  const duration = registry.histogram(
    'scheduler_scheduling_attempt_duration_seconds',
    'Scheduling attempt latency in seconds (scheduling algorithm + binding)',
    exponentialBuckets(0.001, 2, 15),
  );
  const algorithmDuration = registry.histogram(
    'scheduler_scheduling_algorithm_duration_seconds',
    'Scheduling algorithm latency in seconds',
    exponentialBuckets(0.001, 2, 15),
  );
  const sli = registry.histogram(
    'scheduler_pod_scheduling_sli_duration_seconds',
    'E2e latency for a pod being scheduled, from the time the pod enters the scheduling queue and might involve multiple scheduling attempts.',
    exponentialBuckets(0.01, 2, 20),
  );
  const podAttempts = registry.histogram(
    'scheduler_pod_scheduling_attempts',
    'Number of attempts to successfully schedule a pod.',
    exponentialBuckets(1, 2, 5),
  );
  return {
    attempt(result: AttemptResult, profile: string, tookMs: number) {
      attempts.add({ profile, result });
      duration.observe({ profile, result }, tookMs / 1_000);
    },
    algorithm: (tookMs: number) => algorithmDuration.observe({}, tookMs / 1_000),
    scheduled({ attempts: count, waitedMs }: ScheduledPod) {
      const label = count > attemptsMax ? `${attemptsMax + 1}+` : String(count);
      sli.observe({ attempts: label }, waitedMs / 1_000);
      podAttempts.observe({}, count);
    },
  };
}

function pluginMetrics(registry: MetricsRegistry) {
  const points = registry.histogram(
    'scheduler_framework_extension_point_duration_seconds',
    'Latency for running all plugins of a specific extension point.',
    exponentialBuckets(0.0001, 2, 12),
  );
  const plugins = registry.histogram(
    'scheduler_plugin_execution_duration_seconds',
    'Duration for running a plugin at a specific extension point.',
    exponentialBuckets(0.00001, 1.5, 20),
  );
  const evaluations = registry.counter(
    'scheduler_plugin_evaluation_total',
    'Number of attempts to schedule pods by each plugin and the extension point (available only in PreFilter, Filter, PreScore, and Score).',
  );
  const preemptionAttempts = registry.counter(
    'scheduler_preemption_attempts_total',
    'Total preemption attempts in the cluster till now',
  );
  const victimCounts = registry.histogram(
    'scheduler_preemption_victims',
    'Number of selected preemption victims',
    exponentialBuckets(1, 2, 7),
  );
  return {
    point(point: TimedPoint, status: PointStatus, profile: string, tookMs: number) {
      points.observe({ extension_point: point, profile, status }, tookMs / 1_000);
    },
    plugin(plugin: string, point: TimedPoint, status: PointStatus, tookMs: number) {
      plugins.observe({ extension_point: point, plugin, status }, tookMs / 1_000);
    },
    evaluated: (plugin: string, point: TimedPoint, profile: string) =>
      evaluations.add({ extension_point: point, plugin, profile }),
    preemptionAttempt: () => preemptionAttempts.add({}),
    preemptionVictims: (count: number) => victimCounts.observe({}, count),
  };
}

function queueMetrics(registry: MetricsRegistry) {
  const incoming = registry.counter(
    'scheduler_queue_incoming_pods_total',
    'Number of pods added to scheduling queues by event and queue type.',
  );
  const pending = registry.gauge(
    'scheduler_pending_pods',
    "Number of pending pods, by the queue type. 'active' means number of pods in activeQ; 'backoff' means number of pods in backoffQ; 'unschedulable' means number of pods in unschedulablePods that the scheduler attempted to schedule and failed; 'gated' is the number of unschedulable pods that the scheduler never attempted to schedule because they are gated.",
  );
  const unschedulable = registry.gauge(
    'scheduler_unschedulable_pods',
    'The number of unschedulable pods broken down by plugin name. A pod will increment the gauge for all plugins that caused it to not schedule and so this metric have meaning only when broken down by plugin.',
  );
  const cache = registry.gauge(
    'scheduler_cache_size',
    'Number of nodes, pods, and assumed (bound) pods in the scheduler cache.',
  );
  const claims = registry.counter(
    'scheduler_resourceclaim_creates_total',
    'Number of ResourceClaims creation requests within scheduler',
  );
  let current: SchedulerState | undefined;
  pending.collect(() =>
    Object.entries(current?.pendingPods() ?? {}).map(([queue, count]) => [{ queue }, count]),
  );
  unschedulable.collect(() =>
    (current?.unschedulablePods() ?? []).map(({ plugin, profile, count }) => [
      { plugin, profile },
      count,
    ]),
  );
  cache.collect(() =>
    Object.entries(current?.cacheSize() ?? {}).map(([type, count]) => [{ type }, count]),
  );
  return {
    incoming: (queue: string, event: string) => incoming.add({ event, queue }),
    claimCreated: (status: 'success' | 'failure') => claims.add({ status }),
    follow: (state: SchedulerState) => void (current = state),
  };
}

/** Nothing is measured. */
export const noSchedulerMetrics: SchedulerMetrics = {
  now: () => 0,
  attempt: () => {},
  algorithm: () => {},
  scheduled: () => {},
  point: () => {},
  plugin: () => {},
  evaluated: () => {},
  preemptionAttempt: () => {},
  preemptionVictims: () => {},
  incoming: () => {},
  claimCreated: () => {},
  follow: () => {},
};
