// Which profile decides about a pod.

import type { Pod } from '@keelson/apimachinery/types/core.v1';
import { defaultSchedulerName } from './configuration/scheduler-configuration.ts';
import type { SchedulingCore, SchedulingProfile } from './scheduling-core.ts';

/** Undefined: the pod is for another scheduler. */
export function profileFor(
  core: Pick<SchedulingCore, 'profileOf'>,
  { spec }: Pod,
): SchedulingProfile | undefined {
  return core.profileOf(schedulerNameOf(spec));
}

export function schedulerNameOf({ schedulerName = defaultSchedulerName }: Pod['spec']): string {
  return schedulerName;
}
