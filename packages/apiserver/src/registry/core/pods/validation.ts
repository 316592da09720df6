// Rules of pods beyond those of their specification, as they hold when a pod is made.

import { fieldError } from '@keelson/apimachinery';
import type { Pod } from '@keelson/apimachinery/types/core.v1';
import type { Errors } from '../../validation/checks.ts';
import { trimmedImage } from '../pod-spec/containers.ts';
import { podAnnotations } from '../pod-spec/pod-annotations.ts';
import { profilesAgree } from '../pod-spec/profile-annotations.ts';
import { podSpec } from '../pod-spec/validation.ts';
import type { PodSpecOptions } from '../pod-spec/scope.ts';

export function validatePodCreate(pod: Pod, options: PodSpecOptions): Errors {
  const errors: Errors = [];
  podAndSpec(errors, pod, options);
  const { spec } = pod;
  if ((spec.ephemeralContainers ?? []).length > 0) {
    errors.push(fieldError.forbidden('spec.ephemeralContainers', 'cannot be set on create'));
  }
  if (spec.nodeName && (spec.schedulingGates ?? []).length > 0) {
    const why = 'cannot be set until all schedulingGates have been cleared';
    errors.push(fieldError.forbidden('spec.nodeName', why));
  }
  profilesAgree(errors, 'spec', pod.metadata.annotations ?? {}, spec);
  return errors;
}

/** What holds for a pod at any time. */
export function podAndSpec(errors: Errors, pod: Pod, options: PodSpecOptions): void {
  const { spec, metadata } = pod;
  podAnnotations(errors, 'metadata.annotations', [metadata.annotations, spec], { options });
  podSpec(errors, 'spec', { spec, podName: metadata.name ?? '', options });
  if (!spec.serviceAccountName) tokensNeedAccount(errors, pod);
  for (const field of ['containers', 'initContainers'] as const) {
    (spec[field] ?? []).forEach((c, i) => trimmedImage(errors, `spec.${field}[${i}]`, c));
  }
}

function tokensNeedAccount(errors: Errors, { spec }: Pod): void {
  (spec.volumes ?? []).forEach((volume, v) => {
    (volume.projected?.sources ?? []).forEach((source, s) => {
      if (!source.serviceAccountToken) return;
      const at = `spec.volumes[${v}].projected.sources[${s}].serviceAccountToken`;
      const why = 'must not be specified when serviceAccountName is not set';
      errors.push(fieldError.forbidden(at, why));
    });
  });
}
