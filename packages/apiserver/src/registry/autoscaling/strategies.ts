// The strategies of the autoscaling group. Objects of v1 are converted to the stored v2 before
// anything but their own defaults looks at them.

import type { HorizontalPodAutoscaler } from '@keelson/apimachinery/types/autoscaling.v1';
import type { Strategy } from '../strategy.ts';
import { horizontalPodAutoscalerStrategy } from './horizontalpodautoscalers/strategy.ts';

const v1Strategy: Strategy<HorizontalPodAutoscaler> = {
  // The default metric follows in conversion, because it depends on the annotations.
  applyDefaults({ spec }) {
    spec.minReplicas ??= 1;
  },
};

export const autoscalingStrategies: Readonly<Record<string, Strategy>> = {
  horizontalpodautoscalers: horizontalPodAutoscalerStrategy,
  'v1/horizontalpodautoscalers': v1Strategy,
};
