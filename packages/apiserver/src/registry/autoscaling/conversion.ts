// HorizontalPodAutoscalers of autoscaling/v1 know one metric, CPU utilization. What v2 has beyond
// that travels in annotations (pkg/apis/autoscaling/v1/conversion.go), so that a client of v1 loses
// nothing.

import type { KubeObject, ObjectMeta } from '@keelson/apimachinery';
import type { HorizontalPodAutoscaler as V1Autoscaler } from '@keelson/apimachinery/types/autoscaling.v1';
import type {
  HorizontalPodAutoscaler,
  HorizontalPodAutoscalerBehavior,
  HPAScalingRules,
  MetricSpec,
  MetricStatus,
} from '@keelson/apimachinery/types/autoscaling.v2';
import { internalValue } from '../internal-form/internal-value.ts';
import { applyAutoscalerDefaults } from './horizontalpodautoscalers/defaults.ts';
import {
  fromV1Metric,
  fromV1Status,
  present,
  toV1Metric,
  toV1Status,
  type V1MetricSpec,
  type V1MetricStatus,
} from './v1-metrics.ts';

const metricsAnnotation = 'autoscaling.alpha.kubernetes.io/metrics';
const statusesAnnotation = 'autoscaling.alpha.kubernetes.io/current-metrics';
const conditionsAnnotation = 'autoscaling.alpha.kubernetes.io/conditions';
const behaviorAnnotation = 'autoscaling.alpha.kubernetes.io/behavior';
const roundTripAnnotations = [
  metricsAnnotation,
  statusesAnnotation,
  conditionsAnnotation,
  behaviorAnnotation,
];

/** Removes the annotations that only conversion may set; replaces the map, never changes it. */
export function dropRoundTripAnnotations(metadata: ObjectMeta): void {
  const entries = Object.entries(metadata.annotations ?? {});
  const kept = entries.filter(([key]) => !roundTripAnnotations.includes(key));
  if (kept.length === entries.length) return;
  if (kept.length > 0) metadata.annotations = Object.fromEntries(kept);
  else delete metadata.annotations;
}

/** The stored form of an object of autoscaling/v1, with defaults. The argument is not changed. */
export function v1ToV2(object: KubeObject): KubeObject {
  const { metadata: given, spec, status } = object as unknown as V1Autoscaler;
  const metadata = { ...given };
  const annotations = given.annotations ?? {};
  dropRoundTripAnnotations(metadata);
  const cpu = spec.targetCPUUtilizationPercentage;
  const metrics = [
    ...readList<V1MetricSpec>(annotations[metricsAnnotation]).map(fromV1Metric),
    ...(cpu === undefined ? [] : [cpuMetric(cpu)]),
  ];
  const usage = status?.currentCPUUtilizationPercentage;
  const storedStatuses = readList<V1MetricStatus>(annotations[statusesAnnotation]);
  const statuses =
    storedStatuses.length > 0
      ? storedStatuses.map(fromV1Status)
      : usage === undefined
        ? []
        : [cpuStatus(usage)];
  const conditions = readList<Record<string, unknown>>(annotations[conditionsAnnotation]);
  const out = {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata,
    spec: present({
      scaleTargetRef: spec.scaleTargetRef,
      minReplicas: spec.minReplicas,
      maxReplicas: spec.maxReplicas,
      metrics: metrics.length > 0 ? metrics : undefined,
      behavior: readBehavior(annotations[behaviorAnnotation]),
    }),
    status: present({
      observedGeneration: status?.observedGeneration,
      lastScaleTime: status?.lastScaleTime,
      currentReplicas: status?.currentReplicas || undefined,
      desiredReplicas: status?.desiredReplicas ?? 0,
      currentMetrics: statuses.length > 0 ? statuses : null,
      conditions: conditions.length > 0 ? conditions : undefined,
    }),
  } as unknown as HorizontalPodAutoscaler;
  applyAutoscalerDefaults(out);
  return out;
}

