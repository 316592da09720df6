// PodDisruptionBudgets. Evictions count against the status, which the disruption controller keeps.

import { fieldError, type FieldError } from '@keelson/apimachinery';
import type { PodDisruptionBudget } from '@keelson/apimachinery/types/policy.v1';
import { advanceGeneration, startGeneration } from '../../generation.ts';
import { internalValue } from '../../internal-form/internal-value.ts';
import { age } from '../../printing/cells.ts';
import type { Strategy, SubresourceStrategy } from '../../strategy.ts';
import { nonNegative, oneOf } from '../../validation/checks.ts';
import { conditions } from '../../validation/conditions.ts';
import { isSemanticallyEqual } from '../../validation/equality.ts';
import { atMost100Percent, nonNegativeIntOrPercent } from '../../validation/int-or-percent.ts';
import { labelSelector } from '../../validation/labels.ts';
import { pathSegmentName } from '../../validation/names.ts';

const evictionPolicies = ['AlwaysAllow', 'IfHealthyBudget'];

const status: SubresourceStrategy<PodDisruptionBudget> = {
  prepareForUpdate(budget, old) {
    if (old.spec) budget.spec = old.spec;
  },
  validateUpdate: validateStatus,
  resetFields: [['spec']],
};

export const podDisruptionBudgetStrategy: Strategy<PodDisruptionBudget> = {
  prepareForCreate(budget) {
    startGeneration(budget);
    budget.status = {
      disruptionsAllowed: 0,
      currentHealthy: 0,
      desiredHealthy: 0,
      expectedPods: 0,
    };
  },
  prepareForUpdate(budget, old) {
    if (old.status) budget.status = old.status;
    advanceGeneration(budget, old, !isSemanticallyEqual(budget.spec, old.spec));
  },
  validate: validateBudget,
  validateUpdate: validateBudget,
  allowUnconditionalUpdate: false,
  nameRule: pathSegmentName,
  allowsBareFinalizers: true,
  tableCells: (budget, nowMs) => [
    budget.metadata.name,
    boundText(budget.spec?.minAvailable),
    boundText(budget.spec?.maxUnavailable),
    budget.status?.disruptionsAllowed ?? 0,
    age(budget, nowMs),
  ],
  resetFields: [['status']],
  subresources: { status },
};

function boundText(bound: number | string | undefined): string {
  return bound === undefined ? 'N/A' : String(bound);
}

function validateBudget({ spec }: PodDisruptionBudget): FieldError[] {
  const errors: FieldError[] = [];
  if (!spec) return errors;
  if (spec.minAvailable !== undefined && spec.maxUnavailable !== undefined) {
    const shown = internalValue('io.k8s.api.policy.v1.PodDisruptionBudgetSpec', spec);
    const why = 'minAvailable and maxUnavailable cannot be both set';
    errors.push(fieldError.invalid('spec', shown, why));
  }
  for (const field of ['minAvailable', 'maxUnavailable'] as const) {
    const bound = spec[field];
    if (bound === undefined) continue;
    nonNegativeIntOrPercent(errors, `spec.${field}`, bound);
    atMost100Percent(errors, `spec.${field}`, bound);
  }
  labelSelector(errors, 'spec.selector', spec.selector);
  if (spec.unhealthyPodEvictionPolicy !== undefined) {
    const path = 'spec.unhealthyPodEvictionPolicy';
    oneOf(errors, path, spec.unhealthyPodEvictionPolicy, evictionPolicies);
  }
  return errors;
}

function validateStatus({ status: now }: PodDisruptionBudget): FieldError[] {
  const errors: FieldError[] = [];
  if (!now) return errors;
  conditions(errors, 'status.conditions', now.conditions);
  nonNegative(errors, 'status.disruptionsAllowed', now.disruptionsAllowed);
  nonNegative(errors, 'status.currentHealthy', now.currentHealthy);
  nonNegative(errors, 'status.desiredHealthy', now.desiredHealthy);
  nonNegative(errors, 'status.expectedPods', now.expectedPods);
  return errors;
}
