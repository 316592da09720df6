// procMount (baseline): the default masks of /proc must stay on.
//
// Fields: securityContext.procMount of every container.
// Allowed: Default, unset.
// Exempt: pods with spec.hostUsers=false, from version 1.35; in servers 1.31 to 1.34 with the gate
// UserNamespacesPodSecurityStandards in every version.
// Versions: 1.0, 1.35. From 1.35 restricted has its own, unrelaxed check (procMount_restricted).

import { createViolations, type Check, type CheckPod, type Violations } from '../check.ts';
import { forbiddenField } from '../field-error.ts';
import { containerAt, containerPath, hasUserNamespace } from '../pod.ts';
import { joinQuoted, namedContainers, sortedSet } from '../wording.ts';

/** The first release whose gate also relaxed this check. */
const gateRelease = 31;

/** The rule without exemption by version; procMount_restricted shares it. */
export const procMountSince1_0: CheckPod = (_metadata, spec, server) => {
  if (server.relaxesForUserNamespaces && server.release >= gateRelease && hasUserNamespace(spec)) {
    return undefined;
  }
  let bad: Violations | undefined;
  let index = 0;
  for (let c = containerAt(spec, 0); c !== undefined; c = containerAt(spec, ++index)) {
    const procMount = c.securityContext?.procMount ?? 'Default';
    if (procMount === 'Default') continue;
    bad ??= createViolations();
    bad.containers.push(c.name ?? '');
    bad.values.push(procMount);
    const path = `${containerPath(spec, index)}.securityContext.procMount`;
    bad.fieldErrors.push(forbiddenField(path, procMount));
  }
  if (bad === undefined) return undefined;
  const types = joinQuoted(sortedSet(bad.values));
  return {
    reason: 'procMount',
    detail: `${namedContainers(bad.containers)} must not set securityContext.procMount to ${types}`,
    fieldErrors: bad.fieldErrors,
  };
};

const since1_35: CheckPod = (metadata, spec, server) =>
  hasUserNamespace(spec) ? undefined : procMountSince1_0(metadata, spec, server);

export const procMount: Check = {
  id: 'procMount',
  level: 'baseline',
  versions: [
    { minimumVersion: 0, checkPod: procMountSince1_0 },
    { minimumVersion: 35, checkPod: since1_35 },
  ],
};
