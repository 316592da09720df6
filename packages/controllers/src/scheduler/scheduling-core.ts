// The scheduler without an API server around it: the state of a cluster, and cycles over it. What a
// cycle decides is carried out by whoever calls it.

import { createDefaultProfile, type DefaultProfileOptions } from './default-profile.ts';
import type { SchedulerPlugin } from './framework.ts';
import { createNominatedPods, type NominatedPods } from './nominated-pods.ts';
import { createSchedulingCycle, type SchedulingCycle } from './scheduling-cycle.ts';
import { createClusterState, type MutableClusterState } from './snapshot/cluster-state.ts';

export interface SchedulingCore {
  readonly cluster: MutableClusterState;
  readonly nominated: NominatedPods;
  readonly plugins: readonly SchedulerPlugin[];
  readonly cycle: SchedulingCycle;
}

export type SchedulingCoreOptions = Omit<DefaultProfileOptions, 'nominated'>;

export function createSchedulingCore(
  options: SchedulingCoreOptions,
  nominated: NominatedPods = createNominatedPods(),
): SchedulingCore {
  const { random } = options;
  const cluster = createClusterState();
  const plugins = createDefaultProfile({ ...options, nominated });
  const cycle = createSchedulingCycle({ plugins, cluster, nominated, random });
  return { cluster, nominated, plugins, cycle };
}
