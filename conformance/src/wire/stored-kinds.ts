// Every kind of 1.36 that can be watched, each in its newest version, and how to start a server that
// serves all of them: kinds that exist in beta and alpha versions only must be asked for, and their
// feature gates switched on.

import {
  builtinResources,
  optionalResources,
  type ResourceDefinition,
} from '@keelson/apimachinery';

const isWatched = ({ verbs }: ResourceDefinition) => verbs.includes('watch');
const idOf = ({ group, resource }: ResourceDefinition) => `${group}/${resource}`;

const served = builtinResources().filter(isWatched);
const known = new Set(served.map(idOf));
const optional = new Map(
  optionalResources()
    .filter((definition) => isWatched(definition) && !known.has(idOf(definition)))
    .toReversed()
    .map((definition) => [idOf(definition), definition]),
);

export const storedKinds: readonly ResourceDefinition[] = [...served, ...optional.values()];

export const everyKind = {
  runtimeConfig: 'api/all=true',
  featureGates: {
    ClusterTrustBundle: true,
    DRADeviceTaintRules: true,
    DRAResourcePoolStatus: true,
    GenericWorkload: true,
    PodCertificateRequest: true,
    DRAWorkloadResourceClaims: true,
    StorageVersionMigrator: true,
    TopologyAwareWorkloadScheduling: true,
    WorkloadAwarePreemption: true,
  },
} as const;
