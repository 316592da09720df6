// seccompProfile_restricted (restricted): a seccomp profile must be named.
//
// Fields: securityContext.seccompProfile.type of the pod and of every container.
// Allowed: RuntimeDefault, Localhost; unset in a container when the pod has one of these.
// Exempt: pods with spec.os.name=windows, from version 1.25.
// Versions: 1.19, 1.25. Overrides seccompProfile_baseline.

import { createViolations, type Check, type CheckPod, type Violations } from '../check.ts';
import { forbiddenField, requiredField } from '../field-error.ts';
import { containerAt, containerPath, isWindowsPod } from '../pod.ts';
import { namedContainers } from '../wording.ts';
import { describeBadSeccompTypes, isAllowedSeccompType } from './seccomp-profile-baseline.ts';

const since1_19: CheckPod = (_metadata, spec) => {
  let explicit: Violations | undefined;
  let implicit: Violations | undefined;
  const podProfile = spec.securityContext?.seccompProfile ?? undefined;
  const podIsGood = podProfile !== undefined && isAllowedSeccompType(podProfile.type);
  if (podProfile !== undefined && !podIsGood) {
    explicit = createViolations();
    explicit.podIsSetter = true;
    explicit.values.push(podProfile.type ?? '');
    const path = 'spec.securityContext.seccompProfile.type';
    explicit.fieldErrors.push(forbiddenField(path, podProfile.type ?? ''));
  }
  let index = 0;
  for (let c = containerAt(spec, 0); c !== undefined; c = containerAt(spec, ++index)) {
    const profile = c.securityContext?.seccompProfile ?? undefined;
    if (profile === undefined ? podIsGood : isAllowedSeccompType(profile.type)) continue;
    const path = `${containerPath(spec, index)}.securityContext.seccompProfile.type`;
    if (profile === undefined) {
      implicit ??= createViolations();
      implicit.containers.push(c.name ?? '');
      implicit.fieldErrors.push(requiredField(path));
    } else {
      explicit ??= createViolations();
      explicit.containers.push(c.name ?? '');
      explicit.values.push(profile.type ?? '');
      explicit.fieldErrors.push(forbiddenField(path, profile.type ?? ''));
    }
  }
  // Who names a bad profile hides who names none.
  if (explicit !== undefined) return describeBadSeccompTypes(explicit);
  if (implicit === undefined) return undefined;
  const who = namedContainers(implicit.containers);
  return {
    reason: 'seccompProfile',
    detail:
      `pod or ${who} must set securityContext.seccompProfile.type ` +
      'to "RuntimeDefault" or "Localhost"',
    fieldErrors: implicit.fieldErrors,
  };
};

const since1_25: CheckPod = (metadata, spec, server) =>
  isWindowsPod(spec) ? undefined : since1_19(metadata, spec, server);

const overrides = ['seccompProfile_baseline'];

export const seccompProfileRestricted: Check = {
  id: 'seccompProfile_restricted',
  level: 'restricted',
  versions: [
    { minimumVersion: 19, checkPod: since1_19, overrides },
    { minimumVersion: 25, checkPod: since1_25, overrides },
  ],
};
