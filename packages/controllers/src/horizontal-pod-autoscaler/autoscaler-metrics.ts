// What kube-controller-manager measures of autoscaling: reconciliations and computations of single
// metrics, by what came of them, and how many replicas each autoscaler wants.

import type {
  HorizontalPodAutoscaler,
  MetricSpec,
} from '@keelson/apimachinery/types/autoscaling.v2';
import type { Informer } from '@keelson/client';
import { durationBuckets, type ControllerMetrics } from '../machinery/controller-metrics.ts';

export interface Measured {
  readonly action: 'scale_up' | 'scale_down' | 'none';
  /** `spec`: the autoscaler asks for what nobody can compute. */
  readonly error: 'spec' | 'internal' | 'none';
}

export interface AutoscalerMetrics {
  reconciled(measured: Measured, seconds: number): void;
  computed(metric: MetricSpec, measured: Measured, seconds: number): void;
}

export function actionOf(from: number, to: number): Measured['action'] {
  if (to === from) return 'none';
  return to > from ? 'scale_up' : 'scale_down';
}

const named = (name: string) => `horizontal_pod_autoscaler_controller_${name}`;
const actionLabel = "The label 'action' should be either 'scale_down', 'scale_up', or 'none'.";
const errorLabel = "the label 'error' should be either 'spec', 'internal', or 'none'.";
const both =
  'Note that if both spec and internal errors happen during a reconciliation, the first one to occur is reported in `error` label.';
const typeLabel = "The label 'metric_type' corresponds to HPA.spec.metrics[*].type";

export function createAutoscalerMetrics(metrics: ControllerMetrics): AutoscalerMetrics {
  const reconciliations = metrics.counter(
    named('reconciliations_total'),
    `[ALPHA] Number of reconciliations of HPA controller. ${actionLabel} Also, ${errorLabel} ${both}`,
  );
  const reconciliationSeconds = metrics.histogram(
    named('reconciliation_duration_seconds'),
    `[ALPHA] The time(seconds) that the HPA controller takes to reconcile once. ${actionLabel} Also, ${errorLabel} ${both}`,
    durationBuckets,
  );
  const computations = metrics.counter(
    named('metric_computation_total'),
    `[ALPHA] Number of metric computations. ${actionLabel} Also, ${errorLabel} ${typeLabel}`,
  );
  const computationSeconds = metrics.histogram(
    named('metric_computation_duration_seconds'),
    `[ALPHA] The time(seconds) that the HPA controller takes to calculate one metric. ${actionLabel} T${errorLabel.slice(1)} ${typeLabel}`,
    durationBuckets,
  );
  return {
    reconciled({ action, error }, seconds) {
      reconciliations.add({ action, error });
      reconciliationSeconds.observe({ action, error }, seconds);
    },
    computed({ type }, { action, error }, seconds) {
      const labels = { action, error, metric_type: type };
      computations.add(labels);
      computationSeconds.observe(labels, seconds);
    },
  };
}

/** Returns what ends it. */
export function countAutoscalers(
  metrics: ControllerMetrics,
  autoscalers: Pick<Informer<HorizontalPodAutoscaler>, 'store'>,
): readonly (() => void)[] {
  return [
    metrics.counted(
      named('num_horizontal_pod_autoscalers'),
      '[ALPHA] Current number of controlled HPA objects.',
      () => [[{}, autoscalers.store.list().length]],
    ),
    metrics.counted(
      named('desired_replicas'),
      '[ALPHA] Current desired replica count for HPA objects.',
      () =>
        autoscalers.store.list().flatMap(({ metadata, status }) => {
          const { name: hpa_name = '', namespace = '' } = metadata;
          const { desiredReplicas } = status ?? {};
          return desiredReplicas === undefined
            ? []
            : [[{ hpa_name, namespace }, desiredReplicas] as const];
        }),
    ),
  ];
}
