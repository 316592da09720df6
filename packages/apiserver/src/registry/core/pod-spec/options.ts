// Decides what validation of a pod specification tolerates: by release, and by what the object
// before the update already had (k8s.io/kubernetes/pkg/api/pod
// GetValidationOptionsFromPodSpecAndMeta).

import { parseQuantity } from '@keelson/apimachinery';
import type { Affinity, Pod, PodAffinityTerm, PodSpec } from '@keelson/apimachinery/types/core.v1';
import type { Features } from '../../../features/features.ts';
import type { Errors } from '../../validation/checks.ts';
import { labelSelector, type StringMap } from '../../validation/labels.ts';
import { dns1123Subdomain, strictEnvVarName } from '../../validation/names.ts';
import { localNonReservedPath } from '../../validation/paths.ts';
import { isHugePages } from '../../validation/resource-names.ts';
import { nodeSelector } from './affinity.ts';
import { deletionCostKey, isDeletionCost } from './pod-annotations.ts';
import { isDivisible } from './resources.ts';
import { sysctlNamespace } from './sysctls.ts';
import { allContainers } from './visit-containers.ts';
import type { PodSpecOptions } from './scope.ts';

export interface PodSpecAndAnnotations {
  readonly spec: PodSpec;
  readonly annotations?: StringMap;
}

export interface PodSpecOptionsRequest {
  readonly isPod: boolean;
  /** The specification before the update; absent when the object is made. */
  readonly old?: PodSpecAndAnnotations | undefined;
}

/** Of a pod that is updated, by whichever of its subresources. */
export function podUpdateOptions(features: Features, { spec, metadata }: Pod): PodSpecOptions {
  const { annotations = {} } = metadata;
  return podSpecOptions(features, { isPod: true, old: { spec, annotations } });
}

export function podSpecOptions(
  features: Features,
  { isPod, old }: PodSpecOptionsRequest,
): PodSpecOptions {
  const on = (gate: string) => features.enabled(gate);
  const had = (test: (spec: PodSpec) => boolean) => old !== undefined && test(old.spec);
  const cost = old?.annotations?.[deletionCostKey];
  return {
    isPod,
    allowPrivileged: true,
    allowInvalidPodDeletionCost: !on('PodDeletionCost') || !isDeletionCost(cost),
    allowInvalidLabelValueInSelector: had(hasInvalidPodSelector),
    allowInvalidLabelValueInNodeAffinity: had(hasInvalidNodeAffinity),
    allowInvalidTopologySpreadSelector: had(hasInvalidSpreadSelector),
    allowIndivisibleHugePages: had(hasIndivisibleHugePages),
    allowNonLocalProjectedTokenPath: had(hasNonLocalTokenPath),
    allowNamespacedSysctlsOnHost: had(hasNamespacedSysctlsOnHost),
    allowRelaxedEnvVarNames:
      on('RelaxedEnvironmentVariableValidation') || had(hasRelaxedEnvVarName),
    allowRelaxedDnsSearches: on('RelaxedDNSSearchValidation') || had(hasRelaxedDnsSearch),
    allowZeroSleep: on('PodLifecycleSleepActionAllowZero') || had(hasZeroSleep),
    allowSeLinuxMountOption:
      on('SELinuxMount') || had((s) => s.securityContext?.seLinuxChangePolicy !== undefined),
    allowVolumeDevicesWithUserNamespace: had(hasDevicesInUserNamespace),
    allowHostNetworkWithUserNamespace:
      on('UserNamespacesHostNetworkSupport') ||
      had((s) => s.hostUsers === false && s.hostNetwork === true),
    allowTolerationComparison: on('TaintTolerationComparisonOperators') || had(comparesTolerations),
    allowMatchLabelKeysInTopologySpreadSelector: on(
      'MatchLabelKeysInPodTopologySpreadSelectorMerge',
    ),
    podLevelResources: on('PodLevelResources') || had((s) => s.resources !== undefined),
    restartRules: on('ContainerRestartRules') || had(hasRestartRules),
    restartAllContainers: on('RestartAllContainersOnContainerExits'),
    strictAddresses: on('StrictIPCIDRValidation'),
    oldAddresses: new Set(old === undefined ? [] : addressesOf(old.spec)),
  };
}

