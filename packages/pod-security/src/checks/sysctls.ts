// sysctls (baseline): only kernel parameters that are namespaced and cannot harm the node.
//
// Fields: spec.securityContext.sysctls[*].name.
// Allowed: the names below, by version, compared literally: net/ipv4/… is forbidden.
// Versions: 1.0, 1.27, 1.29, 1.32, each adding to the one before.

import { createViolations, type Check, type CheckPod, type Violations } from '../check.ts';
import { forbiddenField } from '../field-error.ts';

const names1_0 = [
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.ping_group_range',
  'net.ipv4.ip_unprivileged_port_start',
];
const names1_27 = [...names1_0, 'net.ipv4.ip_local_reserved_ports'];
const names1_29 = [
  ...names1_27,
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
];
const names1_32 = [...names1_29, 'net.ipv4.tcp_rmem', 'net.ipv4.tcp_wmem'];

export const sysctls: Check = {
  id: 'sysctls',
  level: 'baseline',
  versions: [
    { minimumVersion: 0, checkPod: allowingNames(names1_0) },
    { minimumVersion: 27, checkPod: allowingNames(names1_27) },
    { minimumVersion: 29, checkPod: allowingNames(names1_29) },
    { minimumVersion: 32, checkPod: allowingNames(names1_32) },
  ],
};

function allowingNames(names: readonly string[]): CheckPod {
  const allowed: ReadonlySet<string> = new Set(names);
  return (_metadata, spec) => {
    const requested = spec.securityContext?.sysctls ?? undefined;
    if (requested === undefined) return undefined;
    let bad: Violations | undefined;
    for (let i = 0; i < requested.length; i++) {
      const name = requested[i]?.name ?? '';
      if (allowed.has(name)) continue;
      bad ??= createViolations();
      bad.values.push(name);
      bad.fieldErrors.push(forbiddenField(`spec.securityContext.sysctls[${i}].name`, name));
    }
    if (bad === undefined) return undefined;
    return {
      reason: 'forbidden sysctls',
      detail: bad.values.join(', '),
      fieldErrors: bad.fieldErrors,
    };
  };
}
