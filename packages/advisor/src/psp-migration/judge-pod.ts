// Whether a PodSecurityPolicy admits a pod, as the admission plugin of 1.24 judged after its
// mutations. Each rule gives the fields that it refuses; an empty list is consent.

import type { JsonObject } from '@keelson/apimachinery';
import { appArmorPrefix } from './mutate-pod.ts';
import {
  objectOf,
  objectsOf,
  textOf,
  textsOf,
  type IdStrategy,
  type PodSecurityPolicy,
} from './pod-security-policy.ts';

/** The fields that are refused. */
export function judgePod(policy: PodSecurityPolicy, pod: JsonObject): string[] {
  const spec = objectOf(pod['spec']);
  const containers = ['initContainers', 'containers', 'ephemeralContainers'].flatMap((list) =>
    objectsOf(spec[list]),
  );
  return [
    ...hostRules(policy, spec),
    ...volumeRules(policy, spec, containers),
    ...podContextRules(policy, spec),
    ...annotationRules(policy, pod),
    ...containers.flatMap((container) => containerRules(policy, container, spec)),
  ];
}

function hostRules(policy: PodSecurityPolicy, spec: JsonObject): string[] {
  const { allowedRuntimeClassNames: classes } = policy;
  const runtimeClass = textOf(spec['runtimeClassName']);
  const isClassRefused =
    classes !== undefined &&
    runtimeClass !== '' &&
    !classes.includes('*') &&
    !classes.includes(runtimeClass);
  return [
    ...(['hostPID', 'hostIPC', 'hostNetwork'] as const).filter(
      (field) => spec[field] === true && !policy[field],
    ),
    ...(isClassRefused ? ['runtimeClassName'] : []),
  ];
}

function volumeRules(
  policy: PodSecurityPolicy,
  spec: JsonObject,
  containers: readonly JsonObject[],
): string[] {
  const refused: string[] = [];
  for (const volume of objectsOf(spec['volumes'])) {
    const name = textOf(volume['name']);
    const kind = Object.keys(volume).find((key) => key !== 'name') ?? 'emptyDir';
    const isToken =
      kind === 'projected' && policy.volumes.includes('secret') && isTokenVolume(volume);
    const isKind = policy.volumes.includes('*') || policy.volumes.includes(kind) || isToken;
    if (!isKind) refused.push(`volumes ${name} (${kind})`);
    else if (kind === 'hostPath' && !isHostPath(policy, volume, containers))
      refused.push(`volumes ${name} (${textOf(objectOf(volume['hostPath'])['path'])})`);
    else if (isDriverRefused(policy, volume)) refused.push(`volumes ${name} (driver)`);
  }
  return refused;
}

/** The volume in which every pod gets its token counts as a Secret. */
function isTokenVolume(volume: JsonObject): boolean {
  const sources = objectsOf(objectOf(volume['projected'])['sources']);
  return sources.every((source) =>
    ['serviceAccountToken', 'configMap', 'downwardAPI'].some((key) => source[key] !== undefined),
  );
}

function isHostPath(
  { allowedHostPaths }: PodSecurityPolicy,
  volume: JsonObject,
  containers: readonly JsonObject[],
): boolean {
  if (allowedHostPaths.length === 0) return true;
  const path = textOf(objectOf(volume['hostPath'])['path']);
  const matching = allowedHostPaths.filter(({ pathPrefix }) => isBelow(path, pathPrefix));
  if (matching.some(({ readOnly }) => !readOnly)) return true;
  const mounts = containers.flatMap(({ volumeMounts }) => objectsOf(volumeMounts));
  return (
    matching.length > 0 &&
    mounts.every(({ name, readOnly }) => name !== volume['name'] || readOnly === true)
  );
}

function isBelow(path: string, prefix: string): boolean {
  const base = prefix.replace(/\/+$/, '');
  return base === '' || path === base || path.startsWith(`${base}/`);
}

function isDriverRefused(policy: PodSecurityPolicy, volume: JsonObject): boolean {
  const refuses = (allowed: readonly string[], kind: string) =>
    allowed.length > 0 &&
    volume[kind] !== undefined &&
    !allowed.includes(textOf(objectOf(volume[kind])['driver']));
  return (
    refuses(policy.allowedCSIDrivers, 'csi') || refuses(policy.allowedFlexVolumes, 'flexVolume')
  );
}

const safeSysctls: readonly string[] = [
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.ping_group_range',
  'net.ipv4.ip_unprivileged_port_start',
];

function podContextRules(policy: PodSecurityPolicy, spec: JsonObject): string[] {
  const context = objectOf(spec['securityContext']);
  const matches = (patterns: readonly string[], name: string) =>
    patterns.some(
      (one) => one === name || (one.endsWith('*') && name.startsWith(one.slice(0, -1))),
    );
  const sysctls = objectsOf(context['sysctls'])
    .map(({ name }) => textOf(name))
    .filter(
      (name) =>
        matches(policy.forbiddenSysctls, name) ||
        !(safeSysctls.includes(name) || matches(policy.allowedUnsafeSysctls, name)),
    );
  const groups = Array.isArray(context['supplementalGroups']) ? context['supplementalGroups'] : [];
  const ids = (value: unknown): readonly unknown[] => (value === undefined ? [] : [value]);
  return [
    ...sysctls.map((name) => `sysctls ${name}`),
    ...(isGroups(policy.fsGroup, ids(context['fsGroup'])) ? [] : ['securityContext.fsGroup']),
    ...(isGroups(policy.supplementalGroups, groups) ? [] : ['securityContext.supplementalGroups']),
  ];
}

