// Defaults of HorizontalPodAutoscalers (autoscaling/v2).

import type {
  HorizontalPodAutoscaler,
  HPAScalingRules,
} from '@keelson/apimachinery/types/autoscaling.v2';

const cpuUtilizationDefault = 80;

export function applyAutoscalerDefaults({ spec }: HorizontalPodAutoscaler): void {
  spec.minReplicas ??= 1;
  if (!spec.metrics?.length) {
    const target = { type: 'Utilization', averageUtilization: cpuUtilizationDefault };
    spec.metrics = [{ type: 'Resource', resource: { name: 'cpu', target } }];
  }
  if (!spec.behavior) return;
  spec.behavior.scaleUp = withDefaults(spec.behavior.scaleUp, {
    stabilizationWindowSeconds: 0,
    selectPolicy: 'Max',
    policies: [
      { type: 'Pods', value: 4, periodSeconds: 15 },
      { type: 'Percent', value: 100, periodSeconds: 15 },
    ],
  });
  spec.behavior.scaleDown = withDefaults(spec.behavior.scaleDown, {
    selectPolicy: 'Max',
    policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }],
  });
}

/** Fields that are set win. */
function withDefaults(
  rules: HPAScalingRules | undefined,
  defaults: HPAScalingRules,
): HPAScalingRules {
  return { ...defaults, ...rules };
}
