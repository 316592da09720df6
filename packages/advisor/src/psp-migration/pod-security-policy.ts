// PodSecurityPolicy (policy/v1beta1, extensions/v1beta1) as it was until 1.24. No release that is
// emulated here serves it, so it is read from files only, leniently: what is not there is not
// asked.

import { isJsonObject, type JsonObject } from '@keelson/apimachinery';

export interface IdRange {
  readonly min: number;
  readonly max: number;
}

export type IdRule = 'RunAsAny' | 'MustRunAs' | 'MayRunAs' | 'MustRunAsNonRoot';

export interface IdStrategy {
  readonly rule: IdRule;
  readonly ranges: readonly IdRange[];
}

export interface AllowedHostPath {
  readonly pathPrefix: string;
  readonly readOnly: boolean;
}

export interface PodSecurityPolicy {
  readonly name: string;
  readonly privileged: boolean;
  readonly hostPID: boolean;
  readonly hostIPC: boolean;
  readonly hostNetwork: boolean;
  readonly hostPorts: readonly IdRange[];
  /** `*` is every kind. */
  readonly volumes: readonly string[];
  /** Empty: all. */
  readonly allowedHostPaths: readonly AllowedHostPath[];
  readonly allowedCSIDrivers: readonly string[];
  readonly allowedFlexVolumes: readonly string[];
  readonly allowedCapabilities: readonly string[];
  readonly defaultAddCapabilities: readonly string[];
  readonly requiredDropCapabilities: readonly string[];
  readonly allowPrivilegeEscalation: boolean;
  readonly defaultAllowPrivilegeEscalation: boolean | undefined;
  readonly readOnlyRootFilesystem: boolean;
  readonly runAsUser: IdStrategy;
  readonly runAsGroup: IdStrategy;
  readonly fsGroup: IdStrategy;
  readonly supplementalGroups: IdStrategy;
  /** Absent: any. */
  readonly seLinuxOptions: JsonObject | undefined;
  readonly allowedProcMountTypes: readonly string[];
  readonly allowedUnsafeSysctls: readonly string[];
  readonly forbiddenSysctls: readonly string[];
  readonly allowedRuntimeClassNames: readonly string[] | undefined;
  readonly defaultRuntimeClassName: string | undefined;
  /** Of annotations: `runtime/default`, `localhost/…`, `unconfined`, `*`. */
  readonly seccomp: ProfileRule;
  readonly appArmor: ProfileRule;
}

export interface ProfileRule {
  /** Undefined: nothing was said, so nothing is asked. */
  readonly allowed: readonly string[] | undefined;
  readonly defaultProfile: string | undefined;
}

export function isPodSecurityPolicy({ apiVersion, kind }: JsonObject): boolean {
  const groups = ['policy/v1beta1', 'extensions/v1beta1'];
  return kind === 'PodSecurityPolicy' && groups.includes(String(apiVersion));
}

export function parsePodSecurityPolicy(object: JsonObject): PodSecurityPolicy {
  const metadata = objectOf(object['metadata']);
  const spec = objectOf(object['spec']);
  const annotations = objectOf(metadata['annotations']);
  const flag = (key: string, fallback = false) =>
    typeof spec[key] === 'boolean' ? spec[key] : fallback;
  const runtimeClass = spec['runtimeClass'];
  const runtimeClasses = objectOf(runtimeClass);
  const seLinux = objectOf(spec['seLinux']);
  return {
    name: textOf(metadata['name']),
    privileged: flag('privileged'),
    hostPID: flag('hostPID'),
    hostIPC: flag('hostIPC'),
    hostNetwork: flag('hostNetwork'),
    hostPorts: rangesOf(spec['hostPorts']),
    volumes: textsOf(spec['volumes']),
    allowedHostPaths: objectsOf(spec['allowedHostPaths']).map((path) => ({
      pathPrefix: textOf(path['pathPrefix']),
      readOnly: path['readOnly'] === true,
    })),
    allowedCSIDrivers: objectsOf(spec['allowedCSIDrivers']).map(({ name }) => textOf(name)),
    allowedFlexVolumes: objectsOf(spec['allowedFlexVolumes']).map(({ driver }) => textOf(driver)),
    allowedCapabilities: textsOf(spec['allowedCapabilities']),
    defaultAddCapabilities: textsOf(spec['defaultAddCapabilities']),
    requiredDropCapabilities: textsOf(spec['requiredDropCapabilities']),
    allowPrivilegeEscalation: flag('allowPrivilegeEscalation', true),
    defaultAllowPrivilegeEscalation:
      typeof spec['defaultAllowPrivilegeEscalation'] === 'boolean'
        ? spec['defaultAllowPrivilegeEscalation']
        : undefined,
    readOnlyRootFilesystem: flag('readOnlyRootFilesystem'),
    runAsUser: strategyOf(spec['runAsUser']),
    runAsGroup: strategyOf(spec['runAsGroup']),
    fsGroup: strategyOf(spec['fsGroup']),
    supplementalGroups: strategyOf(spec['supplementalGroups']),
    seLinuxOptions:
      seLinux['rule'] === 'MustRunAs' ? objectOf(seLinux['seLinuxOptions']) : undefined,
    allowedProcMountTypes: textsOf(spec['allowedProcMountTypes']),
    allowedUnsafeSysctls: textsOf(spec['allowedUnsafeSysctls']),
    forbiddenSysctls: textsOf(spec['forbiddenSysctls']),
    allowedRuntimeClassNames: isJsonObject(runtimeClass)
      ? textsOf(runtimeClasses['allowedRuntimeClassNames'])
      : undefined,
    defaultRuntimeClassName: textOf(runtimeClasses['defaultRuntimeClassName']) || undefined,
    seccomp: profilesOf(annotations, 'seccomp.security.alpha.kubernetes.io'),
    appArmor: profilesOf(annotations, 'apparmor.security.beta.kubernetes.io'),
  };
}

function profilesOf(annotations: JsonObject, prefix: string): ProfileRule {
  const allowed = textOf(annotations[`${prefix}/allowedProfileNames`]);
  const defaultProfile = textOf(annotations[`${prefix}/defaultProfileName`]);
  return {
    allowed: allowed === '' ? undefined : allowed.split(',').map((name) => name.trim()),
    defaultProfile: defaultProfile === '' ? undefined : defaultProfile,
  };
}

const rules: readonly IdRule[] = ['MustRunAs', 'MayRunAs', 'MustRunAsNonRoot'];

function strategyOf(value: unknown): IdStrategy {
  const strategy = objectOf(value);
  const rule = rules.find((known) => known === strategy['rule']) ?? 'RunAsAny';
  return { rule, ranges: rangesOf(strategy['ranges']) };
}

function rangesOf(value: unknown): IdRange[] {
  return objectsOf(value).map(({ min, max }) => ({ min: Number(min), max: Number(max) }));
}

export function objectOf(value: unknown): JsonObject {
  return isObject(value) ? value : {};
}

export function objectsOf(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

export function textsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
}

export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
