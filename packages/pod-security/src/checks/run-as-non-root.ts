// runAsNonRoot (restricted): containers must be required to run as another user than root.
//
// Fields: securityContext.runAsNonRoot of the pod and of every container.
// Allowed: true; unset in a container when the pod has true.
// Exempt: pods with spec.hostUsers=false, from version 1.35; in servers 1.29 to 1.34 with the gate
// UserNamespacesPodSecurityStandards in every version.
// Versions: 1.0, 1.35.

import {
  createViolations,
  settersOf,
  type Check,
  type CheckPod,
  type Violations,
} from '../check.ts';
import { forbiddenField, requiredField } from '../field-error.ts';
import { containerAt, containerPath, hasUserNamespace } from '../pod.ts';
import { namedContainers } from '../wording.ts';

const since1_0: CheckPod = (_metadata, spec, server) => {
  if (server.relaxesForUserNamespaces && hasUserNamespace(spec)) return undefined;
  let explicit: Violations | undefined;
  let implicit: Violations | undefined;
  const podValue = spec.securityContext?.runAsNonRoot ?? undefined;
  if (podValue === false) {
    explicit = createViolations();
    explicit.podIsSetter = true;
    explicit.fieldErrors.push(forbiddenField('spec.securityContext.runAsNonRoot', false));
  }
  let index = 0;
  for (let c = containerAt(spec, 0); c !== undefined; c = containerAt(spec, ++index)) {
    const value = c.securityContext?.runAsNonRoot ?? undefined;
    if (value === true || (value === undefined && podValue === true)) continue;
    const path = `${containerPath(spec, index)}.securityContext.runAsNonRoot`;
    if (value === false) {
      explicit ??= createViolations();
      explicit.containers.push(c.name ?? '');
      explicit.fieldErrors.push(forbiddenField(path, false));
    } else {
      implicit ??= createViolations();
      implicit.containers.push(c.name ?? '');
      implicit.fieldErrors.push(requiredField(path));
    }
  }
  // Who says false explicitly hides who says nothing.
  if (explicit !== undefined) {
    const detail = `${settersOf(explicit)} must not set securityContext.runAsNonRoot=false`;
    return { reason: 'runAsNonRoot != true', detail, fieldErrors: explicit.fieldErrors };
  }
  if (implicit === undefined) return undefined;
  const who = namedContainers(implicit.containers);
  return {
    reason: 'runAsNonRoot != true',
    detail: `pod or ${who} must set securityContext.runAsNonRoot=true`,
    fieldErrors: implicit.fieldErrors,
  };
};

const since1_35: CheckPod = (metadata, spec, server) =>
  hasUserNamespace(spec) ? undefined : since1_0(metadata, spec, server);

export const runAsNonRoot: Check = {
  id: 'runAsNonRoot',
  level: 'restricted',
  versions: [
    { minimumVersion: 0, checkPod: since1_0 },
    { minimumVersion: 35, checkPod: since1_35 },
  ],
};