/** True when the check finds something; used to see whether an old object broke a rule. */
function fails(check: (errors: Errors) => void): boolean {
  const errors: Errors = [];
  check(errors);
  return errors.length > 0;
}

function hasInvalidPodSelector({ affinity }: PodSpec): boolean {
  return podAffinityTerms(affinity).some((term) =>
    fails((errors) => {
      labelSelector(errors, '', term.labelSelector);
      labelSelector(errors, '', term.namespaceSelector);
    }),
  );
}

/** Terms of required and preferred pod affinity and anti-affinity. */
export function podAffinityTerms(affinity: Affinity | undefined): PodAffinityTerm[] {
  return [affinity?.podAffinity, affinity?.podAntiAffinity].flatMap((rules) => [
    ...(rules?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
    ...(rules?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map((t) => t.podAffinityTerm),
  ]);
}

function hasInvalidNodeAffinity({ affinity }: PodSpec): boolean {
  const terms = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  return terms !== undefined && fails((errors) => nodeSelector(errors, '', terms));
}

function hasInvalidSpreadSelector({ topologySpreadConstraints = [] }: PodSpec): boolean {
  return topologySpreadConstraints.some((c) =>
    fails((errors) => labelSelector(errors, '', c.labelSelector)),
  );
}

function hasIndivisibleHugePages(spec: PodSpec): boolean {
  return allContainers(spec).some(({ resources }) =>
    [resources?.limits, resources?.requests].some((list) =>
      Object.entries(list ?? {}).some(
        ([name, text]) => isHugePages(name) && !isDivisible(name, parseQuantity(text)),
      ),
    ),
  );
}

function hasNonLocalTokenPath({ volumes = [] }: PodSpec): boolean {
  const tokens = volumes.flatMap((v) =>
    (v.projected?.sources ?? []).flatMap((source) => source.serviceAccountToken ?? []),
  );
  return tokens.some(({ path }) => fails((errors) => localNonReservedPath(errors, '', path)));
}

function hasNamespacedSysctlsOnHost(spec: PodSpec): boolean {
  return (spec.securityContext?.sysctls ?? []).some(({ name }) => {
    const namespace = sysctlNamespace(name);
    return (
      (namespace === 'net' && spec.hostNetwork === true) ||
      (namespace === 'ipc' && spec.hostIPC === true)
    );
  });
}

function hasRelaxedEnvVarName(spec: PodSpec): boolean {
  return allContainers(spec).some(
    ({ env = [], envFrom = [] }) =>
      env.some(({ name }) => strictEnvVarName(name).length > 0) ||
      envFrom.some(({ prefix = '' }) => prefix !== '' && strictEnvVarName(prefix).length > 0),
  );
}

function hasRelaxedDnsSearch({ dnsConfig }: PodSpec): boolean {
  return (dnsConfig?.searches ?? []).some(
    (search) => search === '.' || dns1123Subdomain(search.replace(/\.$/, '')).length > 0,
  );
}

function hasZeroSleep(spec: PodSpec): boolean {
  return allContainers(spec).some(({ lifecycle }) =>
    [lifecycle?.preStop?.sleep, lifecycle?.postStart?.sleep].some(
      (sleep) => sleep !== undefined && Number(sleep.seconds) === 0,
    ),
  );
}

function hasDevicesInUserNamespace(spec: PodSpec): boolean {
  const devices = allContainers(spec).some((c) => (c.volumeDevices ?? []).length > 0);
  return spec.hostUsers === false && devices;
}

function comparesTolerations({ tolerations = [] }: PodSpec): boolean {
  return tolerations.some(({ operator }) => operator === 'Lt' || operator === 'Gt');
}

function hasRestartRules({ containers, initContainers }: PodSpec): boolean {
  const regular = containers ?? [];
  return (
    regular.some((c) => c.restartPolicy !== undefined) ||
    [...regular, ...(initContainers ?? [])].some((c) => (c.restartPolicyRules ?? []).length > 0)
  );
}

function addressesOf(spec: PodSpec): string[] {
  const aliases = (spec.hostAliases ?? []).map(({ ip }) => ip);
  return [...aliases, ...(spec.dnsConfig?.nameservers ?? [])];
}
