// The arguments of plugins as they are decoded, and with the defaults of kube-scheduler.

import { parseGoDuration } from '@keelson/apimachinery';
import type { NodeAffinity, TopologySpreadConstraint } from '@keelson/apimachinery/types/core.v1';
import {
  defaultArguments,
  type PluginArguments,
  type ScoringStrategyType,
} from './scheduler-configuration.ts';

export interface DecodedResource {
  readonly name?: string;
  readonly weight?: number | bigint;
}
export interface DecodedPoint {
  readonly utilization?: number;
  readonly score?: number;
}

/** The fields of all plugins together; each has only its own. */
export interface DecodedArguments {
  readonly minCandidateNodesPercentage?: number;
  readonly minCandidateNodesAbsolute?: number;
  readonly filterTimeout?: string;
  readonly bindingTimeout?: string;
  readonly hardPodAffinityWeight?: number;
  readonly ignorePreferredTermsOfExistingPods?: boolean;
  readonly addedAffinity?: NodeAffinity;
  readonly resources?: readonly DecodedResource[];
  readonly ignoredResources?: readonly string[];
  readonly ignoredResourceGroups?: readonly string[];
  readonly scoringStrategy?: {
    readonly type?: string;
    readonly resources?: readonly DecodedResource[];
    readonly requestedToCapacityRatio?: { readonly shape?: readonly DecodedPoint[] };
  };
  readonly defaultConstraints?: readonly TopologySpreadConstraint[];
  readonly defaultingType?: string;
  readonly bindTimeoutSeconds?: number | bigint;
  readonly shape?: readonly DecodedPoint[];
}

/** `given` has been validated. */
export function argumentsOf(given: ReadonlyMap<string, DecodedArguments>): PluginArguments {
  const of = (name: keyof PluginArguments): DecodedArguments => given.get(name) ?? {};
  const defaults = defaultArguments;
  const preemption = of('DefaultPreemption');
  const { filterTimeout, bindingTimeout } = of('DynamicResources');
  const affinity = of('InterPodAffinity');
  const { defaultingType = 'System', defaultConstraints = [] } = of('PodTopologySpread');
  const { bindTimeoutSeconds } = of('VolumeBinding');
  const balanced = of('NodeResourcesBalancedAllocation').resources ?? [];
  return {
    NodeResourcesFit: fitOf(of('NodeResourcesFit')),
    NodeResourcesBalancedAllocation:
      balanced.length === 0
        ? defaults.NodeResourcesBalancedAllocation
        : { resources: balanced.map(({ name = '' }) => name) },
    InterPodAffinity: { ...defaults.InterPodAffinity, ...present(affinity) },
    PodTopologySpread: {
      defaultConstraints: defaultingType === 'List' ? defaultConstraints : undefined,
    },
    NodeAffinity: { addedAffinity: of('NodeAffinity').addedAffinity },
    DefaultPreemption: { ...defaults.DefaultPreemption, ...present(preemption) },
    VolumeBinding: {
      bindTimeoutMs:
        bindTimeoutSeconds === undefined
          ? defaults.VolumeBinding.bindTimeoutMs
          : Number(bindTimeoutSeconds) * 1_000,
    },
    DynamicResources: {
      filterTimeoutMs: millisecondsOf(filterTimeout, defaults.DynamicResources.filterTimeoutMs),
      bindingTimeoutMs: millisecondsOf(bindingTimeout, defaults.DynamicResources.bindingTimeoutMs),
    },
  };
}

export function millisecondsOf(duration: string | undefined, fallback: number): number {
  return duration === undefined ? fallback : Number(parseGoDuration(duration) / 1_000_000n);
}

/** Without kind and version, which all arguments have. */
function present<T extends DecodedArguments>(given: T): Omit<T, 'kind' | 'apiVersion'> {
  const { kind: _kind, apiVersion: _version, ...fields } = given as T & Record<string, unknown>;
  return fields as Omit<T, 'kind' | 'apiVersion'>;
}

function fitOf({
  ignoredResources = [],
  ignoredResourceGroups = [],
  scoringStrategy = {},
}: DecodedArguments): PluginArguments['NodeResourcesFit'] {
  const { type = 'LeastAllocated', resources = [], requestedToCapacityRatio } = scoringStrategy;
  const weighted = resources.map(({ name = '', weight }) => ({
    name,
    weight: Number(weight ?? 1),
  }));
  const shape = (requestedToCapacityRatio?.shape ?? []).map(({ utilization = 0, score = 0 }) => ({
    utilization,
    score,
  }));
  const usual = defaultArguments.NodeResourcesFit.scoringStrategy.resources;
  return {
    ignoredResources,
    ignoredResourceGroups,
    scoringStrategy: {
      type: type as ScoringStrategyType,
      resources: weighted.length === 0 ? usual : weighted,
      shape,
    },
  };
}
