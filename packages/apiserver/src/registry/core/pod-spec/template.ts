// The template of a pod in a workload. It is held to the rules of pods, except where a value is
// only known when the pod is made.

import { fieldError } from '@keelson/apimachinery';
import type { PodTemplateSpec } from '@keelson/apimachinery/types/core.v1';
import type { Errors } from '../../validation/checks.ts';
import { annotations, labels } from '../../validation/labels.ts';
import { podAnnotations } from './pod-annotations.ts';
import { profilesAgree } from './profile-annotations.ts';
import { podSpec } from './validation.ts';
import type { PodSpecOptions } from './scope.ts';

export function podTemplate(
  errors: Errors,
  path: string,
  template: PodTemplateSpec,
  options: PodSpecOptions,
): void {
  const meta = template.metadata ?? {};
  const spec = template.spec ?? { containers: null };
  labels(errors, `${path}.labels`, meta.labels);
  annotations(errors, `${path}.annotations`, meta.annotations);
  podAnnotations(errors, `${path}.annotations`, [meta.annotations, spec], { options });
  podSpec(errors, `${path}.spec`, { spec, podName: '', options });
  profilesAgree(errors, `${path}.spec`, meta.annotations ?? {}, spec);
  if ((spec.ephemeralContainers ?? []).length > 0) {
    const why = 'ephemeral containers not allowed in pod template';
    errors.push(fieldError.forbidden(`${path}.spec.ephemeralContainers`, why));
  }
}
