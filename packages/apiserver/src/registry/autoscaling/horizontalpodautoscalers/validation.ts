// Validation of HorizontalPodAutoscalers. Errors name the fields of autoscaling/v2 whichever
// version was sent; see `metric-validation.ts` for metrics.

import { fieldError, type FieldError } from '@keelson/apimachinery';
import type {
  CrossVersionObjectReference,
  HorizontalPodAutoscaler,
  HPAScalingPolicy,
  HPAScalingRules,
} from '@keelson/apimachinery/types/autoscaling.v2';
import type { Features } from '../../../features/features.ts';
import { conforms, nonNegative, oneOf, required } from '../../validation/checks.ts';
import { pathSegmentName } from '../../validation/names.ts';
import { nonNegativeQuantity } from '../../validation/resource-names.ts';
import { validateMetrics } from './metric-validation.ts';

const selectPolicies = ['Disabled', 'Max', 'Min'];
const policyTypes = ['Percent', 'Pods'];
const windowSecondsMax = 3600;
const periodSecondsMax = 1800;

export function validateAutoscaler(
  { spec }: HorizontalPodAutoscaler,
  old: HorizontalPodAutoscaler | undefined,
  features: Features,
): FieldError[] {
  const errors: FieldError[] = [];
  const allowsZero = features.enabled('HPAScaleToZero') || old?.spec.minReplicas === 0;
  const minReplicasMin = allowsZero ? 0 : 1;
  if (spec.minReplicas !== undefined && spec.minReplicas < minReplicasMin) {
    const why = `must be greater than or equal to ${minReplicasMin}`;
    errors.push(fieldError.invalid('spec.minReplicas', spec.minReplicas, why));
  }
  checkMaxReplicas(errors, spec);
  checkReference(errors, 'spec.scaleTargetRef', spec.scaleTargetRef, {
    needsGroup: true,
    old: old?.spec.scaleTargetRef,
  });
  validateMetrics(errors, spec, old?.spec);
  checkRules(errors, 'spec.behavior.scaleUp', spec.behavior?.scaleUp);
  checkRules(errors, 'spec.behavior.scaleDown', spec.behavior?.scaleDown);
  return errors;
}

function checkMaxReplicas(
  errors: FieldError[],
  { minReplicas, maxReplicas = 0 }: HorizontalPodAutoscaler['spec'],
): void {
  const path = 'spec.maxReplicas';
  if (maxReplicas === 0) {
    errors.push(fieldError.required(path, 'must be set and greater than 0'));
  } else if (maxReplicas < 0) {
    errors.push(fieldError.invalid(path, maxReplicas, 'must be greater than or equal to 1'));
  }
  if (minReplicas === undefined || maxReplicas >= minReplicas) return;
  const why = 'must be greater than or equal to `minReplicas`';
  errors.push(fieldError.invalid(path, maxReplicas, why));
}

export interface ReferenceOptions {
  /** The API version must name a group: nothing in the core group can be scaled. */
  readonly needsGroup: boolean;
  /** The reference before the update: a version that was wrong already may stay wrong. */
  readonly old: CrossVersionObjectReference | undefined;
}

export function checkReference(
  errors: FieldError[],
  path: string,
  reference: CrossVersionObjectReference,
  { needsGroup, old }: ReferenceOptions,
): void {
  const segment = (text: string) => pathSegmentName(text, false);
  for (const field of ['kind', 'name'] as const) {
    const at = `${path}.${field}`;
    if (required(errors, at, reference[field])) conforms(errors, at, reference[field], segment);
  }
  const problem = versionProblem(reference, needsGroup);
  if (problem === undefined || (old && versionProblem(old, needsGroup) !== undefined)) return;
  errors.push(fieldError.invalid(`${path}.apiVersion`, reference.apiVersion ?? '', problem));
}

function versionProblem(
  { apiVersion = '' }: CrossVersionObjectReference,
  needsGroup: boolean,
): string | undefined {
  const slashes = apiVersion.split('/').length - 1;
  if (slashes > 1) return `unexpected GroupVersion string: ${apiVersion}`;
  const hasGroup = slashes === 1 && !apiVersion.startsWith('/');
  return needsGroup && !hasGroup ? 'apiVersion must specify API group' : undefined;
}

function checkRules(errors: FieldError[], path: string, rules: HPAScalingRules | undefined): void {
  if (!rules) return;
  const { stabilizationWindowSeconds: window, selectPolicy, policies = [], tolerance } = rules;
  const refuseWindow = (why: string) =>
    errors.push(fieldError.invalid(`${path}.stabilizationWindowSeconds`, window, why));
  if (window !== undefined && window < 0) refuseWindow('must be greater than or equal to zero');
  if (window !== undefined && window > windowSecondsMax) {
    refuseWindow(`must be less than or equal to ${windowSecondsMax}`);
  }
  if (selectPolicy !== undefined) {
    oneOf(errors, `${path}.selectPolicy`, selectPolicy, selectPolicies);
  }
  required(errors, `${path}.policies`, policies, 'must specify at least one Policy');
  policies.forEach((policy, i) => checkPolicy(errors, `${path}.policies[${i}]`, policy));
  if (tolerance !== undefined) nonNegativeQuantity(errors, `${path}.tolerance`, tolerance);
}

function checkPolicy(errors: FieldError[], path: string, policy: HPAScalingPolicy): void {
  oneOf(errors, `${path}.type`, policy.type, policyTypes);
  for (const field of ['value', 'periodSeconds'] as const) {
    if (policy[field] > 0) continue;
    const why = 'must be greater than zero';
    errors.push(fieldError.invalid(`${path}.${field}`, policy[field], why));
  }
  if (policy.periodSeconds > periodSecondsMax) {
    const why = `must be less than or equal to ${periodSecondsMax}`;
    errors.push(fieldError.invalid(`${path}.periodSeconds`, policy.periodSeconds, why));
  }
}

export function validateAutoscalerStatus({ status }: HorizontalPodAutoscaler): FieldError[] {
  const errors: FieldError[] = [];
  nonNegative(errors, 'status.currentReplicas', status?.currentReplicas);
  nonNegative(errors, 'status.desiredReplicas', status?.desiredReplicas);
  return errors;
}
