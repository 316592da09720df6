// What a Deployment may ask for: the template must be selected, and a rolling update must be able
// to move in at least one direction.

import { fieldError } from '@keelson/apimachinery';
import type { Deployment, DeploymentStrategy } from '@keelson/apimachinery/types/apps.v1';
import type { Features } from '../../../features/features.ts';
import { internalValue } from '../../internal-form/internal-value.ts';
import { immutable, nonNegative, type Errors } from '../../validation/checks.ts';
import {
  atMost100Percent,
  isZeroOrZeroPercent,
  nonNegativeIntOrPercent,
} from '../../validation/int-or-percent.ts';
import {
  collisionCountGrows,
  nonNegativeCounters,
  withinReplicas,
} from '../../core/pod-spec/workload-status.ts';
import { selectedTemplate } from '../../core/pod-spec/workload.ts';

export function validateDeployment(
  { spec }: Deployment,
  features: Features,
  old?: Deployment,
): Errors {
  const errors: Errors = [];
  nonNegative(errors, 'spec.replicas', spec.replicas);
  selectedTemplate(errors, spec, features, old?.spec);
  strategy(errors, 'spec.strategy', spec.strategy ?? {});
  nonNegative(errors, 'spec.minReadySeconds', spec.minReadySeconds);
  nonNegative(errors, 'spec.revisionHistoryLimit', spec.revisionHistoryLimit);
  progressDeadline(errors, spec.progressDeadlineSeconds, spec.minReadySeconds ?? 0);
  if (old) immutable(errors, 'spec.selector', [spec.selector, old.spec.selector]);
  return errors;
}

function progressDeadline(errors: Errors, seconds: number | undefined, minReady: number): void {
  if (seconds === undefined) return;
  const path = 'spec.progressDeadlineSeconds';
  nonNegative(errors, path, seconds);
  if (seconds > minReady) return;
  errors.push(fieldError.invalid(path, seconds, 'must be greater than minReadySeconds'));
}

function strategy(errors: Errors, path: string, value: DeploymentStrategy): void {
  const rolling = `${path}.rollingUpdate`;
  switch (value.type) {
    case 'Recreate':
      if (value.rollingUpdate) {
        const why = "may not be specified when strategy `type` is 'Recreate'";
        errors.push(fieldError.forbidden(rolling, why));
      }
      break;
    case 'RollingUpdate':
      if (value.rollingUpdate) rollingUpdate(errors, rolling, value.rollingUpdate);
      else errors.push(fieldError.required(rolling, 'this should be defaulted and never be nil'));
      break;
    default: {
      const shown = internalValue('io.k8s.api.apps.v1.DeploymentStrategy', value);
      errors.push(fieldError.notSupported(path, shown, ['Recreate', 'RollingUpdate']));
    }
  }
}

function rollingUpdate(
  errors: Errors,
  path: string,
  { maxUnavailable = 0, maxSurge = 0 }: NonNullable<DeploymentStrategy['rollingUpdate']>,
): void {
  const unavailable = `${path}.maxUnavailable`;
  nonNegativeIntOrPercent(errors, unavailable, maxUnavailable);
  nonNegativeIntOrPercent(errors, `${path}.maxSurge`, maxSurge);
  if (isZeroOrZeroPercent(maxUnavailable) && isZeroOrZeroPercent(maxSurge)) {
    const why = 'may not be 0 when `maxSurge` is 0';
    errors.push(fieldError.invalid(unavailable, maxUnavailable, why));
  }
  atMost100Percent(errors, unavailable, maxUnavailable);
}

const counters = [
  'observedGeneration',
  'replicas',
  'updatedReplicas',
  'readyReplicas',
  'terminatingReplicas',
  'availableReplicas',
  'unavailableReplicas',
  'collisionCount',
] as const;

export function validateDeploymentStatus({ status = {} }: Deployment, old: Deployment): Errors {
  const errors: Errors = [];
  nonNegativeCounters(errors, status, counters);
  withinReplicas(errors, status, ['updatedReplicas', 'readyReplicas', 'availableReplicas']);
  collisionCountGrows(errors, status.collisionCount, old.status?.collisionCount);
  return errors;
}
