// All checks of the Pod Security Standards, and which of them make up each level and version.
//
// Findings are listed in this order: baseline checks by id, then restricted checks by id. A
// restricted check may override baseline checks of the same version, which then do not run: it
// covers what they cover, and one fault should not be told twice.

import type { Check, CheckId, CheckPod, VersionedCheck } from './check.ts';
import { allowPrivilegeEscalation } from './checks/allow-privilege-escalation.ts';
import { appArmorProfile } from './checks/app-armor-profile.ts';
import { capabilitiesBaseline } from './checks/capabilities-baseline.ts';
import { capabilitiesRestricted } from './checks/capabilities-restricted.ts';
import { hostNamespaces } from './checks/host-namespaces.ts';
import { hostPathVolumes } from './checks/host-path-volumes.ts';
import { hostPorts } from './checks/host-ports.ts';
import { hostProbesAndHostLifecycle } from './checks/host-probes-and-host-lifecycle.ts';
import { privileged } from './checks/privileged.ts';
import { procMountRestricted } from './checks/proc-mount-restricted.ts';
import { procMount } from './checks/proc-mount.ts';
import { restrictedVolumes } from './checks/restricted-volumes.ts';
import { runAsNonRoot } from './checks/run-as-non-root.ts';
import { runAsUser } from './checks/run-as-user.ts';
import { seLinuxOptions } from './checks/se-linux-options.ts';
import { seccompProfileBaseline } from './checks/seccomp-profile-baseline.ts';
import { seccompProfileRestricted } from './checks/seccomp-profile-restricted.ts';
import { sysctls } from './checks/sysctls.ts';
import { windowsHostProcess } from './checks/windows-host-process.ts';

/** Every check, in the order of their findings; a test holds the order. */
export const checks: readonly Check[] = [
  appArmorProfile,
  capabilitiesBaseline,
  hostNamespaces,
  hostPathVolumes,
  hostPorts,
  hostProbesAndHostLifecycle,
  privileged,
  procMount,
  seLinuxOptions,
  seccompProfileBaseline,
  sysctls,
  windowsHostProcess,
  allowPrivilegeEscalation,
  capabilitiesRestricted,
  procMountRestricted,
  restrictedVolumes,
  runAsNonRoot,
  runAsUser,
  seccompProfileRestricted,
];

export interface PlannedCheck {
  readonly id: CheckId;
  readonly checkPod: CheckPod;
}

/** The checks that run for a level at policy version v1.`minor`. */
export function checksFor(
  level: 'privileged' | 'baseline' | 'restricted',
  minor: number,
  from: readonly Check[] = checks,
): PlannedCheck[] {
  if (level === 'privileged') return [];
  const overridden = new Set<CheckId>();
  const planned: { check: Check; version: VersionedCheck }[] = [];
  for (const check of from) {
    if (check.level === 'restricted' && level === 'baseline') continue;
    const version = check.versions.findLast(({ minimumVersion }) => minimumVersion <= minor);
    if (version === undefined) continue;
    planned.push({ check, version });
    for (const id of version.overrides ?? []) overridden.add(id);
  }
  return planned
    .filter(({ check }) => !(check.level === 'baseline' && overridden.has(check.id)))
    .map(({ check, version }) => ({ id: check.id, checkPod: version.checkPod }));
}

/** What is wrong with a list of checks, as texts; empty for a sound one. */
export function findRegistryFaults(list: readonly Check[]): string[] {
  const faults: string[] = [];
  const levelOf = new Map<CheckId, Check['level']>();
  for (const { id, level, versions } of list) {
    if (levelOf.has(id)) faults.push(`multiple checks registered for id ${id}`);
    levelOf.set(id, level);
    if (versions.length === 0) faults.push(`check ${id}: no versions`);
    for (let i = 1; i < versions.length; i++) {
      if ((versions[i - 1]?.minimumVersion ?? 0) >= (versions[i]?.minimumVersion ?? 0)) {
        faults.push(`check ${id}: versions must be strictly increasing`);
      }
    }
  }
  for (const { id, level, versions } of list) {
    for (const overridden of versions.flatMap((version) => version.overrides ?? [])) {
      if (level !== 'restricted') faults.push(`check ${id}: only restricted checks may override`);
      if (levelOf.get(overridden) !== 'baseline') {
        faults.push(`check ${id}: overrides ${overridden}, which is not a baseline check`);
      }
    }
  }
  return faults;
}
