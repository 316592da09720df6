// One pass over one autoscaler: what it is given, and how it speaks.

import type { HorizontalPodAutoscaler } from '@keelson/apimachinery/types/autoscaling.v2';
import type { Pod } from '@keelson/apimachinery/types/core.v1';
import type { Informer } from '@keelson/client';
import type { ControllerContext } from '../machinery/controller.ts';
import type { EventRecorder, EventText } from '../machinery/event-recorder.ts';
import type { ResourceMapping } from '../machinery/resource-mapping.ts';
import { horizontalPodAutoscalersResource } from '../machinery/resources.ts';
import { eventTarget } from '../pods/pod-control.ts';
import type { AutoscalerMetrics } from './autoscaler-metrics.ts';
import type { MetricsClient } from './metrics-client.ts';
import type { ScaleHistory } from './normalise.ts';

export interface HorizontalPodAutoscalerOptions {
  /** `--horizontal-pod-autoscaler-sync-period`, in milliseconds. */
  readonly syncPeriodMs?: number | undefined;
  /** The gate HPAConfigurableTolerance. */
  readonly hasTolerances?: boolean;
  /** The gate HPAScaleToZero. */
  readonly hasScaleToZero?: boolean;
}

/** kube-controller-manager's defaults. */
export const defaults = {
  syncPeriodMs: 15_000,
  downscaleStabilizationMs: 300_000,
  tolerance: 0.1,
  cpuInitializationMs: 300_000,
  initialReadinessDelayMs: 30_000,
} as const;

const kind = {
  apiVersion: 'autoscaling/v2',
  kind: 'HorizontalPodAutoscaler',
  resource: horizontalPodAutoscalersResource,
};

export interface Tools {
  readonly context: ControllerContext;
  readonly options: HorizontalPodAutoscalerOptions;
  readonly autoscalers: Informer<HorizontalPodAutoscaler>;
  readonly pods: Informer<Pod>;
  readonly events: EventRecorder;
  readonly mapping: ResourceMapping;
  readonly metrics: MetricsClient;
  readonly measures: AutoscalerMetrics;
  readonly histories: Map<string, ScaleHistory>;
  /** The selector of each autoscaler's target, to see who shares pods. */
  readonly selectors: Map<string, string>;
}

export interface Pass extends Tools {
  readonly autoscaler: HorizontalPodAutoscaler;
  readonly key: string;
  readonly signal: AbortSignal;
}

export function tell({ events, autoscaler }: Pass, text: EventText): void {
  events.record(eventTarget(kind, autoscaler), text);
}
