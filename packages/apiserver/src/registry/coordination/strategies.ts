// The strategies of the coordination.k8s.io group, by resource.

import type { Strategy } from '../strategy.ts';
import { leaseStrategy } from './leases/strategy.ts';

export const coordinationStrategies: Readonly<Record<string, Strategy>> = {
  leases: leaseStrategy,
};
