// allowPrivilegeEscalation (restricted): a process must not gain more privileges than its parent.
//
// Fields: securityContext.allowPrivilegeEscalation of every container.
// Allowed: false. Unset is not enough.
// Exempt: pods with spec.os.name=windows, from version 1.25.
// Versions: 1.8, 1.25.

import { createViolations, type Check, type CheckPod, type Violations } from '../check.ts';
import { forbiddenField, requiredField } from '../field-error.ts';
import { containerAt, containerPath, isWindowsPod } from '../pod.ts';
import { namedContainers } from '../wording.ts';

const since1_8: CheckPod = (_metadata, spec) => {
  let bad: Violations | undefined;
  let index = 0;
  for (let c = containerAt(spec, 0); c !== undefined; c = containerAt(spec, ++index)) {
    const allowed = c.securityContext?.allowPrivilegeEscalation ?? undefined;
    if (allowed === false) continue;
    bad ??= createViolations();
    bad.containers.push(c.name ?? '');
    const path = `${containerPath(spec, index)}.securityContext.allowPrivilegeEscalation`;
    bad.fieldErrors.push(
      allowed === undefined ? requiredField(path) : forbiddenField(path, allowed),
    );
  }
  if (bad === undefined) return undefined;
  const who = namedContainers(bad.containers);
  return {
    reason: 'allowPrivilegeEscalation != false',
    detail: `${who} must set securityContext.allowPrivilegeEscalation=false`,
    fieldErrors: bad.fieldErrors,
  };
};

const since1_25: CheckPod = (metadata, spec, server) =>
  isWindowsPod(spec) ? undefined : since1_8(metadata, spec, server);

export const allowPrivilegeEscalation: Check = {
  id: 'allowPrivilegeEscalation',
  level: 'restricted',
  versions: [
    { minimumVersion: 8, checkPod: since1_8 },
    { minimumVersion: 25, checkPod: since1_25 },
  ],
};
