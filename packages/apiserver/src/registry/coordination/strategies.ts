// The strategies of the coordination.k8s.io group, by resource.

import type { Strategy } from '../strategy.ts';
import { leaseCandidateStrategy } from './leasecandidates/strategy.ts';
import { leaseStrategy } from './leases/strategy.ts';

export const coordinationStrategies: Readonly<Record<string, Strategy>> = {
  leasecandidates: leaseCandidateStrategy as Strategy,
  leases: leaseStrategy,
};
