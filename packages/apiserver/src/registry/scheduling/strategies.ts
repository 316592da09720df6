// The strategies of the scheduling.k8s.io group, by resource.

import type { Strategy } from '../strategy.ts';
import { priorityClassStrategy } from './priorityclasses/strategy.ts';

export const schedulingStrategies: Readonly<Record<string, Strategy>> = {
  priorityclasses: priorityClassStrategy,
};
