// windowsHostProcess (baseline): host process containers are privileged access to a Windows node.
//
// Fields: securityContext.windowsOptions.hostProcess of the pod and of every container.
// Allowed: false, unset.
// Versions: 1.0.

import {
  createViolations,
  settersOf,
  type Check,
  type CheckPod,
  type Violations,
} from '../check.ts';
import { forbiddenField } from '../field-error.ts';
import { containerAt, containerPath } from '../pod.ts';

const since1_0: CheckPod = (_metadata, spec) => {
  let bad: Violations | undefined;
  if (spec.securityContext?.windowsOptions?.hostProcess === true) {
    bad = createViolations();
    bad.podIsSetter = true;
    const path = 'spec.securityContext.windowsOptions.hostProcess';
    bad.fieldErrors.push(forbiddenField(path, true));
  }
  let index = 0;
  for (let c = containerAt(spec, 0); c !== undefined; c = containerAt(spec, ++index)) {
    if (c.securityContext?.windowsOptions?.hostProcess !== true) continue;
    bad ??= createViolations();
    bad.containers.push(c.name ?? '');
    const path = `${containerPath(spec, index)}.securityContext.windowsOptions.hostProcess`;
    bad.fieldErrors.push(forbiddenField(path, true));
  }
  if (bad === undefined) return undefined;
  return {
    reason: 'hostProcess',
    detail: `${settersOf(bad)} must not set securityContext.windowsOptions.hostProcess=true`,
    fieldErrors: bad.fieldErrors,
  };
};

export const windowsHostProcess: Check = {
  id: 'windowsHostProcess',
  level: 'baseline',
  versions: [{ minimumVersion: 0, checkPod: since1_0 }],
};
