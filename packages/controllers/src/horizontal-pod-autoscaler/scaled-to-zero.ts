// Targets without replicas (KEP-2021, gate HPAScaleToZero). Nothing is measured of pods that are not
// there, so a target that somebody else has set to zero is left alone. One that its autoscaler set
// to zero says so in a condition, and comes back by metrics of other things.

import { isConditionTrue } from '@keelson/apimachinery';
import type {
  HorizontalPodAutoscaler,
  HorizontalPodAutoscalerCondition,
} from '@keelson/apimachinery/types/autoscaling.v2';
import type { ConditionText } from './normalise.ts';

const type = 'ScaledToZero';

/** Whether the autoscaler has nothing to say of a target with no replicas. */
export function isDisabledAtZero(
  { spec, status }: HorizontalPodAutoscaler,
  hasScaleToZero: boolean,
): boolean {
  const { minReplicas = 1 } = spec;
  if (!hasScaleToZero) return minReplicas !== 0;
  if (!isConditionTrue(status?.conditions, type)) return true;
  return minReplicas === 0 && !measuresOtherThings(spec);
}

/** After a change of the number of replicas. */
export function scaledToZero(
  { spec }: HorizontalPodAutoscaler,
  { from, to }: { readonly from: number; readonly to: number },
): ConditionText {
  const { minReplicas = 1 } = spec;
  const isZero = from > 0 && to === 0 && minReplicas === 0 && measuresOtherThings(spec);
  return isZero
    ? {
        type,
        status: 'True',
        reason: 'ScaledToZero',
        message: 'the HPA controller scaled the workload to zero',
      }
    : {
        type,
        status: 'False',
        reason: 'NotScaledToZero',
        message: 'the HPA controller did not scale the workload to zero',
      };
}

/** Without the gate nothing keeps the condition true. */
export function withoutScaledToZero(
  conditions: readonly HorizontalPodAutoscalerCondition[],
): readonly HorizontalPodAutoscalerCondition[] {
  return conditions.filter((condition) => condition.type !== type);
}

function measuresOtherThings({ metrics = [] }: HorizontalPodAutoscaler['spec']): boolean {
  return metrics.some((metric) => metric.type === 'Object' || metric.type === 'External');
}
