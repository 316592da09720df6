// What the processes of a pod may do on the node: users, privileges, kernel filters, sysctls. The
// checks here keep the fields meaningful; what is allowed in a namespace is for admission to say.

import { fieldError } from '@keelson/apimachinery';
import type {
  AppArmorProfile,
  PodSecurityContext,
  PodSpec,
  SeccompProfile,
  SecurityContext,
} from '@keelson/apimachinery/types/core.v1';
import { internalValue } from '../../internal-form/internal-value.ts';
import { idRange, inRange, oneOf, type Errors } from '../../validation/checks.ts';
import { isLongerThan } from '../../validation/names.ts';
import { localDescendingPath } from '../../validation/paths.ts';
import { sysctlFormat, sysctlNamespace, sysctlPattern } from './sysctls.ts';
import { windowsOptions } from './windows-options.ts';
import type { PodSpecScope } from './scope.ts';

type ContextScope = Pick<PodSpecScope, 'hostUsers' | 'options'>;

const profileTypes = ['Localhost', 'RuntimeDefault', 'Unconfined'];

export function containerSecurityContext(
  errors: Errors,
  path: string,
  context: SecurityContext | undefined,
  scope: ContextScope,
): void {
  if (!context) return;
  if (context.privileged === true && !scope.options.allowPrivileged) {
    errors.push(fieldError.forbidden(`${path}.privileged`, 'disallowed by cluster policy'));
  }
  inRange(errors, `${path}.runAsUser`, context.runAsUser, idRange);
  inRange(errors, `${path}.runAsGroup`, context.runAsGroup, idRange);
  if (context.procMount !== undefined) {
    oneOf(errors, `${path}.procMount`, context.procMount, ['Default', 'Unmasked']);
    if (scope.hostUsers && context.procMount === 'Unmasked') {
      const why = '`hostUsers` must be false to use `Unmasked`';
      errors.push(fieldError.invalid(`${path}.procMount`, context.procMount, why));
    }
  }
  seccompProfile(errors, `${path}.seccompProfile`, context.seccompProfile);
  if (context.allowPrivilegeEscalation === false) noEscalation(errors, path, context);
  windowsOptions(errors, `${path}.windowsOptions`, context.windowsOptions);
  appArmorProfile(errors, `${path}.appArmorProfile`, context.appArmorProfile);
}

/** `allowPrivilegeEscalation: false` cannot be kept by a process that has every privilege. */
function noEscalation(errors: Errors, path: string, context: SecurityContext): void {
  const refuse = (what: string) => {
    const why = `cannot set \`allowPrivilegeEscalation\` to false and ${what}`;
    errors.push(fieldError.invalid(path, internalValue('SecurityContext', context), why));
  };
  if (context.privileged === true) refuse('`privileged` to true');
  for (const capability of context.capabilities?.add ?? []) {
    if (capability === 'CAP_SYS_ADMIN') refuse('`capabilities.Add` CAP_SYS_ADMIN');
  }
}

export function podSecurityContext(
  errors: Errors,
  path: string,
  [context, spec]: readonly [PodSecurityContext | undefined, PodSpec],
  scope: ContextScope,
): void {
  if (!context) return;
  inRange(errors, `${path}.fsGroup`, context.fsGroup, idRange);
  inRange(errors, `${path}.runAsUser`, context.runAsUser, idRange);
  inRange(errors, `${path}.runAsGroup`, context.runAsGroup, idRange);
  context.supplementalGroups?.forEach((id, i) => {
    inRange(errors, `${path}.supplementalGroups[${i}]`, id, idRange);
  });
  if (spec.shareProcessNamespace === true && spec.hostPID === true) {
    const why = 'ShareProcessNamespace and HostPID cannot both be enabled';
    errors.push(fieldError.invalid(`${path}.shareProcessNamespace`, true, why));
  }
  sysctls(errors, `${path}.sysctls`, [context, spec], scope);
  optionalOneOf(errors, `${path}.fsGroupChangePolicy`, context.fsGroupChangePolicy, [
    'Always',
    'OnRootMismatch',
  ]);
  seccompProfile(errors, `${path}.seccompProfile`, context.seccompProfile);
  windowsOptions(errors, `${path}.windowsOptions`, context.windowsOptions);
  appArmorProfile(errors, `${path}.appArmorProfile`, context.appArmorProfile);
  optionalOneOf(errors, `${path}.supplementalGroupsPolicy`, context.supplementalGroupsPolicy, [
    'Merge',
    'Strict',
  ]);
  const relabelling = scope.options.allowSeLinuxMountOption
    ? ['MountOption', 'Recursive']
    : ['Recursive'];
  optionalOneOf(errors, `${path}.seLinuxChangePolicy`, context.seLinuxChangePolicy, relabelling);
}

