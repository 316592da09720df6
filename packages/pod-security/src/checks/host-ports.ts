// hostPorts (baseline): no port of the host may be taken.
//
// Fields: ports[*].hostPort of every container.
// Allowed: 0, unset.
// Versions: 1.0.

import { createViolations, type Check, type CheckPod, type Violations } from '../check.ts';
import { forbiddenField } from '../field-error.ts';
import { containerAt, containerPath } from '../pod.ts';
import { namedContainers, plural, sortedSet } from '../wording.ts';

const since1_0: CheckPod = (_metadata, spec) => {
  let bad: Violations | undefined;
  let index = 0;
  for (let c = containerAt(spec, 0); c !== undefined; c = containerAt(spec, ++index)) {
    const ports = c.ports ?? undefined;
    if (ports === undefined) continue;
    let isBad = false;
    for (let i = 0; i < ports.length; i++) {
      const hostPort = ports[i]?.hostPort ?? 0;
      if (hostPort === 0 || hostPort === 0n) continue;
      isBad = true;
      bad ??= createViolations();
      bad.values.push(String(hostPort));
      const path = `${containerPath(spec, index)}.ports[${i}].hostPort`;
      bad.fieldErrors.push(forbiddenField(path, hostPort));
    }
    if (isBad) bad?.containers.push(c.name ?? '');
  }
  if (bad === undefined) return undefined;
  // COMPAT: ports are sorted as text, 8080 before 81.
  const ports = sortedSet(bad.values);
  const verb = plural('uses', 'use', bad.containers.length);
  const noun = plural('hostPort', 'hostPorts', ports.length);
  return {
    reason: 'hostPort',
    detail: `${namedContainers(bad.containers)} ${verb} ${noun} ${ports.join(', ')}`,
    fieldErrors: bad.fieldErrors,
  };
};

export const hostPorts: Check = {
  id: 'hostPorts',
  level: 'baseline',
  versions: [{ minimumVersion: 0, checkPod: since1_0 }],
};
