// The strategies of the discovery.k8s.io group, by resource.

import type { Strategy } from '../strategy.ts';
import { endpointSliceStrategy } from './endpointslices/strategy.ts';

export const discoveryStrategies: Readonly<Record<string, Strategy>> = {
  endpointslices: endpointSliceStrategy,
};
