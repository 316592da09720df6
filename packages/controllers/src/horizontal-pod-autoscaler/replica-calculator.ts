// From measurements to a number of replicas; numbers only, nothing is read or written here. Usage,
// requests and targets are in thousandths of their unit. Pods that say nothing are counted against
// the direction of the change: nothing is measured more carefully than the way there.

import { findCondition } from '@keelson/apimachinery';
import type { Pod } from '@keelson/apimachinery/types/core.v1';

/** How far off the target usage may be, as a share of it, before something is done. */
export interface Tolerances {
  readonly up: number;
  readonly down: number;
}
export interface Sample {
  readonly value: number;
  /** Milliseconds since 1970, the end of the window. */
  readonly at: number;
  readonly windowMs: number;
}
export type Samples = ReadonlyMap<string, Sample>;

export class MetricError extends Error {}

export interface Proposal {
  readonly replicas: number;
  /** Per pod; what the status shows. */
  readonly average: number;
  /** Percent of the requests, where that is the target. */
  readonly utilization?: number;
}

export interface PodMetrics {
  readonly pods: readonly Pod[];
  readonly samples: Samples;
  readonly currentReplicas: number;
  readonly tolerances: Tolerances;
  readonly readiness: ReadinessRule;
}
export interface ReadinessRule {
  readonly now: number;
  /** Only processor time is unusual while a pod starts. */
  readonly isCpu: boolean;
  readonly cpuInitializationMs: number;
  readonly initialReadinessDelayMs: number;
}

/** By the share of what pods request; requests are by name of the pod. Throws MetricError. */
export function replicasByUtilization(
  metrics: PodMetrics,
  requests: ReadonlyMap<string, number>,
  targetPercent: number,
): Proposal {
  const measure = (values: ReadonlyMap<string, number>) => {
    const counted = [...values].filter(([name]) => requests.has(name));
    const requested = sum(counted.map(([name]) => requests.get(name) ?? 0));
    if (requested === 0) throw new MetricError('no metrics returned matched known pods');
    const used = sum(counted.map(([, value]) => value));
    const utilization = Math.trunc((used * 100) / requested);
    const average = Math.trunc(used / counted.length);
    return { ratio: utilization / targetPercent, average, utilization };
  };
  const missing = (name: string) =>
    ((requests.get(name) ?? 0) * Math.max(100, targetPercent)) / 100;
  return propose(metrics, measure, missing);
}

/** By the average of the pods. Throws MetricError. */
export function replicasByAverage(metrics: PodMetrics, target: number): Proposal {
  const measure = (values: ReadonlyMap<string, number>) => {
    const average = Math.trunc(sum([...values.values()]) / values.size);
    return { ratio: average / target, average };
  };
  return propose(metrics, measure, () => target);
}

interface Measured {
  readonly ratio: number;
  readonly average: number;
  readonly utilization?: number;
}

function propose(
  metrics: PodMetrics,
  measure: (values: ReadonlyMap<string, number>) => Measured,
  /** What a pod that says nothing is taken to use when there are too many. */
  missingUse: (name: string) => number,
): Proposal {
  const { pods, samples, currentReplicas, tolerances } = metrics;
  if (pods.length === 0)
    throw new MetricError('no pods returned by selector while calculating replica count');
  const { ready, unready, missing } = groupPods(metrics);
  const values = new Map(ready.map((name) => [name, samples.get(name)?.value ?? 0]));
  if (values.size === 0)
    throw new MetricError('did not receive metrics for targeted pods (pods might be unready)');
  const { ratio, ...shown } = measure(values);
  const stays = { replicas: currentReplicas, ...shown };
  const countsUnready = unready.length > 0 && ratio > 1;
  if (!countsUnready && missing.length === 0)
    return isTolerated(ratio, tolerances)
      ? stays
      : { replicas: Math.ceil(ratio * values.size), ...shown };
  for (const name of missing) {
    if (ratio < 1) values.set(name, missingUse(name));
    else if (ratio > 1) values.set(name, 0);
  }
  if (countsUnready) for (const name of unready) values.set(name, 0);
  const next = measure(values).ratio;
  const turns = (ratio < 1 && next > 1) || (ratio > 1 && next < 1);
  if (turns || isTolerated(next, tolerances)) return stays;
  const replicas = Math.ceil(next * values.size);
  const contradicts =
    (next < 1 && replicas > currentReplicas) || (next > 1 && replicas < currentReplicas);
  return contradicts ? stays : { replicas, ...shown };
}

export function isTolerated(ratio: number, { up, down }: Tolerances): boolean {
  return 1 - down <= ratio && ratio <= 1 + up;
}

interface PodGroups {
  readonly ready: readonly string[];
  readonly unready: readonly string[];
  readonly missing: readonly string[];
}

function groupPods({ pods, samples, readiness }: PodMetrics): PodGroups {
  const groups = { ready: [] as string[], unready: [] as string[], missing: [] as string[] };
  for (const pod of pods) {
    const { name = '', deletionTimestamp } = pod.metadata;
    if (deletionTimestamp !== undefined || pod.status?.phase === 'Failed') continue;
    const sample = samples.get(name);
    if (pod.status?.phase === 'Pending') groups.unready.push(name);
    else if (sample === undefined) groups.missing.push(name);
    else if (readiness.isCpu && isStarting(pod, sample, readiness)) groups.unready.push(name);
    else groups.ready.push(name);
  }
  return groups;
}

function isStarting(
  { status }: Pod,
  sample: Sample,
  { now, cpuInitializationMs, initialReadinessDelayMs }: ReadinessRule,
): boolean {
  const ready = findCondition(status?.conditions, 'Ready');
  const startedAt = Date.parse(status?.startTime ?? '');
  if (ready === undefined || Number.isNaN(startedAt)) return true;
  const changedAt = Date.parse(ready.lastTransitionTime ?? '') || 0;
  if (now < startedAt + cpuInitializationMs)
    return ready.status === 'False' || sample.at < changedAt + sample.windowMs;
  return ready.status === 'False' && startedAt + initialReadinessDelayMs > changedAt;
}

/** Of one number for all pods, and a target for that number. */
export function replicasByValue(
  ratio: number,
  currentReplicas: number,
  { readyPods, tolerances }: { readonly readyPods: number; readonly tolerances: Tolerances },
): number {
  if (isTolerated(ratio, tolerances) && currentReplicas !== 0) return currentReplicas;
  const replicas = currentReplicas === 0 ? Math.ceil(ratio) : Math.ceil(ratio * readyPods);
  return Math.min(replicas, replicasMax);
}

/** Of one number for all pods, and a target for the share of each. */
export function replicasByShare(
  usage: number,
  target: number,
  { replicas, tolerances }: { readonly replicas: number; readonly tolerances: Tolerances },
): number {
  if (replicas > 0 && isTolerated(usage / (target * replicas), tolerances)) return replicas;
  return Math.min(Math.ceil(usage / target), replicasMax);
}

/** What fits into the field. */
const replicasMax = 2 ** 31 - 1;

const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