/** Where one is required there must be one; all that there are must be in a range. */
function isGroups({ rule, ranges }: IdStrategy, ids: readonly unknown[]): boolean {
  if (rule === 'RunAsAny') return true;
  if (rule === 'MustRunAs' && ids.length === 0) return false;
  return ids.every((id) => ranges.some(({ min, max }) => Number(id) >= min && Number(id) <= max));
}

function annotationRules({ appArmor }: PodSecurityPolicy, pod: JsonObject): string[] {
  const { allowed } = appArmor;
  if (allowed === undefined || allowed.includes('*')) return [];
  const annotations = objectOf(objectOf(pod['metadata'])['annotations']);
  return Object.entries(annotations)
    .filter(([key, value]) => key.startsWith(appArmorPrefix) && !allowed.includes(String(value)))
    .map(([key]) => `annotations ${key}`);
}

function containerRules(
  policy: PodSecurityPolicy,
  container: JsonObject,
  spec: JsonObject,
): string[] {
  const context = objectOf(container['securityContext']);
  const ofPod = objectOf(spec['securityContext']);
  const effective = (key: string) => context[key] ?? ofPod[key];
  const where = `container ${textOf(container['name'])}: `;
  const refused: string[] = [];
  const check = (field: string, isAllowed: boolean) => {
    if (!isAllowed) refused.push(where + field);
  };
  check('privileged', policy.privileged || context['privileged'] !== true);
  check(
    'allowPrivilegeEscalation',
    policy.allowPrivilegeEscalation || context['allowPrivilegeEscalation'] === false,
  );
  check(
    'readOnlyRootFilesystem',
    !policy.readOnlyRootFilesystem || context['readOnlyRootFilesystem'] === true,
  );
  check('capabilities', areCapabilities(policy, objectOf(context['capabilities'])));
  check('runAsUser', isUser(policy.runAsUser, effective('runAsUser'), effective('runAsNonRoot')));
  const group = effective('runAsGroup');
  check('runAsGroup', isGroups(policy.runAsGroup, group === undefined ? [] : [group]));
  const procMount = textOf(context['procMount']) || 'Default';
  const types = policy.allowedProcMountTypes;
  check('procMount', types.length === 0 ? procMount === 'Default' : types.includes(procMount));
  check('seLinuxOptions', isSeLinux(policy, objectOf(effective('seLinuxOptions'))));
  check('seccompProfile', isSeccomp(policy, objectOf(effective('seccompProfile'))));
  const ports = objectsOf(container['ports']).map(({ hostPort }) => Number(hostPort ?? 0));
  const isPort = (port: number) =>
    policy.hostPorts.some(({ min, max }) => port >= min && port <= max);
  check(
    'hostPort',
    ports.every((port) => port === 0 || isPort(port)),
  );
  return refused;
}

function areCapabilities(policy: PodSecurityPolicy, { add, drop }: JsonObject): boolean {
  const { allowedCapabilities, defaultAddCapabilities, requiredDropCapabilities } = policy;
  const allowed = [...allowedCapabilities, ...defaultAddCapabilities];
  const dropped = textsOf(drop);
  return (
    textsOf(add).every((one) => allowed.includes('*') || allowed.includes(one)) &&
    requiredDropCapabilities.every((one) => dropped.includes(one))
  );
}

function isUser({ rule, ranges }: IdStrategy, user: unknown, nonRoot: unknown): boolean {
  if (rule === 'MustRunAsNonRoot')
    return user === undefined ? nonRoot === true : Number(user) !== 0;
  if (rule !== 'MustRunAs') return true;
  return ranges.some(({ min, max }) => Number(user) >= min && Number(user) <= max);
}

function isSeLinux({ seLinuxOptions }: PodSecurityPolicy, actual: JsonObject): boolean {
  if (seLinuxOptions === undefined) return true;
  return ['user', 'role', 'type', 'level'].every(
    (key) => textOf(seLinuxOptions[key]) === textOf(actual[key]),
  );
}

function isSeccomp({ seccomp }: PodSecurityPolicy, profile: JsonObject): boolean {
  const type = textOf(profile['type']);
  if (seccomp.allowed === undefined) return type === '';
  if (seccomp.allowed.includes('*')) return true;
  const names: Readonly<Record<string, readonly string[]>> = {
    RuntimeDefault: ['runtime/default', 'docker/default'],
    Localhost: [`localhost/${textOf(profile['localhostProfile'])}`, 'localhost/*'],
    Unconfined: ['unconfined'],
    '': ['unconfined'],
  };
  return (names[type] ?? []).some((name) => seccomp.allowed?.includes(name) === true);
}
