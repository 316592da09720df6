// The scheduler without an API server around it: the state of a cluster, and cycles over it by the
// profile that a pod names. What a cycle decides is carried out by whoever calls it.

import { composeProfile } from './compose-profile.ts';
import {
  defaultConfiguration,
  type ProfileConfiguration,
  type SchedulerConfiguration,
} from './configuration/scheduler-configuration.ts';
import { createDefaultProfile, type DefaultProfileOptions } from './default-profile.ts';
import type { Extenders } from './extenders/ask-extenders.ts';
import type { SchedulerPlugin } from './framework.ts';
import type { SchedulerMetrics } from './metrics/scheduler-metrics.ts';
import { timePlugins } from './metrics/timed-plugins.ts';
import { createNominatedPods, type NominatedPods } from './nominated-pods.ts';
import { createSchedulingCycle, type SchedulingCycle } from './scheduling-cycle.ts';
import { createClusterState, type MutableClusterState } from './snapshot/cluster-state.ts';

/** What decides about the pods that name it. */
export interface SchedulingProfile {
  readonly schedulerName: string;
  readonly plugins: readonly SchedulerPlugin[];
  readonly cycle: SchedulingCycle;
}

export interface SchedulingCore {
  readonly cluster: MutableClusterState;
  readonly nominated: NominatedPods;
  /** The first is also at hand as `plugins` and `cycle`. */
  readonly profiles: readonly SchedulingProfile[];
  readonly plugins: readonly SchedulerPlugin[];
  readonly cycle: SchedulingCycle;
  readonly extenders: Extenders | undefined;
  /** Undefined: pods that name it are for another scheduler. */
  profileOf(schedulerName: string): SchedulingProfile | undefined;
}

export interface SchedulingCoreOptions extends Omit<
  DefaultProfileOptions,
  'nominated' | 'args' | 'promised' | 'metrics'
> {
  readonly configuration?: SchedulerConfiguration;
  /** Absent: nothing is measured. */
  readonly metrics?: SchedulerMetrics;
  /** Absent where none is configured. */
  readonly extenders?: Extenders | undefined;
}

export function createSchedulingCore(
  options: SchedulingCoreOptions,
  nominated: NominatedPods = createNominatedPods(),
): SchedulingCore {
  const { random, configuration = defaultConfiguration, metrics, extenders } = options;
  const cluster = createClusterState();
  const promised = new Set<string>();
  const createProfile = (profile: ProfileConfiguration): SchedulingProfile => {
    const { schedulerName, args, percentageOfNodesToScore } = profile;
    const known = createDefaultProfile({ ...options, nominated, promised, args });
    const composed = composeProfile(known, profile);
    const plugins =
      metrics === undefined ? composed : timePlugins(composed, metrics, schedulerName);
    const share = percentageOfNodesToScore ?? configuration.percentageOfNodesToScore;
    const cycle = createSchedulingCycle({
      plugins,
      cluster,
      nominated,
      random,
      share,
      measure: (point, status, tookMs) => metrics?.point(point, status, schedulerName, tookMs),
      now: () => metrics?.now() ?? 0,
      ...(extenders !== undefined && { extenders }),
    });
    return { schedulerName, plugins, cycle };
  };
  const profiles = configuration.profiles.map(createProfile);
  const [first] = profiles;
  if (first === undefined) throw new Error('a scheduler has at least one profile');
  return {
    cluster,
    nominated,
    profiles,
    plugins: first.plugins,
    cycle: first.cycle,
    extenders,
    profileOf: (name) => profiles.find(({ schedulerName }) => schedulerName === name),
  };
}
