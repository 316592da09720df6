// `pods/ephemeralcontainers`: adds containers for debugging to a running pod. What was added stays
// as it was added.

import { copyJson, fieldError, quoteGo } from '@keelson/apimachinery';
import type { Pod } from '@keelson/apimachinery/types/core.v1';
import { isMirrorPod } from '../../../authorization/mirror-pod.ts';
import { internalDiff } from '../../internal-form/internal-diff.ts';
import type { Errors } from '../../validation/checks.ts';
import { isSemanticallyEqual } from '../../validation/equality.ts';
import { dropDisabledPodFields } from '../pod-spec/disabled-fields.ts';
import { podUpdateOptions } from '../pod-spec/options.ts';
import type { PodSpecOptions } from '../pod-spec/scope.ts';
import type { SubresourceStrategy } from '../../strategy.ts';
import { annotationUpdates } from './annotation-updates.ts';
import { advancePodGeneration, resetMetadata } from './pod-metadata.ts';
import { podAndSpec } from './validation.ts';

export const ephemeralContainersStrategy: SubresourceStrategy<Pod> = {
  prepareForUpdate(pod, old, { features }) {
    const { ephemeralContainers } = pod.spec;
    pod.spec = copyJson(old.spec);
    pod.status = copyJson(old.status);
    resetMetadata(pod, old);
    if (ephemeralContainers === undefined) delete pod.spec.ephemeralContainers;
    else pod.spec.ephemeralContainers = ephemeralContainers;
    dropDisabledPodFields(pod.spec, old.spec, features);
    advancePodGeneration(pod, old);
  },
  validateUpdate(pod, old, { features }) {
    const options = podUpdateOptions(features, old);
    return validateEphemeralContainers(pod, old, options);
  },
  ownedFields: [['spec', 'ephemeralContainers']],
};

function validateEphemeralContainers(pod: Pod, old: Pod, options: PodSpecOptions): Errors {
  const errors: Errors = [];
  podAndSpec(errors, pod, options);
  annotationUpdates(errors, pod, old, options);
  if (isMirrorPod(old)) {
    return [fieldError.forbidden('', 'static pods do not support ephemeral containers')];
  }
  const path = 'spec.ephemeralContainers';
  const byName = new Map((pod.spec.ephemeralContainers ?? []).map((c) => [c.name, c]));
  for (const before of old.spec.ephemeralContainers ?? []) {
    const now = byName.get(before.name);
    const about = `existing ephemeral containers ${quoteGo(before.name)} may not be`;
    if (!now) errors.push(fieldError.forbidden(path, `${about} removed\n`));
    else if (!isSemanticallyEqual(now, before)) {
      const diff = internalDiff('EphemeralContainer', before, now);
      errors.push(fieldError.forbidden(path, `${about} changed\n${diff}`));
    }
  }
  return errors;
}
