// The plugins of kube-scheduler's default profile, in its order. The order of filters decides which
// reason a user reads.

import { defaultArguments, type PluginArguments } from './configuration/scheduler-configuration.ts';
import { isFromDevices } from './dra/extended-resources.ts';
import type { SchedulerPlugin } from './framework.ts';
import type { PodGroupTracker } from './gangs/pod-group-tracker.ts';
import type { SchedulerMetrics } from './metrics/scheduler-metrics.ts';
import type { ObjectLookup } from './object-lookup.ts';
import {
  createDynamicResources,
  type DynamicResourcesOptions,
} from './plugins/dynamic-resources.ts';
import { createGangScheduling } from './plugins/gang-scheduling.ts';
import { createImageLocality } from './plugins/image-locality.ts';
import { createInterPodAffinity } from './plugins/inter-pod-affinity.ts';
import { createNodeAffinity } from './plugins/node-affinity.ts';
import { createNodeDeclaredFeatures } from './plugins/node-declared-features.ts';
import { createNodeName } from './plugins/node-name.ts';
import { createNodePorts } from './plugins/node-ports.ts';
import { createNodeResourcesBalancedAllocation } from './plugins/node-resources-balanced-allocation.ts';
import { createNodeResourcesFit } from './plugins/node-resources-fit.ts';
import { createNodeUnschedulable } from './plugins/node-unschedulable.ts';
import { createPodTopologySpread } from './plugins/pod-topology-spread.ts';
import { createSchedulingGates } from './plugins/scheduling-gates.ts';
import { createTaintToleration } from './plugins/taint-toleration.ts';
import { createNodeVolumeLimits } from './plugins/node-volume-limits.ts';
import { createVolumeBinding } from './plugins/volume-binding.ts';
import { createVolumeRestrictions } from './plugins/volume-restrictions.ts';
import { createVolumeZone } from './plugins/volume-zone.ts';
import {
  createDefaultPreemption,
  type DefaultPreemptionOptions,
} from './preemption/default-preemption.ts';

export interface DefaultProfileOptions
  extends
    Omit<DefaultPreemptionOptions, 'lookup' | 'args' | 'metrics'>,
    Omit<DynamicResourcesOptions, 'claims' | 'args' | 'metrics'> {
  readonly lookup: ObjectLookup;
  readonly promised?: Set<string>;
  readonly args?: PluginArguments;
  readonly metrics?: SchedulerMetrics;
  /** Absent where groups of pods are not served. */
  readonly groups?: PodGroupTracker | undefined;
  /** Absent where claims of devices are not served. */
  readonly claims?: DynamicResourcesOptions['claims'] | undefined;
}

export function createDefaultProfile(options: DefaultProfileOptions): readonly SchedulerPlugin[] {
  const { args = defaultArguments, ...parts } = options;
  const { lookup, claims } = parts;
  const classOf = parts.isEnabled('DRAExtendedResource') ? claims?.classOfResource : undefined;
  return [
    createSchedulingGates(),
    createNodeUnschedulable(),
    createNodeName(),
    createTaintToleration(),
    createNodeAffinity(args.NodeAffinity),
    createNodePorts(),
    createNodeResourcesFit({
      args: args.NodeResourcesFit,
      ...(classOf !== undefined && {
        isFromDevices: (resource, node) => isFromDevices(resource, node, classOf),
      }),
    }),
    createVolumeRestrictions(lookup),
    createNodeVolumeLimits(lookup),
    createVolumeBinding({ ...parts, args: args.VolumeBinding }),
    createVolumeZone(lookup),
    createPodTopologySpread(lookup, args.PodTopologySpread),
    createInterPodAffinity(lookup, args.InterPodAffinity),
    ...(claims === undefined
      ? []
      : [createDynamicResources({ ...parts, claims, args: args.DynamicResources })]),
    createDefaultPreemption({ ...parts, args: args.DefaultPreemption }),
    createNodeResourcesBalancedAllocation(args.NodeResourcesBalancedAllocation),
    createImageLocality(),
    ...(parts.isEnabled('NodeDeclaredFeatures') ? [createNodeDeclaredFeatures()] : []),
    ...gangScheduling(parts),
  ];
}

function gangScheduling({
  isEnabled,
  groups,
}: Pick<DefaultProfileOptions, 'isEnabled' | 'groups'>): SchedulerPlugin[] {
  return isEnabled('GangScheduling') && groups !== undefined ? [createGangScheduling(groups)] : [];
}
