// The end of a definition: its objects go first. What is written at which step of that; the
// deleting itself is done by whoever runs the steps.

import type { CustomResourceDefinition } from '@keelson/apimachinery/types/apiextensions.k8s.io.v1';
import {
  isConditionTrue,
  setCondition,
  type ConditionValue,
} from '../customresourcedefinitions/conditions.ts';
import { cleanupFinalizer } from '../customresourcedefinitions/strategy.ts';

export function isAwaitingCleanup({ metadata }: CustomResourceDefinition): boolean {
  if (metadata.deletionTimestamp === undefined) return false;
  return (metadata.finalizers ?? []).includes(cleanupFinalizer);
}

/** Without ever having been served there are no objects. */
export function mayHaveObjects(crd: CustomResourceDefinition): boolean {
  return isConditionTrue(crd, 'Established');
}

export function startCleanup(crd: CustomResourceDefinition, nowMs: number): void {
  const message = 'CustomResource deletion is in progress';
  setTerminating(crd, { status: 'True', reason: 'InstanceDeletionInProgress', message }, nowMs);
}

/**
 * Objects could not be listed, deleted or seen to be gone; the definition stays for another try.
 */
export function failCleanup(
  crd: CustomResourceDefinition,
  failure: { readonly step: 'list' | 'delete' | 'confirm'; readonly error: string },
  nowMs: number,
): void {
  const { step, error } = failure;
  const reason = step === 'confirm' ? 'InstanceDeletionCheck' : 'InstanceDeletionFailed';
  const message = `${failureTexts[step]}: ${error}`;
  setTerminating(crd, { status: 'True', reason, message }, nowMs);
}

const failureTexts = {
  list: 'could not list instances',
  delete: 'could not issue all deletes',
  confirm: 'could not confirm zero CustomResources remaining',
} as const;

/** All objects are gone: nothing of ours keeps the definition any longer. */
export function completeCleanup(crd: CustomResourceDefinition, nowMs: number): void {
  const outcome = mayHaveObjects(crd)
    ? { reason: 'InstanceDeletionCompleted', message: 'removed all instances' }
    : { reason: 'NeverEstablished', message: 'resource was never established' };
  setTerminating(crd, { status: 'False', ...outcome }, nowMs);
  const left = (crd.metadata.finalizers ?? []).filter((name) => name !== cleanupFinalizer);
  if (left.length === 0) delete crd.metadata.finalizers;
  else crd.metadata.finalizers = left;
}

function setTerminating(
  crd: CustomResourceDefinition,
  value: Omit<ConditionValue, 'type'>,
  nowMs: number,
): void {
  setCondition(crd, { type: 'Terminating', ...value }, nowMs);
}
