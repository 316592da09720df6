// The fields of a KubeSchedulerConfiguration and of the arguments of plugins, for the strict decoder.

import {
  builtinType,
  configurationList as list,
  configurationStruct as struct,
  type StructType,
  type TypeRef,
} from '@keelson/apimachinery';
import { extensionPoints } from './scheduler-configuration.ts';

const string: TypeRef = { kind: 'string' };
const bool: TypeRef = { kind: 'bool' };
const int: TypeRef = { kind: 'int32' };
const int64: TypeRef = { kind: 'int64' };
const duration: TypeRef = { kind: 'duration' };
const bytes: TypeRef = { kind: 'bytes' };
const any: TypeRef = { kind: 'any' };

const plugin = struct('Plugin', { name: string, weight: int });
const pluginSet = struct('PluginSet', { enabled: list(plugin), disabled: list(plugin) });
const profile = struct('KubeSchedulerProfile', {
  schedulerName: string,
  percentageOfNodesToScore: int,
  plugins: struct(
    'Plugins',
    Object.fromEntries(extensionPoints.map((point) => [point, pluginSet])),
  ),
  pluginConfig: list(struct('PluginConfig', { name: string, args: any })),
});

const extender = struct('Extender', {
  urlPrefix: string,
  filterVerb: string,
  preemptVerb: string,
  prioritizeVerb: string,
  weight: int64,
  bindVerb: string,
  enableHTTPS: bool,
  tlsConfig: struct('ExtenderTLSConfig', {
    insecure: bool,
    serverName: string,
    certFile: string,
    keyFile: string,
    caFile: string,
    certData: bytes,
    keyData: bytes,
    caData: bytes,
  }),
  httpTimeout: duration,
  nodeCacheCapable: bool,
  managedResources: list(
    struct('ExtenderManagedResource', { name: string, ignoredByScheduler: bool }),
  ),
  ignorable: bool,
});

export const configurationType: StructType = struct('KubeSchedulerConfiguration', {
  apiVersion: string,
  kind: string,
  parallelism: int,
  leaderElection: struct('LeaderElectionConfiguration', {
    leaderElect: bool,
    leaseDuration: duration,
    renewDeadline: duration,
    retryPeriod: duration,
    resourceLock: string,
    resourceName: string,
    resourceNamespace: string,
  }),
  clientConnection: struct('ClientConnectionConfiguration', {
    kubeconfig: string,
    acceptContentTypes: string,
    contentType: string,
    qps: { kind: 'double' },
    burst: int,
  }),
  enableProfiling: bool,
  enableContentionProfiling: bool,
  percentageOfNodesToScore: int,
  podInitialBackoffSeconds: int64,
  podMaxBackoffSeconds: int64,
  profiles: list(profile),
  extenders: list(extender),
  delayCacheUntilActive: bool,
}).type;

const kinds = { apiVersion: string, kind: string };
const resources = list(struct('ResourceSpec', { name: string, weight: int64 }));
const shape = list(struct('UtilizationShapePoint', { utilization: int, score: int }));

/** By name of the plugin; the kind is the name and `Args`. */
export const argumentTypes: Readonly<Record<string, StructType>> = {
  DefaultPreemption: struct('DefaultPreemptionArgs', {
    ...kinds,
    minCandidateNodesPercentage: int,
    minCandidateNodesAbsolute: int,
  }).type,
  DynamicResources: struct('DynamicResourcesArgs', {
    ...kinds,
    filterTimeout: duration,
    bindingTimeout: duration,
  }).type,
  InterPodAffinity: struct('InterPodAffinityArgs', {
    ...kinds,
    hardPodAffinityWeight: int,
    ignorePreferredTermsOfExistingPods: bool,
  }).type,
  NodeAffinity: struct('NodeAffinityArgs', {
    ...kinds,
    addedAffinity: builtin('io.k8s.api.core.v1.NodeAffinity'),
  }).type,
  NodeResourcesBalancedAllocation: struct('NodeResourcesBalancedAllocationArgs', {
    ...kinds,
    resources,
  }).type,
  NodeResourcesFit: struct('NodeResourcesFitArgs', {
    ...kinds,
    ignoredResources: list(string),
    ignoredResourceGroups: list(string),
    scoringStrategy: struct('ScoringStrategy', {
      type: string,
      resources,
      requestedToCapacityRatio: struct('RequestedToCapacityRatioParam', { shape }),
    }),
  }).type,
  PodTopologySpread: struct('PodTopologySpreadArgs', {
    ...kinds,
    defaultConstraints: list(builtin('io.k8s.api.core.v1.TopologySpreadConstraint')),
    defaultingType: string,
  }).type,
  VolumeBinding: struct('VolumeBindingArgs', { ...kinds, bindTimeoutSeconds: int64, shape }).type,
};

function builtin(name: string): TypeRef {
  const type = builtinType(name);
  if (type === undefined) throw new Error(`there is no type ${name}`);
  return { kind: 'struct', type };
}
