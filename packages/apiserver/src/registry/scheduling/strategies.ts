// The strategies of the scheduling.k8s.io group, by resource.

import type { Strategy } from '../strategy.ts';
import { podGroupStrategy } from './podgroups/strategy.ts';
import { priorityClassStrategy } from './priorityclasses/strategy.ts';
import { workloadStrategy } from './workloads/strategy.ts';

export const schedulingStrategies: Readonly<Record<string, Strategy>> = {
  podgroups: podGroupStrategy as Strategy,
  priorityclasses: priorityClassStrategy,
  workloads: workloadStrategy as Strategy,
};
