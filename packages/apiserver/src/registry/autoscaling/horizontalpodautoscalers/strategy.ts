// HorizontalPodAutoscalers, stored as autoscaling/v2.

import type { HorizontalPodAutoscaler } from '@keelson/apimachinery/types/autoscaling.v2';
import type { Strategy, SubresourceStrategy } from '../../strategy.ts';
import { dropRoundTripAnnotations } from '../conversion.ts';
import { applyAutoscalerDefaults } from './defaults.ts';
import { autoscalerCells } from './table.ts';
import { validateAutoscaler, validateAutoscalerStatus } from './validation.ts';

const status: SubresourceStrategy<HorizontalPodAutoscaler> = {
  prepareForUpdate(autoscaler, old) {
    autoscaler.spec = old.spec;
  },
  validateUpdate: validateAutoscalerStatus,
  resetFields: [['spec']],
};

export const horizontalPodAutoscalerStrategy: Strategy<HorizontalPodAutoscaler> = {
  applyDefaults: applyAutoscalerDefaults,
  prepareForCreate(autoscaler) {
    dropRoundTripAnnotations(autoscaler.metadata);
    autoscaler.status = { desiredReplicas: 0, currentMetrics: null };
  },
  prepareForUpdate(autoscaler, old) {
    dropRoundTripAnnotations(autoscaler.metadata);
    if (old.status) autoscaler.status = old.status;
  },
  validate: (autoscaler, { features }) => validateAutoscaler(autoscaler, undefined, features),
  validateUpdate: (autoscaler, old, { features }) => validateAutoscaler(autoscaler, old, features),
  tableCells: autoscalerCells,
  resetFields: [['status']],
  subresources: { status },
};
