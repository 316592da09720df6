// Annotations that a pod keeps as they were: whether it mirrors a static pod, and its AppArmor
// profiles from the time before there was a field.

import { fieldError } from '@keelson/apimachinery';
import type { Pod } from '@keelson/apimachinery/types/core.v1';
import { mirrorPodAnnotation } from '../../../authorization/mirror-pod.ts';
import type { Errors } from '../../validation/checks.ts';
import { podAnnotations } from '../pod-spec/pod-annotations.ts';
import { appArmorPrefix } from '../pod-spec/profile-annotations.ts';
import type { PodSpecOptions } from '../pod-spec/scope.ts';

const path = 'metadata.annotations';

export function annotationUpdates(
  errors: Errors,
  pod: Pod,
  old: Pod,
  options: PodSpecOptions,
): void {
  const now = pod.metadata.annotations ?? {};
  const before = old.metadata.annotations ?? {};
  for (const key of Object.keys(before)) {
    if (now[key] !== before[key]) refuse(errors, key, 'remove or update');
  }
  for (const key of Object.keys(now)) {
    if (before[key] === undefined) refuse(errors, key, 'add');
  }
  podAnnotations(errors, path, [now, pod.spec], { options });
}

function refuse(errors: Errors, key: string, what: string): void {
  const kind = key.startsWith(appArmorPrefix)
    ? 'AppArmor annotations'
    : key === mirrorPodAnnotation
      ? 'mirror pod annotation'
      : undefined;
  if (kind === undefined) return;
  errors.push(fieldError.forbidden(`${path}[${key}]`, `may not ${what} ${kind}`));
}
