// runAsUser (restricted): the user must not be root by number.
//
// Fields: securityContext.runAsUser of the pod and of every container.
// Allowed: any number but 0; unset.
// Exempt: pods with spec.hostUsers=false, from version 1.35; in servers 1.29 to 1.34 with the gate
// UserNamespacesPodSecurityStandards in every version.
// Versions: 1.23, 1.35.

import {
  createViolations,
  settersOf,
  type Check,
  type CheckPod,
  type Violations,
} from '../check.ts';
import { forbiddenField } from '../field-error.ts';
import { containerAt, containerPath, hasUserNamespace } from '../pod.ts';

const since1_23: CheckPod = (_metadata, spec, server) => {
  if (server.relaxesForUserNamespaces && hasUserNamespace(spec)) return undefined;
  let bad: Violations | undefined;
  if (isRoot(spec.securityContext?.runAsUser)) {
    bad = createViolations();
    bad.podIsSetter = true;
    bad.fieldErrors.push(forbiddenField('spec.securityContext.runAsUser', 0));
  }
  let index = 0;
  for (let c = containerAt(spec, 0); c !== undefined; c = containerAt(spec, ++index)) {
    if (!isRoot(c.securityContext?.runAsUser)) continue;
    bad ??= createViolations();
    bad.containers.push(c.name ?? '');
    const path = `${containerPath(spec, index)}.securityContext.runAsUser`;
    bad.fieldErrors.push(forbiddenField(path, 0));
  }
  if (bad === undefined) return undefined;
  return {
    reason: 'runAsUser=0',
    detail: `${settersOf(bad)} must not set runAsUser=0`,
    fieldErrors: bad.fieldErrors,
  };
};

const since1_35: CheckPod = (metadata, spec, server) =>
  hasUserNamespace(spec) ? undefined : since1_23(metadata, spec, server);

export const runAsUser: Check = {
  id: 'runAsUser',
  level: 'restricted',
  versions: [
    { minimumVersion: 23, checkPod: since1_23 },
    { minimumVersion: 35, checkPod: since1_35 },
  ],
};

function isRoot(user: number | bigint | null | undefined): boolean {
  return user === 0 || user === 0n;
}
