// `spec.os`: a pod that says on which system it runs may only use the fields of that system. User
// namespaces stand here too: they exclude the namespaces of the host.

import { fieldError } from '@keelson/apimachinery';
import type {
  PodSecurityContext,
  PodSpec,
  SecurityContext,
} from '@keelson/apimachinery/types/core.v1';
import { required, type Errors } from '../../validation/checks.ts';
import { containersWithPath } from './visit-containers.ts';
import type { PodSpecScope } from './scope.ts';

export function operatingSystem(errors: Errors, path: string, spec: PodSpec): void {
  if (!spec.os) return;
  const { name } = spec.os;
  if (!required(errors, `${path}.os.name`, name)) return;
  if (name === 'linux') linux(errors, path, spec);
  else if (name === 'windows') windows(errors, path, spec);
  else errors.push(fieldError.notSupported(`${path}.os`, name, ['linux', 'windows']));
}

function linux(errors: Errors, path: string, spec: PodSpec): void {
  const why = 'windows options cannot be set for a linux pod';
  const check = (at: string, context: PodSecurityContext | SecurityContext | undefined) => {
    if (!context?.windowsOptions) return;
    errors.push(fieldError.forbidden(`${at}.securityContext.windowsOptions`, why));
  };
  check(path, spec.securityContext);
  for (const [container, at] of containersWithPath(spec, path))
    check(at, container.securityContext);
}

/** Fields of a Linux pod, in Kubernetes' order: of the security context (`sc.`) and of the pod. */
const linuxPodFields = [
  'sc.appArmorProfile',
  'sc.seLinuxOptions',
  'hostUsers',
  'hostPID',
  'hostIPC',
  'sc.seccompProfile',
  'sc.fsGroup',
  'sc.fsGroupChangePolicy',
  'sc.sysctls',
  'shareProcessNamespace',
  'sc.runAsUser',
  'sc.runAsGroup',
  'sc.supplementalGroups',
  'sc.supplementalGroupsPolicy',
  'sc.seLinuxChangePolicy',
] as const;

const linuxContainerFields = [
  'appArmorProfile',
  'seLinuxOptions',
  'seccompProfile',
  'capabilities',
  'readOnlyRootFilesystem',
  'privileged',
  'allowPrivilegeEscalation',
  'procMount',
  'runAsUser',
  'runAsGroup',
] as const;

function windows(errors: Errors, path: string, spec: PodSpec): void {
  const why = 'cannot be set for a windows pod';
  const context: Readonly<Record<string, unknown>> = { ...spec.securityContext };
  const pod: Readonly<Record<string, unknown>> = { ...spec };
  for (const field of linuxPodFields) {
    const inContext = field.startsWith('sc.');
    const name = inContext ? field.slice(3) : field;
    const value = (inContext ? context : pod)[name];
    if (value === undefined || ((name === 'hostPID' || name === 'hostIPC') && !value)) continue;
    const at = inContext ? `${path}.securityContext.${name}` : `${path}.${name}`;
    errors.push(fieldError.forbidden(at, why));
  }
  for (const [container, at] of containersWithPath(spec, path)) {
    for (const field of linuxContainerFields) {
      if (container.securityContext?.[field] === undefined) continue;
      errors.push(fieldError.forbidden(`${at}.securityContext.${field}`, why));
    }
  }
}

/** A pod with a user namespace of its own shares no other namespace with the host (KEP-127). */
export function userNamespace(
  errors: Errors,
  path: string,
  spec: PodSpec,
  { options }: Pick<PodSpecScope, 'options'>,
): void {
  if (spec.hostUsers !== false) return;
  const why = 'when `hostUsers` is false';
  if (spec.hostNetwork && !options.allowHostNetworkWithUserNamespace) {
    errors.push(fieldError.forbidden(`${path}.hostNetwork`, why));
  }
  // COMPAT: the capitals are Kubernetes'.
  if (spec.hostPID) errors.push(fieldError.forbidden(`${path}.HostPID`, why));
  if (spec.hostIPC) errors.push(fieldError.forbidden(`${path}.HostIPC`, why));
  if (options.allowVolumeDevicesWithUserNamespace) return;
  for (const [container, at] of containersWithPath(spec, path)) {
    if ((container.volumeDevices ?? []).length === 0) continue;
    errors.push(fieldError.forbidden(`${at}.volumeDevices`, why));
  }
}
