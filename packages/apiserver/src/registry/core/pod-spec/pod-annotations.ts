// Annotations that mean something to Kubernetes, on pods and on templates of pods.

import { fieldError } from '@keelson/apimachinery';
import type { PodSpec, Toleration } from '@keelson/apimachinery/types/core.v1';
import { mirrorPodAnnotation } from '../../../authorization/mirror-pod.ts';
import type { Errors } from '../../validation/checks.ts';
import type { StringMap } from '../../validation/labels.ts';
import { profileAnnotations } from './profile-annotations.ts';
import { tolerations } from './scheduling.ts';
import type { PodSpecScope } from './scope.ts';

export const deletionCostKey = 'controller.kubernetes.io/pod-deletion-cost';
const tolerationsKey = 'scheduler.alpha.kubernetes.io/tolerations';

export function podAnnotations(
  errors: Errors,
  path: string,
  [annotations = {}, spec]: readonly [StringMap | undefined, PodSpec],
  scope: Pick<PodSpecScope, 'options'>,
): void {
  const mirror = annotations[mirrorPodAnnotation];
  if (mirror !== undefined && !spec.nodeName) {
    const why = 'must set spec.nodeName if mirror pod annotation is set';
    errors.push(fieldError.invalid(`${path}[${mirrorPodAnnotation}]`, mirror, why));
  }
  if (annotations[tolerationsKey]) {
    oldTolerations(errors, path, annotations[tolerationsKey], scope);
  }
  const cost = annotations[deletionCostKey];
  if (!scope.options.allowInvalidPodDeletionCost && !isDeletionCost(cost)) {
    errors.push(fieldError.invalid(`${path}[${deletionCostKey}]`, cost, 'must be a 32bit integer'));
  }
  profileAnnotations(errors, path, annotations, spec);
}

/** A number of 32 bits in its shortest form without plus sign, as ReplicaSets read it. */
export function isDeletionCost(text: string | undefined): boolean {
  if (text === undefined) return true;
  if (!/^(0|-?[1-9][0-9]{0,9})$/.test(text)) return false;
  const value = Number(text);
  return value >= -(2 ** 31) && value < 2 ** 31;
}

function oldTolerations(
  errors: Errors,
  path: string,
  text: string,
  scope: Pick<PodSpecScope, 'options'>,
): void {
  let list: unknown;
  try {
    list = JSON.parse(text);
  } catch {
    const why = 'invalid character in tolerations annotation';
    errors.push(fieldError.invalid(path, tolerationsKey, why));
    return;
  }
  if (!Array.isArray(list)) return;
  const parsed = list.filter((t): t is Toleration => typeof t === 'object' && t !== null);
  tolerations(errors, `${path}.${tolerationsKey}`, parsed, scope);
}
