// privileged (baseline): privileged containers switch most isolation off.
//
// Fields: securityContext.privileged of every container.
// Allowed: false, unset.
// Versions: 1.0.

import { createViolations, type Check, type CheckPod, type Violations } from '../check.ts';
import { forbiddenField } from '../field-error.ts';
import { containerAt, containerPath } from '../pod.ts';
import { namedContainers } from '../wording.ts';

const since1_0: CheckPod = (_metadata, spec) => {
  let bad: Violations | undefined;
  let index = 0;
  for (let c = containerAt(spec, 0); c !== undefined; c = containerAt(spec, ++index)) {
    if (c.securityContext?.privileged !== true) continue;
    bad ??= createViolations();
    bad.containers.push(c.name ?? '');
    const path = `${containerPath(spec, index)}.securityContext.privileged`;
    bad.fieldErrors.push(forbiddenField(path, true));
  }
  if (bad === undefined) return undefined;
  return {
    reason: 'privileged',
    detail: `${namedContainers(bad.containers)} must not set securityContext.privileged=true`,
    fieldErrors: bad.fieldErrors,
  };
};

export const privileged: Check = {
  id: 'privileged',
  level: 'baseline',
  versions: [{ minimumVersion: 0, checkPod: since1_0 }],
};
