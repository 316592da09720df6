// capabilities_restricted (restricted): no capability but the right to bind low ports.
//
// Fields: securityContext.capabilities of every container.
// Allowed: drop must contain ALL, spelled exactly so; add may hold nothing but NET_BIND_SERVICE.
// Exempt: pods with spec.os.name=windows, from version 1.25.
// Versions: 1.22, 1.25. Overrides capabilities_baseline.

import { createViolations, type Check, type CheckPod, type Violations } from '../check.ts';
import { forbiddenField, requiredField } from '../field-error.ts';
import { containerAt, containerPath, isWindowsPod } from '../pod.ts';
import { joinQuoted, namedContainers, sortedSet } from '../wording.ts';

const since1_22: CheckPod = (_metadata, spec) => {
  let keeping: Violations | undefined;
  let adding: Violations | undefined;
  let index = 0;
  for (let c = containerAt(spec, 0); c !== undefined; c = containerAt(spec, ++index)) {
    const capabilities = c.securityContext?.capabilities ?? undefined;
    if (capabilities?.drop?.includes('ALL') !== true) {
      keeping ??= createViolations();
      keeping.containers.push(c.name ?? '');
      const path = `${containerPath(spec, index)}.securityContext.capabilities.drop`;
      keeping.fieldErrors.push(requiredField(path));
    }
    const added = capabilities?.add ?? undefined;
    if (added === undefined) continue;
    let isBad = false;
    for (let i = 0; i < added.length; i++) {
      const capability = added[i] ?? '';
      if (capability === 'NET_BIND_SERVICE') continue;
      isBad = true;
      adding ??= createViolations();
      adding.values.push(capability);
      const path = `${containerPath(spec, index)}.securityContext.capabilities.add[${i}]`;
      adding.fieldErrors.push(forbiddenField(path, capability));
    }
    if (isBad) adding?.containers.push(c.name ?? '');
  }
  if (keeping === undefined && adding === undefined) return undefined;
  return describe(keeping, adding);
};

const since1_25: CheckPod = (metadata, spec, server) =>
  isWindowsPod(spec) ? undefined : since1_22(metadata, spec, server);

const overrides = ['capabilities_baseline'];

export const capabilitiesRestricted: Check = {
  id: 'capabilities_restricted',
  level: 'restricted',
  versions: [
    { minimumVersion: 22, checkPod: since1_22, overrides },
    { minimumVersion: 25, checkPod: since1_25, overrides },
  ],
};

function describe(keeping: Violations | undefined, adding: Violations | undefined) {
  const details: string[] = [];
  if (keeping !== undefined) {
    const who = namedContainers(keeping.containers);
    details.push(`${who} must set securityContext.capabilities.drop=["ALL"]`);
  }
  if (adding !== undefined) {
    const who = namedContainers(adding.containers);
    const names = joinQuoted(sortedSet(adding.values));
    details.push(`${who} must not include ${names} in securityContext.capabilities.add`);
  }
  return {
    reason: 'unrestricted capabilities',
    detail: details.join('; '),
    fieldErrors: [...(keeping?.fieldErrors ?? []), ...(adding?.fieldErrors ?? [])],
  };
}
