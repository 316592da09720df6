// seccompProfile_baseline (baseline): seccomp must not be switched off.
//
// Versions 1.0 to 1.18. Fields: the annotations seccomp.security.alpha.kubernetes.io/pod and
// container.seccomp.security.alpha.kubernetes.io/<name of a container>.
// Allowed: runtime/default, docker/default, localhost/*, unset.
//
// Versions from 1.19. Fields: securityContext.seccompProfile.type of the pod and every container.
// Allowed: RuntimeDefault, Localhost, unset.

import {
  createViolations,
  settersOf,
  type Check,
  type CheckPod,
  type Violations,
} from '../check.ts';
import { forbiddenField } from '../field-error.ts';
import { containerAt, containerPath, type PodSpec } from '../pod.ts';
import { joinQuoted, plural, quoteGo, sortedSet } from '../wording.ts';

export const podSeccompAnnotation = 'seccomp.security.alpha.kubernetes.io/pod';
export const containerSeccompAnnotationPrefix = 'container.seccomp.security.alpha.kubernetes.io/';

const since1_0: CheckPod = (metadata, spec) => {
  const annotations = metadata.annotations ?? undefined;
  if (annotations === undefined) return undefined;
  let bad: Violations | undefined;
  for (const key in annotations) {
    if (!isSeccompAnnotation(key, spec)) continue;
    const value = annotations[key] ?? '';
    if (isAllowedAnnotation(value)) continue;
    bad ??= createViolations();
    bad.values.push(`${key}=${quoteGo(value)}`);
    bad.fieldErrors.push(forbiddenField(`metadata.annotations[${key}]`, value));
  }
  if (bad === undefined) return undefined;
  const assignments = sortedSet(bad.values);
  const noun = plural('annotation', 'annotations', assignments.length);
  return {
    reason: 'seccompProfile',
    detail: `forbidden ${noun} ${assignments.join(', ')}`,
    fieldErrors: bad.fieldErrors,
  };
};

const since1_19: CheckPod = (_metadata, spec) => {
  let bad: Violations | undefined;
  const podProfile = spec.securityContext?.seccompProfile ?? undefined;
  if (podProfile !== undefined && !isAllowedSeccompType(podProfile.type)) {
    bad = createViolations();
    bad.podIsSetter = true;
    bad.values.push(podProfile.type ?? '');
    const path = 'spec.securityContext.seccompProfile.type';
    bad.fieldErrors.push(forbiddenField(path, podProfile.type ?? ''));
  }
  let index = 0;
  for (let c = containerAt(spec, 0); c !== undefined; c = containerAt(spec, ++index)) {
    const profile = c.securityContext?.seccompProfile ?? undefined;
    if (profile === undefined || isAllowedSeccompType(profile.type)) continue;
    bad ??= createViolations();
    bad.containers.push(c.name ?? '');
    bad.values.push(profile.type ?? '');
    const path = `${containerPath(spec, index)}.securityContext.seccompProfile.type`;
    bad.fieldErrors.push(forbiddenField(path, profile.type ?? ''));
  }
  return bad === undefined ? undefined : describeBadSeccompTypes(bad);
};

export const seccompProfileBaseline: Check = {
  id: 'seccompProfile_baseline',
  level: 'baseline',
  versions: [
    { minimumVersion: 0, checkPod: since1_0 },
    { minimumVersion: 19, checkPod: since1_19 },
  ],
};

export function isAllowedSeccompType(type: string | null | undefined): boolean {
  return type === 'RuntimeDefault' || type === 'Localhost';
}

/** The finding about explicitly bad types; seccompProfile_restricted words it the same. */
export function describeBadSeccompTypes(bad: Violations) {
  const types = joinQuoted(sortedSet(bad.values));
  return {
    reason: 'seccompProfile',
    detail: `${settersOf(bad)} must not set securityContext.seccompProfile.type to ${types}`,
    fieldErrors: bad.fieldErrors,
  };
}

/** Annotations for containers that the pod does not have mean nothing. */
function isSeccompAnnotation(key: string, spec: PodSpec): boolean {
  if (key === podSeccompAnnotation) return true;
  if (!key.startsWith(containerSeccompAnnotationPrefix)) return false;
  const name = key.slice(containerSeccompAnnotationPrefix.length);
  let index = 0;
  for (let c = containerAt(spec, 0); c !== undefined; c = containerAt(spec, ++index)) {
    if ((c.name ?? '') === name) return true;
  }
  return false;
}

function isAllowedAnnotation(value: string): boolean {
  return (
    value === 'runtime/default' || value === 'docker/default' || value.startsWith('localhost/')
  );
}
