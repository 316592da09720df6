// The strategies of the node.k8s.io group, by resource.

import type { Strategy } from '../strategy.ts';
import { runtimeClassStrategy } from './runtimeclasses/strategy.ts';

export const nodeGroupStrategies: Readonly<Record<string, Strategy>> = {
  runtimeclasses: runtimeClassStrategy,
};
