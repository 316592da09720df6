// The configuration of a scheduler (KubeSchedulerConfiguration of kubescheduler.config.k8s.io/v1) as
// the scheduler uses it: with defaults, and every plugin's arguments in their own type.

import type { NodeAffinity, TopologySpreadConstraint } from '@keelson/apimachinery/types/core.v1';
import type { ExtenderConfiguration } from './extenders.ts';

/** Why a configuration cannot be used; the message is Kubernetes', where it has one. */
export class SchedulerConfigurationError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'SchedulerConfigurationError';
  }
}

export interface SchedulerConfiguration {
  /** 0: adaptive. */
  readonly percentageOfNodesToScore: number;
  readonly podInitialBackoffMs: number;
  readonly podMaxBackoffMs: number;
  /** At least one; their names differ. */
  readonly profiles: readonly ProfileConfiguration[];
  /** In the order in which they are asked. */
  readonly extenders: readonly ExtenderConfiguration[];
}

export interface ProfileConfiguration {
  readonly schedulerName: string;
  /** Instead of the scheduler's own. */
  readonly percentageOfNodesToScore?: number;
  readonly plugins: Readonly<Partial<Record<ExtensionPoint, PluginSet>>>;
  readonly args: PluginArguments;
}

export const extensionPoints = [
  'preEnqueue',
  'queueSort',
  'preFilter',
  'filter',
  'postFilter',
  'preScore',
  'score',
  'reserve',
  'permit',
  'preBind',
  'bind',
  'postBind',
  'multiPoint',
] as const;
export type ExtensionPoint = (typeof extensionPoints)[number];

export interface PluginSet {
  readonly enabled: readonly { readonly name: string; readonly weight: number }[];
  /** `*` is all. */
  readonly disabled: readonly string[];
}

export interface WeightedResource {
  readonly name: string;
  readonly weight: number;
}
/** Utilization in percent, and a score of 0 to 10 for it. */
export interface ShapePoint {
  readonly utilization: number;
  readonly score: number;
}
export type ScoringStrategyType = 'LeastAllocated' | 'MostAllocated' | 'RequestedToCapacityRatio';

export interface PluginArguments {
  readonly NodeResourcesFit: {
    readonly ignoredResources: readonly string[];
    readonly ignoredResourceGroups: readonly string[];
    readonly scoringStrategy: {
      readonly type: ScoringStrategyType;
      readonly resources: readonly WeightedResource[];
      readonly shape: readonly ShapePoint[];
    };
  };
  readonly NodeResourcesBalancedAllocation: { readonly resources: readonly string[] };
  readonly InterPodAffinity: {
    readonly hardPodAffinityWeight: number;
    readonly ignorePreferredTermsOfExistingPods: boolean;
  };
  readonly PodTopologySpread: {
    /** Undefined: the system's defaults. */
    readonly defaultConstraints: readonly TopologySpreadConstraint[] | undefined;
  };
  readonly NodeAffinity: { readonly addedAffinity: NodeAffinity | undefined };
  readonly DefaultPreemption: {
    readonly minCandidateNodesPercentage: number;
    readonly minCandidateNodesAbsolute: number;
  };
  readonly VolumeBinding: { readonly bindTimeoutMs: number };
  readonly DynamicResources: {
    /** 0: none. */
    readonly filterTimeoutMs: number;
    readonly bindingTimeoutMs: number;
  };
}

const cpuAndMemory = [
  { name: 'cpu', weight: 1 },
  { name: 'memory', weight: 1 },
];

export const defaultArguments: PluginArguments = {
  NodeResourcesFit: {
    ignoredResources: [],
    ignoredResourceGroups: [],
    scoringStrategy: { type: 'LeastAllocated', resources: cpuAndMemory, shape: [] },
  },
  NodeResourcesBalancedAllocation: { resources: ['cpu', 'memory'] },
  InterPodAffinity: { hardPodAffinityWeight: 1, ignorePreferredTermsOfExistingPods: false },
  PodTopologySpread: { defaultConstraints: undefined },
  NodeAffinity: { addedAffinity: undefined },
  DefaultPreemption: { minCandidateNodesPercentage: 10, minCandidateNodesAbsolute: 100 },
  VolumeBinding: { bindTimeoutMs: 600_000 },
  DynamicResources: { filterTimeoutMs: 10_000, bindingTimeoutMs: 600_000 },
};

export const defaultSchedulerName = 'default-scheduler';

export const defaultConfiguration: SchedulerConfiguration = {
  percentageOfNodesToScore: 0,
  podInitialBackoffMs: 1_000,
  podMaxBackoffMs: 10_000,
  profiles: [{ schedulerName: defaultSchedulerName, plugins: {}, args: defaultArguments }],
  extenders: [],
};
