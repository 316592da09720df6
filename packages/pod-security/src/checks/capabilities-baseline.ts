// capabilities_baseline (baseline): no capabilities beyond those that runtimes give by default.
//
// Fields: securityContext.capabilities.add of every container.
// Allowed: the names listed below, spelled exactly so; unset.
// Versions: 1.0.

import { createViolations, type Check, type CheckPod, type Violations } from '../check.ts';
import { forbiddenField } from '../field-error.ts';
import { containerAt, containerPath } from '../pod.ts';
import { joinQuoted, namedContainers, sortedSet } from '../wording.ts';

const defaultCapabilities: ReadonlySet<string> = new Set([
  'AUDIT_WRITE',
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'FSETID',
  'KILL',
  'MKNOD',
  'NET_BIND_SERVICE',
  'SETFCAP',
  'SETGID',
  'SETPCAP',
  'SETUID',
  'SYS_CHROOT',
]);

const since1_0: CheckPod = (_metadata, spec) => {
  let bad: Violations | undefined;
  let index = 0;
  for (let c = containerAt(spec, 0); c !== undefined; c = containerAt(spec, ++index)) {
    const added = c.securityContext?.capabilities?.add ?? undefined;
    if (added === undefined) continue;
    let isBad = false;
    for (let i = 0; i < added.length; i++) {
      const capability = added[i] ?? '';
      if (defaultCapabilities.has(capability)) continue;
      isBad = true;
      bad ??= createViolations();
      bad.values.push(capability);
      const path = `${containerPath(spec, index)}.securityContext.capabilities.add[${i}]`;
      bad.fieldErrors.push(forbiddenField(path, capability));
    }
    if (isBad) bad?.containers.push(c.name ?? '');
  }
  if (bad === undefined) return undefined;
  const who = namedContainers(bad.containers);
  const names = joinQuoted(sortedSet(bad.values));
  return {
    reason: 'non-default capabilities',
    detail: `${who} must not include ${names} in securityContext.capabilities.add`,
    fieldErrors: bad.fieldErrors,
  };
};

export const capabilitiesBaseline: Check = {
  id: 'capabilities_baseline',
  level: 'baseline',
  versions: [{ minimumVersion: 0, checkPod: since1_0 }],
};
