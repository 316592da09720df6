// `kubectl get horizontalpodautoscalers`, for every version; works on the stored form.

import type {
  HorizontalPodAutoscaler,
  MetricSpec,
  MetricStatus,
  MetricTarget,
  MetricValueStatus,
} from '@keelson/apimachinery/types/autoscaling.v2';
import { age, noneText, unknownText, unsetText } from '../../printing/cells.ts';

/** How many metrics the table shows. */
const shownMax = 2;

export function autoscalerCells(autoscaler: HorizontalPodAutoscaler, nowMs: number): unknown[] {
  const { spec, status } = autoscaler;
  return [
    autoscaler.metadata.name,
    `${spec.scaleTargetRef.kind}/${spec.scaleTargetRef.name}`,
    metricsText(spec.metrics ?? [], status?.currentMetrics ?? []),
    spec.minReplicas === undefined ? unsetText : String(spec.minReplicas),
    spec.maxReplicas,
    status?.currentReplicas ?? 0,
    age(autoscaler, nowMs),
  ];
}

function metricsText(specs: readonly MetricSpec[], statuses: readonly MetricStatus[]): string {
  if (specs.length === 0) return noneText;
  const texts = specs.map((spec, i) => metricText(spec, statuses[i]));
  const shown = texts.slice(0, shownMax).join(', ');
  return texts.length > shownMax ? `${shown} + ${texts.length - shownMax} more...` : shown;
}

function metricText(spec: MetricSpec, status: MetricStatus | undefined): string {
  switch (spec.type) {
    case 'External':
      return valueText(spec.external?.target, status?.external?.current);
    case 'Object':
      return valueText(spec.object?.target, status?.object?.current);
    case 'Pods': {
      const current = status?.pods?.current.averageValue ?? unknownText;
      return `${current}/${spec.pods?.target.averageValue ?? ''}`;
    }
    case 'Resource':
      return resourceText(spec.resource, status?.resource?.current);
    case 'ContainerResource':
      return resourceText(spec.containerResource, status?.containerResource?.current);
    default:
      return '<unknown type>';
  }
}

function valueText(
  target: MetricTarget | undefined,
  current: MetricValueStatus | undefined,
): string {
  if (target?.averageValue !== undefined) {
    return `${current?.averageValue ?? unknownText}/${target.averageValue} (avg)`;
  }
  return `${current?.value ?? unknownText}/${target?.value ?? ''}`;
}

function resourceText(
  spec: { readonly name: string; readonly target: MetricTarget } | undefined,
  current: MetricValueStatus | undefined,
): string {
  const { name = '', target } = spec ?? {};
  if (target?.averageValue !== undefined) {
    return `${name}: ${current?.averageValue ?? unknownText}/${target.averageValue}`;
  }
  const percent = (value: number | undefined, absent: string) =>
    value === undefined ? absent : `${value}%`;
  const now = percent(current?.averageUtilization, unknownText);
  return `${name}: ${now}/${percent(target?.averageUtilization, '<auto>')}`;
}
