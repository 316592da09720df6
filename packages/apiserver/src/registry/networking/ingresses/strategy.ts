// Ingresses.

import type { Ingress } from '@keelson/apimachinery/types/networking.k8s.io.v1';
import { advanceGeneration, startGeneration } from '../../generation.ts';
import type { Strategy, SubresourceStrategy } from '../../strategy.ts';
import { isSemanticallyEqual } from '../../validation/equality.ts';
import { ingressCells } from './table.ts';
import {
  classAnnotation,
  validateIngress,
  validateIngressStatus,
  validateNewIngress,
} from './validation.ts';

const status: SubresourceStrategy<Ingress> = {
  prepareForUpdate(ingress, old) {
    if (old.spec) ingress.spec = old.spec;
  },
  validateUpdate: (ingress, old, { features }) => validateIngressStatus(ingress, old, features),
  resetFields: [['spec']],
};

export const ingressStrategy: Strategy<Ingress> = {
  prepareForCreate(ingress) {
    startGeneration(ingress);
    ingress.status = { loadBalancer: {} };
  },
  prepareForUpdate(ingress, old) {
    if (old.status) ingress.status = old.status;
    advanceGeneration(ingress, old, !isSemanticallyEqual(ingress.spec, old.spec));
  },
  validate: validateNewIngress,
  warningsOnCreate: ({ metadata }) =>
    metadata.annotations?.[classAnnotation] === undefined
      ? []
      : [
          `annotation "${classAnnotation}" is deprecated, please use 'spec.ingressClassName' instead`,
        ],
  validateUpdate: validateIngress,
  tableCells: ingressCells,
  resetFields: [['status']],
  subresources: { status },
};