/** The form of autoscaling/v1. The argument is not changed. */
export function v2ToV1(object: KubeObject): KubeObject {
  const { metadata: given, spec, status } = object as unknown as HorizontalPodAutoscaler;
  const metadata = { ...given };
  dropRoundTripAnnotations(metadata);
  const metrics = spec.metrics ?? [];
  const others = metrics.filter((metric) => cpuUtilization(metric) === undefined);
  const statuses = status?.currentMetrics ?? [];
  const conditions = status?.conditions ?? [];
  const carried = present({
    [metricsAnnotation]: others.length > 0 ? goJson(others.map(toV1Metric)) : undefined,
    [statusesAnnotation]: statuses.length > 0 ? goJson(statuses.map(toV1Status)) : undefined,
    [behaviorAnnotation]: spec.behavior
      ? goJson(internalValue(behaviorType, spec.behavior))
      : undefined,
    [conditionsAnnotation]: conditions.length > 0 ? goJson(conditions) : undefined,
  }) as Record<string, string>;
  if (Object.keys(carried).length > 0) {
    metadata.annotations = { ...metadata.annotations, ...carried };
  }
  return {
    apiVersion: 'autoscaling/v1',
    kind: 'HorizontalPodAutoscaler',
    metadata,
    spec: present({
      scaleTargetRef: spec.scaleTargetRef,
      minReplicas: spec.minReplicas,
      maxReplicas: spec.maxReplicas,
      targetCPUUtilizationPercentage: metrics.map(cpuUtilization).find((v) => v !== undefined),
    }),
    status: present({
      observedGeneration: status?.observedGeneration,
      lastScaleTime: status?.lastScaleTime,
      currentReplicas: status?.currentReplicas ?? 0,
      desiredReplicas: status?.desiredReplicas ?? 0,
      currentCPUUtilizationPercentage: statuses.map(cpuUsage).find((v) => v !== undefined),
    }),
  };
}

const behaviorType = 'io.k8s.api.autoscaling.v2.HorizontalPodAutoscalerBehavior';

function cpuMetric(averageUtilization: number): MetricSpec {
  const target = { type: 'Utilization', averageUtilization };
  return { type: 'Resource', resource: { name: 'cpu', target } };
}

function cpuStatus(averageUtilization: number): MetricStatus {
  return { type: 'Resource', resource: { name: 'cpu', current: { averageUtilization } } };
}

function cpuUtilization({ type, resource }: MetricSpec): number | undefined {
  if (type !== 'Resource' || resource?.name !== 'cpu') return undefined;
  return resource.target.averageUtilization;
}

function cpuUsage({ type, resource }: MetricStatus): number | undefined {
  if (type !== 'Resource' || resource?.name !== 'cpu') return undefined;
  return resource.current.averageUtilization;
}

/** An annotation that somebody else wrote may hold anything; what is no list counts as none. */
function readList<T>(text: string | undefined): T[] {
  const value = readJson(text);
  return Array.isArray(value) && value.every((item) => typeof item === 'object' && item !== null)
    ? (value as T[])
    : [];
}

function readJson(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

type InternalRules = Readonly<Record<string, unknown>> & {
  readonly Policies?: readonly Readonly<Record<string, unknown>>[] | null;
};

/** COMPAT: the behavior is written with Go's field names. */
function readBehavior(text: string | undefined): HorizontalPodAutoscalerBehavior | undefined {
  const value = readJson(text);
  if (typeof value !== 'object' || value === null) return undefined;
  const { ScaleUp, ScaleDown } = value as Record<string, InternalRules | null | undefined>;
  return present({ scaleUp: readRules(ScaleUp), scaleDown: readRules(ScaleDown) });
}

function readRules(rules: InternalRules | null | undefined): HPAScalingRules | undefined {
  if (!rules) return undefined;
  const policies = rules.Policies?.map((policy) => ({
    type: policy['Type'],
    value: policy['Value'],
    periodSeconds: policy['PeriodSeconds'],
  }));
  return present({
    stabilizationWindowSeconds: rules['StabilizationWindowSeconds'] ?? undefined,
    selectPolicy: rules['SelectPolicy'] ?? undefined,
    policies,
    tolerance: rules['Tolerance'] ?? undefined,
  }) as HPAScalingRules;
}

/** Go's encoder escapes these so that JSON may stand in HTML. */
function goJson(value: unknown): string {
  return JSON.stringify(value, (_key, v: unknown) =>
    typeof v === 'bigint' ? JSON.rawJSON(v.toString()) : v,
  ).replace(/[<>&]/g, (ch) => `\\u00${ch.charCodeAt(0).toString(16)}`);
}
