// Conditions that tell authors about their definition without keeping it from being served: schemas
// that are not structural, and APIs in protected groups that nobody approved.

import { renderFieldError } from '@keelson/apimachinery';
import type { CustomResourceDefinition } from '@keelson/apimachinery/types/apiextensions.k8s.io.v1';
import { approvalOf, isProtectedGroup } from '../customresourcedefinitions/api-approval.ts';
import {
  findCondition,
  removeCondition,
  setCondition,
  type ConditionType,
  type ConditionValue,
} from '../customresourcedefinitions/conditions.ts';
import { structuralErrors, unreadableKeyword } from '../schema/structural.ts';

/** Sets or removes `NonStructuralSchema`, in place. False when nothing changes. */
export function updateSchemaCondition(crd: CustomResourceDefinition, nowMs: number): boolean {
  return replaceCondition(crd, 'NonStructuralSchema', { value: schemaCondition(crd), nowMs });
}

/** Sets or removes `KubernetesAPIApprovalPolicyConformant`, in place. False when nothing changes. */
export function updateApprovalCondition(crd: CustomResourceDefinition, nowMs: number): boolean {
  const type = 'KubernetesAPIApprovalPolicyConformant';
  return replaceCondition(crd, type, { value: approvalCondition(crd), nowMs });
}

/** A schema is looked at once: the status changes oftener than the spec, which it shares. */
const knownConditions = new WeakMap<object, ConditionValue | 'none'>();

function schemaCondition({ spec }: CustomResourceDefinition): ConditionValue | undefined {
  let known = knownConditions.get(spec);
  if (known === undefined) knownConditions.set(spec, (known = findSchemaCondition(spec) ?? 'none'));
  return known === 'none' ? undefined : known;
}

function findSchemaCondition(spec: CustomResourceDefinition['spec']): ConditionValue | undefined {
  const type = 'NonStructuralSchema';
  const texts: string[] = [];
  if (spec.preserveUnknownFields) {
    texts.push('spec.preserveUnknownFields: Invalid value: true: must be false');
  }
  for (const [i, { name, schema }] of (spec.versions ?? []).entries()) {
    const root = schema?.openAPIV3Schema;
    if (root === undefined) continue;
    const unreadable = unreadableKeyword(root);
    if (unreadable !== undefined) {
      const message = `failed to check validation schema for version ${name}: ${unreadable}`;
      return { type, status: 'Unknown', reason: 'StructuralError', message };
    }
    const path = `spec.versions[${i}].schema.openAPIV3Schema`;
    texts.push(...structuralErrors(root, path).map(renderFieldError));
  }
  const different = [...new Set(texts)];
  if (different.length === 0) return undefined;
  const message = different.length === 1 ? (different[0] ?? '') : `[${different.join(', ')}]`;
  return { type, status: 'True', reason: 'Violations', message };
}

const approvalReasons = {
  approved: 'ApprovedAnnotation',
  bypassed: 'UnapprovedAnnotation',
  missing: 'MissingAnnotation',
  invalid: 'InvalidAnnotation',
} as const;

function approvalCondition(crd: CustomResourceDefinition): ConditionValue | undefined {
  if (!isProtectedGroup(crd.spec.group)) return undefined;
  const { state, reason } = approvalOf(crd.metadata.annotations);
  return {
    type: 'KubernetesAPIApprovalPolicyConformant',
    status: state === 'approved' ? 'True' : 'False',
    reason: approvalReasons[state],
    message: reason,
  };
}

function replaceCondition(
  crd: CustomResourceDefinition,
  type: ConditionType,
  { value, nowMs }: { readonly value: ConditionValue | undefined; readonly nowMs: number },
): boolean {
  const before = findCondition(crd, type);
  if (value === undefined) {
    if (before === undefined) return false;
    removeCondition(crd, type);
    return true;
  }
  const isSame =
    before?.status === value.status &&
    before.reason === value.reason &&
    before.message === value.message;
  if (isSame) return false;
  setCondition(crd, value, nowMs);
  return true;
}
