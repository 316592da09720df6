// What the checks of a pod specification share: what the release and the older state of the object
// allow, and what other parts of the same specification they refer to.

import type { PodSpec, Volume } from '@keelson/apimachinery/types/core.v1';

/**
 * What validation tolerates. A rule that came after objects were stored is not held against an
 * update of an object that broke it before (ratcheting), so most members say "the old object did".
 */
export interface PodSpecOptions {
  /** A Pod, not a template of one. */
  readonly isPod: boolean;
  readonly allowPrivileged: boolean;
  readonly allowInvalidPodDeletionCost: boolean;
  readonly allowInvalidLabelValueInSelector: boolean;
  readonly allowInvalidLabelValueInNodeAffinity: boolean;
  readonly allowInvalidTopologySpreadSelector: boolean;
  readonly allowIndivisibleHugePages: boolean;
  readonly allowNonLocalProjectedTokenPath: boolean;
  readonly allowNamespacedSysctlsOnHost: boolean;
  readonly allowRelaxedEnvVarNames: boolean;
  readonly allowRelaxedDnsSearches: boolean;
  readonly allowZeroSleep: boolean;
  readonly allowSeLinuxMountOption: boolean;
  readonly allowVolumeDevicesWithUserNamespace: boolean;
  readonly allowHostNetworkWithUserNamespace: boolean;
  readonly allowTolerationComparison: boolean;
  readonly allowMatchLabelKeysInTopologySpreadSelector: boolean;
  readonly podLevelResources: boolean;
  readonly restartRules: boolean;
  readonly restartAllContainers: boolean;
  /** IP addresses that the old object had: new ones must be in canonical form. */
  readonly strictAddresses: boolean;
  readonly oldAddresses: ReadonlySet<string>;
}

export interface PodSpecScope {
  readonly spec: PodSpec;
  readonly options: PodSpecOptions;
  /** Name of the pod, where it is known; names of claims of ephemeral volumes are made from it. */
  readonly podName: string;
  /** Valid volumes, by name. */
  readonly volumes: ReadonlyMap<string, Volume>;
  /** Names in `resourceClaims`. */
  readonly claimNames: ReadonlySet<string>;
  /** False when the pod has a user namespace of its own. */
  readonly hostUsers: boolean;
}