function optionalOneOf(
  errors: Errors,
  path: string,
  value: string | undefined,
  supported: readonly string[],
): void {
  if (value !== undefined) oneOf(errors, path, value, supported);
}

function sysctls(
  errors: Errors,
  path: string,
  [context, spec]: readonly [PodSecurityContext, PodSpec],
  scope: ContextScope,
): void {
  const names = new Set<string>();
  context.sysctls?.forEach(({ name }, i) => {
    const at = `${path}[${i}].name`;
    if (name === '') errors.push(fieldError.required(at));
    else if (isLongerThan(name, 253) || !sysctlPattern.test(name)) {
      const why = `must have at most 253 characters and match regex ${sysctlFormat}`;
      errors.push(fieldError.invalid(at, name, why));
    } else if (names.has(name)) errors.push(fieldError.duplicate(at, name));
    names.add(name);
    if (scope.options.allowNamespacedSysctlsOnHost) return;
    const namespace = sysctlNamespace(name);
    const shared =
      namespace === 'net' && spec.hostNetwork
        ? 'hostNetwork'
        : namespace === 'ipc' && spec.hostIPC
          ? 'hostIPC'
          : undefined;
    if (shared === undefined) return;
    errors.push(fieldError.invalid(at, name, `may not be specified when '${shared}' is true`));
  });
}

function seccompProfile(errors: Errors, path: string, profile: SeccompProfile | undefined): void {
  if (!profile) return;
  profileType(errors, `${path}.type`, profile.type, 'seccompProfile');
  const file = profile.localhostProfile;
  const at = `${path}.localhostProfile`;
  if (profile.type !== 'Localhost') {
    if (file === undefined) return;
    const why = 'can only be set when seccomp type is Localhost';
    errors.push(fieldError.invalid(at, internalValue('SeccompProfile', profile), why));
  } else if (file === undefined) {
    errors.push(fieldError.required(at, 'must be set when seccomp type is Localhost'));
  } else localDescendingPath(errors, at, file);
}

const pathBytesMax = 4095;

export function appArmorProfile(
  errors: Errors,
  path: string,
  profile: AppArmorProfile | undefined,
): void {
  if (!profile) return;
  const file = profile.localhostProfile;
  const at = `${path}.localhostProfile`;
  if (profile.type === 'Localhost') {
    if (file === undefined || file === '') {
      errors.push(fieldError.required(at, 'must be set when AppArmor type is Localhost'));
    } else if (file.trim() !== file) {
      errors.push(fieldError.invalid(at, file, 'must not be padded with whitespace'));
    }
    if (isLongerThan(file ?? '', pathBytesMax)) errors.push(fieldError.tooLong(at, pathBytesMax));
    return;
  }
  const known = profileType(errors, `${path}.type`, profile.type, 'appArmorProfile');
  if (known && file !== undefined) {
    errors.push(fieldError.invalid(at, file, 'can only be set when AppArmor type is Localhost'));
  }
}

function profileType(errors: Errors, path: string, type: string, field: string): boolean {
  if (type === '') {
    errors.push(fieldError.required(path, `type is required when ${field} is set`));
    return false;
  }
  return oneOf(errors, path, type, profileTypes);
}
