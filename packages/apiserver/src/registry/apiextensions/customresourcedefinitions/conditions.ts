// Conditions of a definition.

import { formatTime } from '@keelson/apimachinery';
import type {
  CustomResourceDefinition,
  CustomResourceDefinitionCondition,
} from '@keelson/apimachinery/types/apiextensions.k8s.io.v1';

export type ConditionType =
  | 'NamesAccepted'
  | 'Established'
  | 'NonStructuralSchema'
  | 'KubernetesAPIApprovalPolicyConformant'
  | 'Terminating';

export interface ConditionValue {
  readonly type: ConditionType;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
}

export function findCondition(
  crd: CustomResourceDefinition,
  type: ConditionType,
): CustomResourceDefinitionCondition | undefined {
  return crd.status?.conditions?.find((condition) => condition.type === type);
}

export function isConditionTrue(crd: CustomResourceDefinition, type: ConditionType): boolean {
  return findCondition(crd, type)?.status === 'True';
}

/** Sets or replaces a condition, in place; the transition time changes only with the status. */
export function setCondition(
  crd: CustomResourceDefinition,
  value: ConditionValue,
  nowMs: number,
): void {
  const status = (crd.status ??= { conditions: [] });
  const conditions = (status.conditions ??= []);
  const existing = conditions.find((condition) => condition.type === value.type);
  if (!existing) {
    const { type, status: state, reason, message } = value;
    const lastTransitionTime = formatTime(nowMs);
    conditions.push({ type, status: state, lastTransitionTime, reason, message });
    return;
  }
  if (existing.status !== value.status) {
    existing.status = value.status;
    existing.lastTransitionTime = formatTime(nowMs);
  }
  existing.reason = value.reason;
  existing.message = value.message;
}

export function removeCondition(crd: CustomResourceDefinition, type: ConditionType): void {
  if (!crd.status?.conditions) return;
  crd.status.conditions = crd.status.conditions.filter((condition) => condition.type !== type);
}
