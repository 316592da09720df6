// The strategies of the internal.apiserver.k8s.io group, by resource.

import type { Strategy } from '../strategy.ts';
import { storageVersionStrategy } from './storageversions/strategy.ts';

export const internalApiserverStrategies: Readonly<Record<string, Strategy>> = {
  storageversions: storageVersionStrategy as Strategy,
};
