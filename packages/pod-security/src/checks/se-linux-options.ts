// seLinuxOptions (baseline): only container types, and no custom user or role.
//
// Fields: securityContext.seLinuxOptions.{type,user,role} of the pod and of every container.
// Allowed: type empty, container_t, container_init_t, container_kvm_t, and from version 1.31
// container_engine_t; user and role empty.
// Versions: 1.0, 1.31.

import {
  createViolations,
  settersOf,
  type Check,
  type CheckPod,
  type Violations,
} from '../check.ts';
import { forbiddenField } from '../field-error.ts';
import { containerAt, containerPath, type SeLinuxOptions } from '../pod.ts';
import { joinQuoted, plural, sortedSet } from '../wording.ts';

const types1_0: ReadonlySet<string> = new Set([
  '',
  'container_t',
  'container_init_t',
  'container_kvm_t',
]);
const types1_31: ReadonlySet<string> = new Set([...types1_0, 'container_engine_t']);

export const seLinuxOptions: Check = {
  id: 'seLinuxOptions',
  level: 'baseline',
  versions: [
    { minimumVersion: 0, checkPod: allowingTypes(types1_0) },
    { minimumVersion: 31, checkPod: allowingTypes(types1_31) },
  ],
};

interface SeLinuxViolations extends Violations {
  setsUser: boolean;
  setsRole: boolean;
}

function allowingTypes(types: ReadonlySet<string>): CheckPod {
  return (_metadata, spec) => {
    let bad: SeLinuxViolations | undefined;
    const podOptions = spec.securityContext?.seLinuxOptions ?? undefined;
    if (podOptions !== undefined && !isAllowed(podOptions, types)) {
      bad = { ...createViolations(), setsUser: false, setsRole: false };
      bad.podIsSetter = true;
      collect(podOptions, types, 'spec', bad);
    }
    let index = 0;
    for (let c = containerAt(spec, 0); c !== undefined; c = containerAt(spec, ++index)) {
      const options = c.securityContext?.seLinuxOptions ?? undefined;
      if (options === undefined || isAllowed(options, types)) continue;
      bad ??= { ...createViolations(), setsUser: false, setsRole: false };
      bad.containers.push(c.name ?? '');
      collect(options, types, containerPath(spec, index), bad);
    }
    return bad === undefined ? undefined : describe(bad);
  };
}

function isAllowed(options: SeLinuxOptions, types: ReadonlySet<string>): boolean {
  return (
    types.has(options.type ?? '') && (options.user ?? '') === '' && (options.role ?? '') === ''
  );
}

function collect(
  options: SeLinuxOptions,
  types: ReadonlySet<string>,
  owner: string,
  into: SeLinuxViolations,
): void {
  const path = `${owner}.securityContext.seLinuxOptions`;
  const type = options.type ?? '';
  if (!types.has(type)) {
    into.values.push(type);
    into.fieldErrors.push(forbiddenField(`${path}.type`, type));
  }
  if ((options.user ?? '') !== '') {
    into.setsUser = true;
    into.fieldErrors.push(forbiddenField(`${path}.user`, options.user));
  }
  if ((options.role ?? '') !== '') {
    into.setsRole = true;
    into.fieldErrors.push(forbiddenField(`${path}.role`, options.role));
  }
}

function describe(bad: SeLinuxViolations) {
  const faults: string[] = [];
  const badTypes = sortedSet(bad.values);
  if (badTypes.length > 0) {
    faults.push(`${plural('type', 'types', badTypes.length)} ${joinQuoted(badTypes)}`);
  }
  if (bad.setsUser) faults.push('user may not be set');
  if (bad.setsRole) faults.push('role may not be set');
  return {
    reason: 'seLinuxOptions',
    detail: `${settersOf(bad)} set forbidden securityContext.seLinuxOptions: ${faults.join('; ')}`,
    fieldErrors: bad.fieldErrors,
  };
}
